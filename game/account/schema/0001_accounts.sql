-- Accounts: who may enter, and where they stood last.
CREATE TABLE accounts (
	id         INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never given twice
	name       TEXT    NOT NULL,                  -- as its owner writes it, NFC
	name_key   TEXT    NOT NULL UNIQUE,           -- nameKey(name)
	password   TEXT    NOT NULL,                  -- PHC string
	avatar     INTEGER NOT NULL DEFAULT 0,
	role       TEXT    NOT NULL DEFAULT '',
	x          REAL    NOT NULL DEFAULT 0,
	y          REAL    NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()) -- seconds
) STRICT;
