-- Receipts of direct messages, clients' own ids of messages, the number of accounts.

-- Of messages in direct conversations alone: the one it is for, when they received it, and when they saw it.
ALTER TABLE message ADD COLUMN receiver INTEGER;
ALTER TABLE message ADD COLUMN received_at INTEGER;
ALTER TABLE message ADD COLUMN seen_at INTEGER;
UPDATE message SET receiver = CASE WHEN c.low = message.author THEN c.high ELSE c.low END
FROM conversation c WHERE c.id = message.conversation AND c.kind = 'direct';

-- From here on, times never go back along the positions of a conversation.
UPDATE message SET created_at = earlier.newest FROM (
    SELECT id, MAX(created_at) OVER (PARTITION BY conversation ORDER BY position) AS newest FROM message
) AS earlier WHERE earlier.id = message.id AND earlier.newest > message.created_at;
UPDATE conversation SET last_at = m.created_at FROM message m
WHERE m.id = conversation.last_message AND m.created_at > conversation.last_at;

-- Which message of an author has that id of the client's own; for a day.
CREATE TABLE client_message (
    account INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    message INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_message_age ON client_message (account, created_at);
CREATE UNIQUE INDEX client_message_message ON client_message (message);

-- How many accounts are not deleted: one row.
CREATE TABLE account_count (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    living INTEGER NOT NULL
) STRICT;
INSERT INTO account_count (id, living) SELECT 1, COUNT(*) FROM account WHERE deleted_at IS NULL;
