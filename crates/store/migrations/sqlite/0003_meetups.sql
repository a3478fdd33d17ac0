-- Profiles, albums, meetings, requests to take part, and their chats. Days are YYYY-MM-DD.

-- What people tell of themselves; no row is as good as an empty one.
CREATE TABLE profile (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    -- NULL: the account's name.
    nickname TEXT,
    about TEXT NOT NULL,
    birth_date TEXT,
    gender INTEGER,
    client_key TEXT NOT NULL
) STRICT;

-- The small square version; avatars of other dialects have none.
ALTER TABLE photo ADD COLUMN thumbnail_key TEXT;

CREATE TABLE meeting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL REFERENCES account (id),
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    day TEXT NOT NULL,
    attendance INTEGER NOT NULL,
    category INTEGER NOT NULL,
    lat REAL NOT NULL,
    lng REAL NOT NULL,
    -- The same place on the unit sphere, and the cell of the grid in which it lies.
    x REAL NOT NULL,
    y REAL NOT NULL,
    z REAL NOT NULL,
    cell INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX meeting_cell ON meeting (cell);
CREATE INDEX meeting_owner ON meeting (owner, created_at);

CREATE TABLE meeting_request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    meeting INTEGER NOT NULL REFERENCES meeting (id),
    -- The meeting's owner.
    owner INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    decision TEXT NOT NULL,
    is_read INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (meeting, account)
) STRICT;
CREATE INDEX meeting_request_account ON meeting_request (account, meeting);
CREATE INDEX meeting_request_undecided ON meeting_request (owner, id) WHERE decision = 'undecided';

CREATE TABLE chat (
    conversation INTEGER PRIMARY KEY REFERENCES conversation (id),
    slug TEXT NOT NULL UNIQUE,
    -- NULL when the meeting went with its owner.
    meeting INTEGER REFERENCES meeting (id),
    owner INTEGER NOT NULL REFERENCES account (id),
    -- Of pair meetings alone.
    guest INTEGER REFERENCES account (id),
    -- The meeting's.
    title TEXT NOT NULL
) STRICT;
CREATE INDEX chat_meeting ON chat (meeting);
CREATE UNIQUE INDEX chat_of_group ON chat (meeting) WHERE guest IS NULL;
CREATE UNIQUE INDEX chat_of_pair ON chat (meeting, guest) WHERE guest IS NOT NULL;
CREATE INDEX chat_owner ON chat (owner);
CREATE INDEX chat_guest ON chat (guest) WHERE guest IS NOT NULL;

-- How far people have come in chats: ids of messages, 0 for none. It stays when they leave.
CREATE TABLE chat_mark (
    conversation INTEGER NOT NULL,
    account INTEGER NOT NULL,
    received_upto INTEGER NOT NULL,
    read_upto INTEGER NOT NULL,
    -- The chat is hidden until it has this many messages.
    hidden_until INTEGER NOT NULL,
    PRIMARY KEY (conversation, account)
) STRICT, WITHOUT ROWID;
