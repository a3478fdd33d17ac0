-- Messages of a conversation are found by position alone: an id is found along the positions, which ascend together.

DROP INDEX IF EXISTS message_conversation;
