-- Widgets of dashboards.

CREATE TABLE widget (
    -- The order of creation.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid BLOB NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES account (id),
    tag TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    size_x INTEGER NOT NULL,
    size_y INTEGER NOT NULL
) STRICT;
CREATE INDEX widget_account ON widget (account, id);
