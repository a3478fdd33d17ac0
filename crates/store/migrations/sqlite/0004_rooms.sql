-- Rooms of students and teachers; pictures of messages by their address.

ALTER TABLE message ADD COLUMN image TEXT;

-- The id is that of the room's conversation.
CREATE TABLE room (
    id INTEGER PRIMARY KEY REFERENCES conversation (id),
    student INTEGER NOT NULL REFERENCES account (id),
    -- NULL until one has joined.
    teacher INTEGER REFERENCES account (id),
    -- 'active', 'engaged', 'closed'; never back.
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    text TEXT NOT NULL,
    image TEXT NOT NULL,
    -- Whether the teachers were asked to come.
    is_announced INTEGER NOT NULL,
    -- The positions up to which each side has seen the other's messages.
    student_saw INTEGER NOT NULL,
    teacher_saw INTEGER NOT NULL
) STRICT;
CREATE INDEX room_student ON room (student, id);
CREATE INDEX room_teacher ON room (teacher, id) WHERE teacher IS NOT NULL;
CREATE INDEX room_active ON room (id) WHERE status = 'active';
CREATE INDEX room_open_student ON room (student, id) WHERE status <> 'closed';
CREATE INDEX room_open_teacher ON room (teacher, id) WHERE status <> 'closed';
