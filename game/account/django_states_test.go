package account

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A dry run says what an import would say, and leaves everything alone.
func TestDjangoDryRun(t *testing.T) {
	old := oldDatabase(t, "lesson5",
		fixtureUser{"username": "alice", "password": "a"},
		fixtureUser{"username": "Alice", "password": "b"},
		fixtureUser{"username": "carol", "password": "c"},
	)
	for _, c := range []struct {
		what string
		make func(t *testing.T, path string)
	}{
		{"no database yet", func(*testing.T, string) {}},
		{"a closed one", func(t *testing.T, path string) {
			s := open(t, cheap(path))
			mustRegister(t, s, "Carol", "mine")
			shut(t, s)
		}},
		{"an open one", func(t *testing.T, path string) { mustRegister(t, open(t, cheap(path)), "Carol", "mine") }},
		{"one before the first import was thought of", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, migrations()[0]+fmt.Sprintf("; PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID))
			db.Close()
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			path := databasePath(t)
			c.make(t, path)
			before, oldBefore := folder(t, path), folder(t, old)
			j := job(old, path)
			j.DryRun = true
			dry := mustImport(t, j)
			if got := folder(t, path); !reflect.DeepEqual(names(got), names(before)) {
				t.Errorf("the folder has %v, had %v", names(got), names(before))
			}
			for name, content := range folder(t, path) {
				if before[name] != content && !strings.Contains(name, "-shm") { // where readers leave their marks
					t.Errorf("%s has changed", name)
				}
			}
			if got := folder(t, old); !reflect.DeepEqual(got, oldBefore) {
				t.Errorf("the old folder has changed: %v", names(got))
			}
			if !dry.DryRun {
				t.Error("the report does not say that it is dry")
			}
			j.DryRun, dry.DryRun = false, false
			if wet := mustImport(t, j); !reflect.DeepEqual(wet, dry) {
				t.Errorf("dry %+v\nbut %+v", dry, wet)
			}
			if got := folder(t, old); !reflect.DeepEqual(got, oldBefore) {
				t.Errorf("the old folder has changed: %v", names(got))
			}
		})
	}
}

func names(files map[string]string) map[string]bool {
	all := map[string]bool{}
	for name := range files {
		all[name] = true
	}
	return all
}

// The old file may lie there in any state of SQLite's.
func TestDjangoFileStates(t *testing.T) {
	original := oldDatabase(t, "lesson5", fixtureUser{"username": "alice", "password": "a"})
	const second = "INSERT INTO server_user (username, password) VALUES ('late', 'b')"
	t.Run("with a log, closed", func(t *testing.T) {
		old := copied(t, original, "")
		db := raw(t, old)
		execute(t, db, "PRAGMA journal_mode = WAL")
		execute(t, db, second)
		db.Close()
		before := folder(t, old)
		if report := mustImport(t, job(old, databasePath(t))); report.Imported != 2 {
			t.Errorf("report %+v", report)
		}
		if got := folder(t, old); !reflect.DeepEqual(got, before) {
			t.Errorf("the old folder has changed: %v", names(got))
		}
	})
	t.Run("with a log, open, and news only there", func(t *testing.T) {
		old := copied(t, original, "")
		db := raw(t, old)
		execute(t, db, "PRAGMA journal_mode = WAL")
		execute(t, db, second)
		before := folder(t, old)
		if report := mustImport(t, job(old, databasePath(t))); report.Imported != 2 {
			t.Errorf("report %+v", report)
		}
		for name, content := range folder(t, old) {
			if before[name] != content && !strings.Contains(name, "-shm") {
				t.Errorf("%s has changed", name)
			}
		}
		execute(t, db, "INSERT INTO server_user (username, password) VALUES ('later', 'c')") // it goes on
	})
	t.Run("with a log that a crash has left", func(t *testing.T) {
		old := copied(t, original, "")
		db := raw(t, old)
		execute(t, db, "PRAGMA journal_mode = WAL")
		execute(t, db, second)
		crashed := copied(t, old, "", "-wal")
		if report := mustImport(t, job(crashed, databasePath(t))); report.Imported != 2 {
			t.Errorf("report %+v", report)
		}
	})
	t.Run("while somebody writes", func(t *testing.T) {
		old := copied(t, original, "")
		db := raw(t, old)
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(second); err != nil {
			t.Fatal(err)
		}
		if report := mustImport(t, job(old, databasePath(t))); report.Imported != 1 {
			t.Errorf("report %+v", report)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
	})
	t.Run("read-only, in a read-only folder", func(t *testing.T) {
		old := copied(t, original, "")
		for path, mode := range map[string]os.FileMode{old: 0o400, filepath.Dir(old): 0o500} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { _ = os.Chmod(filepath.Dir(old), 0o700) })
		mustImport(t, job(old, databasePath(t)))
	})
	t.Run("cut off in a transaction", func(t *testing.T) {
		old := copied(t, original, "")
		db := raw(t, old)
		execute(t, db, "PRAGMA cache_size = 1; PRAGMA cache_spill = 1")
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2000 {
			if _, err := tx.Exec("INSERT INTO server_user (username, password) VALUES (?, ?)", fmt.Sprint("user ", i), strings.Repeat("x", 200)); err != nil {
				t.Fatal(err)
			}
		}
		crashed := copied(t, old, "", "-journal")
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		before := folder(t, crashed)
		if _, err := ImportDjango(t.Context(), job(crashed, databasePath(t))); err == nil || !strings.Contains(err.Error(), "start and stop the old server once") {
			t.Errorf("got %v", err)
		}
		if got := folder(t, crashed); !reflect.DeepEqual(got, before) {
			t.Errorf("the old folder has changed: %v", names(got))
		}
		fixed := raw(t, crashed)
		execute(t, fixed, "BEGIN IMMEDIATE; ROLLBACK") // what its server would do
		fixed.Close()
		if report := mustImport(t, job(crashed, databasePath(t))); report.Imported != 1 {
			t.Errorf("report %+v", report)
		}
	})
}

// copied copies a database with what lies beside it under these suffixes, as a
// crash would leave them.
func copied(t testing.TB, path string, suffixes ...string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "a copy.sqlite3")
	for _, suffix := range suffixes {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func TestDjangoFilesThatAreRefused(t *testing.T) {
	ours := databasePath(t)
	shut(t, open(t, cheap(ours)))
	foreign := databasePath(t)
	db := raw(t, foreign)
	execute(t, db, "CREATE TABLE bookmarks (id INTEGER PRIMARY KEY, url TEXT)")
	db.Close()
	note := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(note, []byte(strings.Repeat("hello ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, from, to string
		want           error
		says           string
	}{
		{"none", filepath.Join(t.TempDir(), "none"), "", os.ErrNotExist, ""},
		{"text", note, "", ErrNotDatabase, ""},
		{"another program's", foreign, "", ErrNotTutorial, "its tables are: bookmarks"},
		{"one of ours", ours, "", nil, "is a database of this server"},
		{"into itself", foreign, foreign, nil, "is both"},
	} {
		t.Run(c.what, func(t *testing.T) {
			to := c.to
			if to == "" {
				to = databasePath(t)
			}
			_, err := ImportDjango(t.Context(), job(c.from, to))
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(to); c.to == "" && err == nil {
				t.Error("a database was made for it")
			}
		})
	}
}
