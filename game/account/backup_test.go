package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func mustBackup(t testing.TB, path, file string) About {
	t.Helper()
	about, err := Backup(t.Context(), path, file, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return about
}

func mustRestore(t testing.TB, file, path string) Restored {
	t.Helper()
	restored, err := Restore(t.Context(), file, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return restored
}

func TestBackupAndRestore(t *testing.T) {
	path := databasePath(t)
	file := filepath.Join(t.TempDir(), "a 10% backup?.db")
	s := open(t, cheap(path))
	mustRegister(t, s, "alice", "a")
	a := mustLogin(t, s, "alice", "a")
	s.Save(a.ID, 1, 2)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	about := mustBackup(t, path, file)
	if about.Accounts != 1 || about.Version != schemaVersion() || time.Since(about.Newest) > time.Minute {
		t.Errorf("about %+v", about)
	}
	mustRegister(t, s, "bob", "b")
	shut(t, s)

	if got := folder(t, file); len(got) != 1 || got[filepath.Base(file)+" -rw-------"] == "" {
		t.Errorf("beside the backup: %v", names(got))
	}
	before := folder(t, file)
	restored := mustRestore(t, file, path)
	if restored.Accounts != 1 || restored.Kept == "" {
		t.Errorf("restored %+v", restored)
	}
	if got := folder(t, file); !reflect.DeepEqual(got, before) {
		t.Errorf("the backup's folder has changed: %v", names(got))
	}
	s = open(t, cheap(path))
	if a := mustLogin(t, s, "alice", "a"); a.X != 1 || a.Y != 2 {
		t.Errorf("alice is %+v", a)
	}
	if _, err := login(s, "bob", "b"); err != ErrWrong {
		t.Errorf("bob, who is not in the backup: %v", err)
	}
	// What was there is kept, and can be restored in its turn.
	shut(t, s)
	again := mustRestore(t, restored.Kept, path)
	if again.Kept == restored.Kept || again.Accounts != 2 {
		t.Errorf("restored %+v", again)
	}
	mustLogin(t, open(t, cheap(path)), "bob", "b")
}

// A database that nobody has open can be backed up too, and nothing stays behind.
func TestBackupOfAClosedDatabase(t *testing.T) {
	path := databasePath(t)
	filled(t, path, 100)
	before := folder(t, path)
	file := filepath.Join(t.TempDir(), "backup")
	pages := 0
	about, err := Backup(t.Context(), path, file, false, func(done, total int) {
		if done > total || done < pages {
			t.Errorf("%d of %d pages, after %d", done, total, pages)
		}
		pages = done
	})
	if err != nil || about.Accounts != 100 || pages == 0 {
		t.Errorf("%+v, %v, %d pages", about, err, pages)
	}
	if got := folder(t, path); !reflect.DeepEqual(got, before) {
		t.Errorf("the folder has %v", names(got))
	}
	// It is a copy of all: the same accounts, as the same bytes of a fresh database.
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	if restored := mustRestore(t, file, fresh); restored.Kept != "" || restored.Accounts != 100 {
		t.Errorf("restored %+v", restored)
	}
	if accountRows(t, fresh) != accountRows(t, path) {
		t.Error("the restored accounts differ")
	}
	about2, err := os.Stat(fresh)
	if err != nil || about2.Mode() != databaseMode {
		t.Errorf("%v, %v", about2.Mode(), err)
	}
}

func TestBackupDoesNotOverwrite(t *testing.T) {
	path := databasePath(t)
	filled(t, path, 1)
	file := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(file, []byte("precious"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(t.Context(), path, file, false, nil); !errors.Is(err, ErrExists) {
		t.Errorf("got %v", err)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "precious" {
		t.Errorf("it is now %q, %v", content, err)
	}
	if err := settle(path, file, false); !errors.Is(err, ErrExists) { // made while the backup was
		t.Errorf("got %v", err)
	}
	for _, own := range []string{path, path + "-wal", filepath.Join(filepath.Dir(path), ".", filepath.Base(path))} {
		if _, err := Backup(t.Context(), path, own, true, nil); err == nil || !strings.Contains(err.Error(), "the database itself") {
			t.Errorf("backup to %s: %v", own, err)
		}
	}
	if _, err := Backup(t.Context(), path, filepath.Dir(file), true, nil); err == nil {
		t.Error("a folder is overwritten")
	}
	if _, err := Backup(t.Context(), path, file, true, nil); err != nil {
		t.Error(err)
	}
	about, err := os.Stat(file)
	if err != nil || about.Mode() != 0o600 {
		t.Errorf("forced: %v, %v", about.Mode(), err)
	}
	if got := folder(t, file); len(got) != 1 {
		t.Errorf("beside the backup: %v", names(got))
	}
}

// What fails leaves nothing half made.
func TestBackupIsWholeOrNot(t *testing.T) {
	path := databasePath(t)
	filled(t, path, 20000)
	file := filepath.Join(t.TempDir(), "backup")
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Backup(ctx, path, file, false, func(int, int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := folder(t, file); len(got) != 0 {
		t.Errorf("left: %v", names(got))
	}
	before := accountRows(t, path)
	mustBackup(t, path, file)
	ctx, cancel = context.WithCancel(t.Context())
	target := databasePath(t)
	filled(t, target, 30000)
	targetBefore := accountRows(t, target)
	if _, err := Restore(ctx, file, target, func(int, int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if accountRows(t, target) != targetBefore {
		t.Error("a restore that failed has changed the database")
	}
	mustRestore(t, file, target)
	if accountRows(t, target) != before {
		t.Error("the restored accounts differ")
	}
}

func TestBackupsThatAreRefused(t *testing.T) {
	path := databasePath(t)
	filled(t, path, 5000)
	good := filepath.Join(t.TempDir(), "good")
	mustBackup(t, path, good)
	target := databasePath(t)
	filled(t, target, 3)
	before := folder(t, target)

	write := func(t *testing.T, change func(content []byte) []byte) string {
		t.Helper()
		content, err := os.ReadFile(good)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(file, change(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, c := range []struct {
		what string
		file func(t *testing.T) string
		want error
	}{
		{"none", func(t *testing.T) string { return filepath.Join(t.TempDir(), "none") }, fs.ErrNotExist},
		{"empty", func(t *testing.T) string { return write(t, func([]byte) []byte { return nil }) }, nil},
		{"cut off", func(t *testing.T) string { return write(t, func(b []byte) []byte { return b[:len(b)/2] }) }, ErrCorrupt},
		{"text", func(t *testing.T) string {
			return write(t, func([]byte) []byte { return bytes.Repeat([]byte("text "), 1000) })
		}, ErrNotDatabase},
		{"a page of rubbish", func(t *testing.T) string {
			return write(t, func(b []byte) []byte {
				copy(b[10*4096:11*4096], bytes.Repeat([]byte{0xa5}, 4096))
				return b
			})
		}, ErrCorrupt},
		{"references to nobody", func(t *testing.T) string {
			file := write(t, func(b []byte) []byte { return b })
			db := raw(t, file)
			execute(t, db, "INSERT INTO imports (source, old_id, account) VALUES ('x', 1, 999999)")
			db.Close()
			return file
		}, ErrCorrupt},
		{"another program's", func(t *testing.T) string {
			file := filepath.Join(t.TempDir(), "foreign")
			db := raw(t, file)
			execute(t, db, "CREATE TABLE bookmarks (url TEXT)")
			db.Close()
			return file
		}, ErrForeign},
		{"newer", func(t *testing.T) string {
			file := write(t, func(b []byte) []byte { return b })
			db := raw(t, file)
			execute(t, db, "PRAGMA user_version = 99")
			db.Close()
			return file
		}, ErrNewer},
		{"the database itself", func(*testing.T) string { return target }, nil},
		{"its log", func(*testing.T) string { return target + "-wal" }, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := Restore(t.Context(), c.file(t), target, nil)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if got := folder(t, target); !reflect.DeepEqual(got, before) {
				t.Errorf("the folder has changed: %v", names(got))
			}
		})
	}
}

// What a backup is restored over may be in any state.
func TestRestoreOver(t *testing.T) {
	source := databasePath(t)
	filled(t, source, 3000)
	good := filepath.Join(t.TempDir(), "good")
	mustBackup(t, source, good)
	want := accountRows(t, source)
	damage := func(t *testing.T, path string, from, to int) {
		t.Helper()
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt(bytes.Repeat([]byte{0xa5}, to-from), int64(from)); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what string
		make func(t *testing.T, path string)
		kept bool
		says string // of the error, if it is refused
	}{
		{"nothing", func(*testing.T, string) {}, false, ""},
		{"an empty file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, false, ""},
		{"a bigger one", func(t *testing.T, path string) { filled(t, path, 9000) }, true, ""},
		{"one with pages of another size", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, "PRAGMA page_size = 1024; "+strings.Join(migrations(), ";")+fmt.Sprintf("; PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID))
			db.Close()
		}, true, ""},
		{"one that a crash has left with a log", func(t *testing.T, path string) {
			other := databasePath(t)
			s := open(t, cheap(other))
			mustRegister(t, s, "alice", "a")
			for _, suffix := range []string{"", "-wal"} {
				content, err := os.ReadFile(other + suffix)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, true, ""},
		{"one with a page of rubbish", func(t *testing.T, path string) {
			filled(t, path, 5000)
			damage(t, path, 20*4096, 21*4096)
		}, true, ""},
		{"one with a damaged schema", func(t *testing.T, path string) {
			filled(t, path, 5000)
			damage(t, path, 200, 4096)
		}, false, "stop the server, move it away"},
		{"one without its header", func(t *testing.T, path string) {
			filled(t, path, 5000)
			damage(t, path, 0, 100)
		}, false, "stop the server, move it away"},
		{"another program's", func(t *testing.T, path string) {
			db := raw(t, path)
			execute(t, db, "CREATE TABLE bookmarks (url TEXT)")
			db.Close()
		}, false, ErrForeign.Error()},
		{"only a log", func(t *testing.T, path string) {
			if err := os.WriteFile(path+"-wal", []byte("log"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false, "move it away"},
	} {
		t.Run(c.what, func(t *testing.T) {
			path := databasePath(t)
			c.make(t, path)
			before := folder(t, path)
			restored, err := Restore(t.Context(), good, path, nil)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v", err)
				}
				if got := folder(t, path); !reflect.DeepEqual(got, before) {
					t.Errorf("the folder has changed: %v", names(got))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := restored.Kept != ""; got != c.kept {
				t.Errorf("kept %q", restored.Kept)
			}
			if accountRows(t, path) != want {
				t.Error("the restored accounts differ")
			}
			s := open(t, cheap(path))
			mustLogin(t, s, "player 7", "password")
		})
	}
}

func TestSQLite(t *testing.T) {
	version, options, err := SQLite()
	if err != nil || !strings.HasPrefix(version, "3.") || len(options) == 0 {
		t.Errorf("%s, %q, %v", version, options, err)
	}
}
