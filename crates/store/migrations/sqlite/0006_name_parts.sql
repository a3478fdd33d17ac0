-- How many names hold a part of one, two or three characters.

-- Of folded names of accounts that are not deleted; a part that no name holds has no row.
-- It is filled by the program, in the transaction of this step: see src/accounts/parts/fill.rs.
CREATE TABLE name_part (
    part TEXT NOT NULL PRIMARY KEY,
    names INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
