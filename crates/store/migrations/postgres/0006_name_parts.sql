-- How many names hold a part of one, two or three characters.

-- No name changes until all of them are counted.
LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE;

-- Of folded names of accounts that are not deleted; a part that no name holds has no row.
-- It is filled by the program, in the transaction of this step: see src/accounts/parts/fill.rs.
-- Rows of common parts change with every name: the room lets their versions stay on one page.
CREATE TABLE name_part (
    part TEXT COLLATE "C" PRIMARY KEY,
    names BIGINT NOT NULL
) WITH (fillfactor = 50);
