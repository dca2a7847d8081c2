-- Whom an import has brought: a second one leaves them alone.
CREATE TABLE imports (
	source      TEXT    NOT NULL, -- tells one old database from another
	old_id      INTEGER NOT NULL, -- of the user there
	account     INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
	imported_at INTEGER NOT NULL DEFAULT (unixepoch()), -- seconds
	PRIMARY KEY (source, old_id)
) STRICT, WITHOUT ROWID;

-- Accounts that still have the password hash they had under Django; see
-- django_password.go.
CREATE INDEX accounts_django ON accounts (password) WHERE password GLOB 'pbkdf2_sha256$*';
