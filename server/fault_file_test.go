package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tavern/game/account"
)

// makeDatabase makes a database with so many accounts called "player 1" and so on,
// and returns its path.
func makeDatabase(t testing.TB, path string, accounts int) string {
	t.Helper()
	s, err := account.Open(t.Context(), account.Config{Path: path, HashMemoryKiB: 8, HashTime: 1, Queue: accounts, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, accounts)
	for i := range accounts {
		name := fmt.Sprintf("player %d", i+1)
		if err := s.Register(name, "pw of "+name, 0, func(err error) { answers <- err }); err != nil {
			t.Fatal(err)
		}
	}
	for range accounts {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return path
}

// statement runs SQL on a database that no server has open.
func statement(t testing.TB, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

// sound wants SQLite to find nothing wrong with a database. It looks at a copy, as
// looking changes files.
func sound(t testing.TB, path string) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil && suffix == "" {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite3", "file:"+copied)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check of %s: %q, %v", path, verdict, err)
	}
}

// prints are the names of what is in a folder, with modes and hashes.
func prints(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		content, _ := os.ReadFile(filepath.Join(dir, e.Name())) // of a folder: nothing
		fmt.Fprintf(&all, "%s %v %x\n", e.Name(), info.Mode(), sha256.Sum256(content))
	}
	return all.String()
}

// damage overwrites all of a database but its first pages.
func damage(t testing.TB, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const kept = 4 * 4096
	if info.Size() < 4*kept {
		t.Fatalf("the database has only %d bytes", info.Size())
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte("garbage!"), int(info.Size()-kept)/8), kept); err != nil {
		t.Fatal(err)
	}
}

// refusesToStart wants a server to end with 1, and a last line that says all this.
func (p *process) refusesToStart(says ...string) {
	p.t.Helper()
	if status := p.exit(); status != 1 {
		p.t.Errorf("exit status %d, want 1", status)
	}
	lines := p.logged("tavern stopped")
	for _, words := range says {
		if len(lines) != 1 || !strings.Contains(lines[0], words) {
			p.t.Errorf("the log ends with %q, which does not say %q", lines, words)
		}
	}
}

// TestRefusedDatabases starts the server with files that it cannot use: it ends with
// 1 and a sentence that says what to do, and leaves everything as it was.
func TestRefusedDatabases(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(makeDatabase(t, filepath.Join(t.TempDir(), "tavern.db"), 300))
	if err != nil {
		t.Fatal(err)
	}
	holding := func(b []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	const readOnlyFolder = `mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"`
	for _, c := range []struct {
		what  string
		make  func(t *testing.T, path string)
		mount string // what an own mount namespace does first
		says  []string
	}{
		{"no database", holding(bytes.Repeat([]byte("shopping list\n"), 1000)), "", []string{"not an SQLite database", "another file with -db"}},
		{"a folder", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "", []string{"not an SQLite database", "another file with -db"}},
		{"another program's", func(t *testing.T, path string) {
			holding(nil)(t, path)
			statement(t, path, "CREATE TABLE auth_user (id INTEGER PRIMARY KEY)")
		}, "", []string{"of another program", "import-django"}},
		{"newer", func(t *testing.T, path string) {
			holding(content)(t, path)
			statement(t, path, "PRAGMA user_version = 99")
		}, "", []string{"newer version", "its schema is version 99", "start the newer version"}},
		{"damaged", func(t *testing.T, path string) {
			holding(content)(t, path)
			damage(t, path)
		}, "", []string{"damaged", "command restore"}},
		{"cut off", holding(content[:len(content)/2]), "", []string{"damaged", "command restore"}},
		{"read-only", func(t *testing.T, path string) {
			holding(content)(t, path)
			if err := os.Chmod(path, 0o400); err != nil {
				t.Fatal(err)
			}
		}, "", []string{"read-only", "write the file and its folder"}},
		{"on a read-only disk", holding(content), readOnlyFolder, []string{"read-only", "write the file and its folder"}},
		{"in a read-only folder", holding(content),
			`mount --bind "$1" "$1"; mount --bind "$1/tavern.db" "$1/tavern.db"; mount -o remount,ro,bind "$1"`,
			[]string{"read-only", "its folder", "write the file and its folder"}},
		{"none, in a read-only folder", func(*testing.T, string) {}, readOnlyFolder, []string{"read-only", "write the file and its folder"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			db := filepath.Join(dir, "tavern.db")
			c.make(t, db)
			before := prints(t, dir)
			var wrap []string
			if c.mount != "" {
				wrap = newIsland(t, c.mount, dir).wrap
			}
			launch(t, wrap, db).refusesToStart(append(c.says, db, "to do: ")...)
			if after := prints(t, dir); after != before {
				t.Errorf("the folder had\n%sand has\n%s", before, after)
			}
		})
	}
}

// TestDamagedWhileRunning overwrites the database of a server with players.
func TestDamagedWhileRunning(t *testing.T) {
	t.Parallel()
	const accounts = 400
	db := makeDatabase(t, filepath.Join(t.TempDir(), "tavern.db"), accounts)
	p := startProcess(t, db, "-limits", "off")
	s := p.server()
	ann, _ := enter(t, s, "ann")
	bob, _ := enter(t, s, "bob")
	damage(t, db)

	stranger := connect(t, s)
	told := ""
	for i := 1; i <= accounts && told != denyInternal; i++ {
		stranger.say(`{"a":"Login","p0":"player %d","p1":"wrong"}`, i)
		told = text(stranger.must().p0)
	}
	if told != denyInternal {
		t.Fatalf("no login met the damage; the last was told %q", told)
	}
	for i := range 5 {
		stranger.say(`{"a":"Login","p0":"player %d","p1":"wrong"}`, accounts-i)
		stranger.must()
	}
	ann.say(`{"a":"Chat","p0":"","p1":"all well here"}`)
	bob.awaitChat("ann: all well here")
	if _, page := s.get(t, "/metrics"); !strings.Contains(page, `gate_denies_total{reason="internal"} `) || strings.Contains(page, `gate_denies_total{reason="internal"} 0`) {
		t.Error("the Denies are not counted")
	}
	if n := s.metric(t, "account_failed_total"); n == "0" {
		t.Error("the failures are not counted")
	}
	p.once(failing)
	p.signal(syscall.SIGTERM)
	if code := ann.ended(); code != 1001 {
		t.Errorf("closed with %d, want 1001", code)
	}
	p.exit()
	launch(t, nil, db).refusesToStart("damaged", "command restore")
}
