-- Accounts, sessions, relations, conversations, messages.
-- Times are microseconds since 1970. UUIDs are 16 bytes. Texts compare by their UTF-8 bytes.

CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid BLOB NOT NULL UNIQUE,
    username TEXT NOT NULL,
    -- After NFKC and case folding; NULL when the account is deleted.
    username_folded TEXT UNIQUE,
    email TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    password TEXT,
    two_factor INTEGER NOT NULL,
    role TEXT NOT NULL,
    avatar_photo INTEGER REFERENCES photo (id),
    avatar_text TEXT,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE INDEX account_avatar_photo ON account (avatar_photo) WHERE avatar_photo IS NOT NULL;

-- Substrings of names, three characters and more.
CREATE VIRTUAL TABLE account_search USING fts5 (username_folded, tokenize = 'trigram case_sensitive 1');
CREATE TRIGGER account_search_added AFTER INSERT ON account WHEN new.username_folded IS NOT NULL BEGIN
    INSERT INTO account_search (rowid, username_folded) VALUES (new.id, new.username_folded);
END;
CREATE TRIGGER account_search_changed AFTER UPDATE OF username_folded ON account
WHEN old.username_folded IS NOT new.username_folded BEGIN
    DELETE FROM account_search WHERE rowid = old.id;
    INSERT INTO account_search (rowid, username_folded)
    SELECT new.id, new.username_folded WHERE new.username_folded IS NOT NULL;
END;

CREATE TABLE photo (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id),
    file_key TEXT NOT NULL UNIQUE,
    -- Whether it is kept among the account's photos when it is not the avatar any more.
    in_album INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX photo_account ON photo (account);

CREATE TABLE identity (
    provider TEXT NOT NULL,
    external_id TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    PRIMARY KEY (provider, external_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_account ON identity (account);

CREATE TABLE session (
    id BLOB NOT NULL PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    opaque_hash BLOB NOT NULL UNIQUE,
    dialect TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX session_live ON session (account, used_at) WHERE ended_at IS NULL;
CREATE INDEX session_idle ON session (used_at) WHERE ended_at IS NULL;
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE access_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id),
    label TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX access_key_live ON access_key (account, label) WHERE revoked_at IS NULL;
CREATE INDEX access_key_revoked ON access_key (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE spent_refresh (
    jti BLOB NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_refresh_expires_at ON spent_refresh (expires_at);

CREATE TABLE code (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    mac BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    wrong INTEGER NOT NULL
) STRICT;

-- One per unordered pair: low and high are the two accounts in the order of their ids.
CREATE TABLE relation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid BLOB NOT NULL UNIQUE,
    from_account INTEGER NOT NULL REFERENCES account (id),
    to_account INTEGER NOT NULL REFERENCES account (id),
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    status_from TEXT NOT NULL,
    status_to TEXT NOT NULL,
    -- Whether that side gave its status itself.
    answered_from INTEGER NOT NULL,
    answered_to INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (low, high),
    CHECK (low < high)
) STRICT;
CREATE INDEX relation_high ON relation (high, low);

CREATE TABLE conversation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    -- Of direct conversations alone: one per unordered pair.
    low INTEGER REFERENCES account (id),
    high INTEGER REFERENCES account (id),
    initiator INTEGER REFERENCES account (id),
    receiver INTEGER REFERENCES account (id),
    -- The position of the newest message; 0 before the first one.
    message_count INTEGER NOT NULL,
    last_message INTEGER,
    -- When the newest message was stored; before the first one, when the conversation was made.
    last_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (low, high),
    CHECK (low < high)
) STRICT;

CREATE TABLE member (
    conversation INTEGER NOT NULL REFERENCES conversation (id),
    account INTEGER NOT NULL REFERENCES account (id),
    PRIMARY KEY (conversation, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_account ON member (account, conversation);

-- Messages and media have no declared foreign keys: the transaction that writes them has just read both ends.
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid BLOB NOT NULL UNIQUE,
    conversation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    author INTEGER NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (conversation, position)
) STRICT;
CREATE INDEX message_conversation ON message (conversation, id);

CREATE TABLE media (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid BLOB NOT NULL UNIQUE,
    file_key TEXT NOT NULL UNIQUE,
    -- The sender's name for it.
    label TEXT NOT NULL,
    size INTEGER NOT NULL,
    uploaded_at INTEGER NOT NULL,
    message INTEGER NOT NULL,
    -- Its place among the message's files, from 0.
    ordinal INTEGER NOT NULL,
    UNIQUE (message, ordinal)
) STRICT;
