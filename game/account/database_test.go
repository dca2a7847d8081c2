package account

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// raw is a connection of another program.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", dataSource(path, "mode=rwc"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// filled makes a database with so many accounts and closes it.
func filled(t testing.TB, path string, accounts int) {
	t.Helper()
	s := open(t, cheap(path))
	shut(t, s)
	db := raw(t, path)
	execute(t, db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?)
		INSERT INTO accounts (name, name_key, password) SELECT 'player '||i, 'player '||i, ? FROM n`, accounts, referenceHash)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// folder is what lies in the database's folder: names, modes and contents.
func folder(t testing.TB, path string) map[string]string {
	t.Helper()
	files := map[string]string{}
	dir := filepath.Dir(path)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		about, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		files[fmt.Sprint(name, " ", about.Mode())] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFilesThatAreRefused(t *testing.T) {
	write := func(t *testing.T, path string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(t *testing.T, path string) []byte {
		t.Helper()
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	for _, c := range []struct {
		what string
		make func(t *testing.T, path string)
		want error
		says string
	}{
		{"text", func(t *testing.T, path string) { write(t, path, []byte(strings.Repeat("players = 100\n", 1000))) }, ErrNotDatabase, ""},
		{"short text", func(t *testing.T, path string) { write(t, path, []byte("hello")) }, ErrNotDatabase, ""},
		{"folder", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, ErrNotDatabase, ""},
		{"only the first line of a database", func(t *testing.T, path string) {
			write(t, path, append([]byte("SQLite format 3\x00"), bytes.Repeat([]byte{0xff}, 5000)...))
		}, ErrNotDatabase, ""},
		{"other program's", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT)")
			execute(t, db, "INSERT INTO auth_user (username) VALUES ('alice')")
			db.Close()
		}, ErrForeign, ""},
		{"other program's, with an id", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, "PRAGMA application_id = 7; PRAGMA user_version = 1")
			db.Close()
		}, ErrForeign, ""},
		{"newer", func(t *testing.T, path string) {
			filled(t, path, 3)
			db := raw(t, path)
			execute(t, db, "PRAGMA user_version = 99")
			db.Close()
		}, ErrNewer, "its schema is version 99"},
		{"newer, after a crash", func(t *testing.T, path string) {
			crashed := filepath.Join(t.TempDir(), "world.db")
			filled(t, crashed, 3)
			db := raw(t, crashed)
			execute(t, db, "PRAGMA user_version = 99") // in the log only
			for _, suffix := range []string{"", "-wal"} {
				write(t, path+suffix, read(t, crashed+suffix))
			}
		}, ErrNewer, "its schema is version 99"},
		{"overwritten in the middle", func(t *testing.T, path string) {
			filled(t, path, 2000)
			content := read(t, path)
			copy(content[len(content)/2:], bytes.Repeat([]byte("garbage!"), 2000))
			write(t, path, content)
		}, ErrCorrupt, ""},
		{"cut off", func(t *testing.T, path string) {
			filled(t, path, 2000)
			content := read(t, path)
			write(t, path, content[:len(content)/2])
		}, ErrCorrupt, ""},
		{"schema overwritten", func(t *testing.T, path string) {
			filled(t, path, 3)
			content := read(t, path)
			copy(content[100:4096], bytes.Repeat([]byte{0xaa}, 4096))
			write(t, path, content)
		}, ErrCorrupt, ""},
		{"read-only", func(t *testing.T, path string) {
			filled(t, path, 3)
			if err := os.Chmod(path, 0o400); err != nil {
				t.Fatal(err)
			}
		}, ErrReadOnly, ""},
		{"folder missing", func(t *testing.T, path string) {
			if err := os.Remove(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		}, fs.ErrNotExist, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sub", "world.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			c.make(t, path)
			var before map[string]string
			if c.want != fs.ErrNotExist {
				before = folder(t, path)
			}
			s, err := Open(t.Context(), cheap(path))
			if err == nil {
				shut(t, s)
				t.Fatal("opened")
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v with the path and %q", err, c.want, c.says)
			}
			t.Log(err)
			if before == nil {
				return
			}
			for name, content := range folder(t, path) {
				if was, ok := before[name]; !ok && !strings.Contains(name, "-shm") { // an index of the log, no data
					t.Errorf("%s was made", name)
				} else if ok && was != content {
					t.Errorf("%s was changed", name)
				}
				delete(before, name)
			}
			for name := range before {
				t.Errorf("%s was removed", name)
			}
		})
	}
}

func TestNewFile(t *testing.T) {
	for _, c := range []struct {
		what string
		make func(t *testing.T, path string)
	}{
		{"none", func(*testing.T, string) {}},
		{"empty", func(t *testing.T, path string) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"died before its first migration", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, "PRAGMA journal_mode = WAL")
			db.Close()
		}},
		{"left with a journal", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, "PRAGMA journal_mode = PERSIST; CREATE TABLE t (x); DROP TABLE t; PRAGMA user_version = 0")
			db.Close()
			if _, err := os.Stat(path + "-journal"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			path := databasePath(t)
			c.make(t, path)
			s := open(t, cheap(path))
			mustRegister(t, s, "alice", "secret")
			shut(t, s)
			s = open(t, cheap(path))
			mustLogin(t, s, "alice", "secret")
		})
	}
}

func TestFileIsItsOwners(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	mustRegister(t, s, "alice", "secret")
	files := folder(t, path)
	if len(files) != 3 {
		t.Errorf("%d files, want the database, its log and the log's index", len(files))
	}
	for name := range files {
		if !strings.HasSuffix(name, " -rw-------") {
			t.Errorf("%s", name)
		}
	}
	shut(t, s)
	if files := folder(t, path); len(files) != 1 {
		t.Errorf("after Close there are %d files, want the database alone", len(files))
	}
}

func TestPragmas(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	for _, c := range []struct {
		db           *sql.DB
		pragma, want string
	}{
		{s.db.write, "journal_mode", "wal"},
		{s.db.write, "synchronous", "2"}, // FULL
		{s.db.write, "busy_timeout", "5000"},
		{s.db.write, "foreign_keys", "1"},
		{s.db.write, "application_id", fmt.Sprint(applicationID)},
		{s.db.write, "user_version", fmt.Sprint(schemaVersion())},
		{s.db.read, "busy_timeout", "5000"},
		{s.db.read, "foreign_keys", "1"},
	} {
		var got string
		if err := c.db.QueryRow("PRAGMA " + c.pragma).Scan(&got); err != nil || got != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.pragma, got, err, c.want)
		}
	}
	if _, err := s.db.read.Exec("DELETE FROM accounts"); !errors.Is(classify(err), ErrReadOnly) {
		t.Errorf("a reader writes: %v", err)
	}
	if got := s.db.write.Stats().MaxOpenConnections; got != 1 {
		t.Errorf("%d write connections", got)
	}
	// All readers are there from the start, and stay.
	if got := s.db.read.Stats(); got.OpenConnections != got.MaxOpenConnections || got.Idle != got.MaxOpenConnections {
		t.Errorf("%d read connections open, %d idle, of %d", got.OpenConnections, got.Idle, got.MaxOpenConnections)
	}
}

// All readers have their files from the start: later there may be no descriptor left.
func TestReadersAreOpen(t *testing.T) {
	cfg := cheap(databasePath(t))
	cfg.Workers = 4
	s := open(t, cfg)
	if got := s.db.read.Stats(); got.OpenConnections != 4 || got.Idle != 4 {
		t.Errorf("%d readers are open, %d of them idle; want 4", got.OpenConnections, got.Idle)
	}
}

func TestMigrationsAreWholeOrNot(t *testing.T) {
	path := databasePath(t)
	db := raw(t, path)
	log := cheap(path).Logger
	scripts := []string{
		"CREATE TABLE accounts (name TEXT)",
		"CREATE TABLE bans (id INTEGER PRIMARY KEY); ALTER TABLE accounts ADD COLUMN seen INTEGER",
		"CREATE TABLE audit (id INTEGER PRIMARY KEY); CREATE TABLE bans (id INTEGER PRIMARY KEY)", // bans exists
	}
	if err := migrate(t.Context(), db, scripts[:1], log); err != nil {
		t.Fatal(err)
	}
	execute(t, db, "INSERT INTO accounts VALUES ('alice')")
	if err := migrate(t.Context(), db, scripts, log); err == nil || !strings.Contains(err.Error(), "migration 3") {
		t.Errorf("got %v, want the failure of migration 3", err)
	}
	var version, audits int
	if err := db.QueryRow("SELECT user_version, (SELECT count(*) FROM sqlite_schema WHERE name = 'audit') FROM pragma_user_version").Scan(&version, &audits); err != nil {
		t.Fatal(err)
	}
	if version != 2 || audits != 0 {
		t.Errorf("version %d with %d tables of the failed migration, want 2 with none", version, audits)
	}
	scripts[2] = "CREATE TABLE audit (id INTEGER PRIMARY KEY)"
	for range 2 { // the second time there is nothing to do
		if err := migrate(t.Context(), db, scripts, log); err != nil {
			t.Error(err)
		}
	}
	var name string
	if err := db.QueryRow("SELECT name FROM accounts, bans, audit UNION SELECT name FROM accounts").Scan(&name); err != nil || name != "alice" {
		t.Errorf("after the migrations: %q, %v", name, err)
	}
}

// Two servers on one new file: each must find it whole, over and over.
func TestTwoStartAtOnce(t *testing.T) {
	for range 20 {
		path := databasePath(t)
		stores := make(chan *Store)
		for range 2 {
			go func() {
				s, err := Open(context.Background(), cheap(path))
				if err != nil {
					t.Error(err)
				}
				stores <- s
			}()
		}
		a, b := <-stores, <-stores
		for _, s := range []*Store{a, b} {
			if s != nil {
				t.Cleanup(func() { shut(t, s) })
			}
		}
		if t.Failed() {
			t.FailNow()
		}
		mustRegister(t, a, "alice", "secret")
		mustLogin(t, b, "alice", "secret")
		if err := register(b, "alice", "secret"); err != ErrTaken {
			t.Errorf("got %v", err)
		}
		shut(t, a)
		mustRegister(t, b, "bob", "secret")
		shut(t, b)
	}
}
