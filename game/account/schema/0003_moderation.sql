-- Who may not come in: an account, or a network of addresses.
CREATE TABLE bans (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER UNIQUE REFERENCES accounts (id) ON DELETE CASCADE,
	network TEXT UNIQUE,      -- netip.Prefix, masked
	reason  TEXT    NOT NULL,
	by      TEXT    NOT NULL, -- who banned, for people
	at      INTEGER NOT NULL, -- seconds
	until   INTEGER,          -- seconds; NULL = for good
	CHECK ((account IS NULL) <> (network IS NULL))
) STRICT;

-- Who may not talk.
CREATE TABLE mutes (
	account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
	reason  TEXT    NOT NULL,
	by      TEXT    NOT NULL,
	at      INTEGER NOT NULL,
	until   INTEGER NOT NULL
) STRICT;

-- What operators and moderators did. Rows are only ever added.
CREATE TABLE audit (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	at      INTEGER NOT NULL, -- seconds
	by      TEXT    NOT NULL, -- who, for people
	via     TEXT    NOT NULL, -- page, api, command, chat, server
	action  TEXT    NOT NULL,
	target  TEXT    NOT NULL, -- a name, an address, or nothing
	details TEXT    NOT NULL
) STRICT;

-- What the server keeps about itself.
CREATE TABLE settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The few accounts that have a role.
CREATE INDEX accounts_role ON accounts (role) WHERE role <> '';
