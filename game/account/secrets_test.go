package account

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestFilesArePrivate: whatever the umask, nobody else can read the database, its
// log, a backup, what was restored, or what the restore has kept.
func TestFilesArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := databasePath(t)
	private := func(when string, least ...string) {
		t.Helper()
		seen := map[string]bool{}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			about, err := e.Info()
			if errors.Is(err, os.ErrNotExist) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			seen[strings.TrimPrefix(e.Name(), filepath.Base(path))] = true
			if mode := about.Mode(); mode != 0o600 {
				t.Errorf("%s: %s has mode %v", when, e.Name(), mode)
			}
		}
		for _, name := range least {
			if !seen[name] {
				t.Errorf("%s: there is no %s among %v", when, name, seen)
			}
		}
	}
	s := open(t, cheap(path))
	mustRegister(t, s, "alice", "secret")
	private("while the server runs", "", "-wal", "-shm")
	backup := path + ".backup"
	for _, force := range []bool{false, true} {
		if _, err := Backup(t.Context(), path, backup, force, nil); err != nil {
			t.Fatal(err)
		}
		private("with a backup", ".backup")
	}
	shut(t, s)
	if err := os.Chmod(backup, 0o644); err != nil { // it comes from elsewhere
		t.Fatal(err)
	}
	restored := mustRestore(t, backup, path)
	if err := os.Remove(backup); err != nil {
		t.Fatal(err)
	}
	private("restored", "", strings.TrimPrefix(filepath.Base(restored.Kept), filepath.Base(path)))
	s = open(t, cheap(path))
	mustLogin(t, s, "alice", "secret")
	private("and open again", "", "-wal", "-shm")
	shut(t, s)
}

// A wrong password takes as long as an unknown name also for an account whose hash
// was made when passwords cost less. Without hasher.even it is one to a hundred.
func TestEqualTimeAfterCostsRose(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	mustRegister(t, s, "old", "secret")
	shut(t, s)
	cfg := cheap(path)
	cfg.HashMemoryKiB, cfg.HashTime, cfg.Workers = 1024, 2, 1
	s = open(t, cfg)
	mustRegister(t, s, "new", "secret")

	failEqually(t, s, "nobody", "old", "new")
}

// TestPanicTellsNoPassword: a panic in an answer is logged, with its stack, and
// without what was asked.
func TestPanicTellsNoPassword(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	cfg := cheap(databasePath(t))
	cfg.Logger = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := open(t, cfg)
	const password = "swordfish-1971"
	if err := s.Register("alice", password, 0, func(error) { panic("in a registration") }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "alice has an account", func() bool {
		_, _, err := s.find(nameKey("alice"))
		return err == nil
	})
	if err := s.Login("alice", password, func(a Account, _ error) {
		defer s.Release(a.ID)
		none := make([]string, 0)
		_ = none[len(a.Name)]
	}); err != nil {
		t.Fatal(err)
	}
	mustRegister(t, s, "bob", password)
	mustLogin(t, s, "bob", password) // so the worker lives on
	shut(t, s)
	mu.Lock()
	defer mu.Unlock()
	if text := log.String(); strings.Count(text, "panic in the accounts") != 2 || strings.Contains(text, password) {
		t.Errorf("two panics were logged as %s", text)
	}
}

type lockedWriter struct {
	mu  *sync.Mutex
	buf *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}
