package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/coder/websocket"
)

// lockVariable makes the test binary a program that locks a database: it names it.
const lockVariable = "TAVERN_TEST_LOCK"

// lockMain locks a database until its standard input ends.
func lockMain(path string) {
	ctx := context.Background()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=rw&_busy_timeout=5000")
	if err == nil {
		var conn *sql.Conn
		if conn, err = db.Conn(ctx); err == nil {
			_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, "locked")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// lockDatabase has another process lock a database until it is called off.
func lockDatabase(t testing.TB, path string) (unlock func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockVariable+"="+path, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	unlock = func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
	t.Cleanup(unlock)
	if _, err := io.ReadFull(out, make([]byte, len("locked\n"))); err != nil {
		t.Fatal("the database cannot be locked")
	}
	return unlock
}

// TestDatabaseLocked has another process lock the database of a server with
// players, for longer than the server waits.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "tavern.db")
	p := startProcess(t, db, "-tick", "10ms", "-speed", "700", "-limits", "off")
	s := p.server()
	ann, a := enter(t, s, "ann")
	bob, _ := enter(t, s, "bob")
	newcomer := connect(t, s)

	unlock := lockDatabase(t, db)
	ann.say(`{"a":"Target","p0":21,"p1":0}`)
	bob.awaitActor(a.ID, point{21, 0})
	asksInVain(newcomer, "newcomer", 1)
	healthy(t, s, saving)
	ann.say(`{"a":"Chat","p0":"","p1":"locked?"}`)
	bob.awaitChat("ann: locked?")
	ann.close(websocket.StatusNormalClosure)
	bob.awaitGone(a.ID)
	if at := connect(t, s).login("ann").at(); at != (point{21, 0}) { // reading is not locked
		t.Errorf("ann is back at %v", at)
	}
	unlock()
	healthy(t, s, "")
	newcomer.register("newcomer 0")
	until(t, "the log says so", func() bool { return len(p.logged(savedAgain)) > 0 })
	p.once(notSaved, savedAgain, failing)
}

// TestStartWhileLocked: a server whose database is locked starts, and who registers
// waits for the lock; one that would have to make its tables says what is in the way.
func TestStartWhileLocked(t *testing.T) {
	t.Parallel()
	t.Run("with its tables", func(t *testing.T) {
		t.Parallel()
		db := makeDatabase(t, filepath.Join(t.TempDir(), "tavern.db"), 1)
		unlock := lockDatabase(t, db)
		p := connect(t, startProcess(t, db).server())
		p.say(`{"a":"Register","p0":"ann","p1":"pw of ann"}`)
		p.ping()
		unlock()
		p.expect(`{"a":"Ok"}`)
	})
	t.Run("without", func(t *testing.T) {
		t.Parallel()
		db := filepath.Join(t.TempDir(), "tavern.db")
		if err := os.WriteFile(db, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		lockDatabase(t, db)
		launch(t, nil, db).refusesToStart(db, "locked by another program", "to do: end the program that holds it")
	})
}
