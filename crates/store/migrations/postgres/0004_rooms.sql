-- Rooms of students and teachers; pictures of messages by their address.

ALTER TABLE message ADD COLUMN image TEXT COLLATE "C";

-- The id is that of the room's conversation.
CREATE TABLE room (
    id BIGINT PRIMARY KEY REFERENCES conversation (id),
    student BIGINT NOT NULL REFERENCES account (id),
    -- NULL until one has joined.
    teacher BIGINT REFERENCES account (id),
    -- 'active', 'engaged', 'closed'; never back.
    status TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    image TEXT COLLATE "C" NOT NULL,
    -- Whether the teachers were asked to come.
    is_announced BOOLEAN NOT NULL,
    -- The positions up to which each side has seen the other's messages.
    student_saw BIGINT NOT NULL,
    teacher_saw BIGINT NOT NULL
);
CREATE INDEX room_student ON room (student, id);
CREATE INDEX room_teacher ON room (teacher, id) WHERE teacher IS NOT NULL;
CREATE INDEX room_active ON room (id) WHERE status = 'active';
CREATE INDEX room_open_student ON room (student, id) WHERE status <> 'closed';
CREATE INDEX room_open_teacher ON room (teacher, id) WHERE status <> 'closed';
