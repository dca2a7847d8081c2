package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// island is a mount namespace that only its own processes see. Its files can be
// reached from here by inside.
type island struct {
	t    testing.TB
	pid  int
	wrap []string // starts a program on it
}

// newIsland makes one and has a shell mount there what script says, whose $1 is
// dir. It is gone when the test ends.
func newIsland(t testing.TB, script, dir string) *island {
	t.Helper()
	unshare, enter := []string{"--mount"}, []string{"--mount"}
	if os.Getuid() != 0 {
		unshare = append(unshare, "--map-root-user")
		enter = append(enter, "--user", "--preserve-credentials")
	}
	holder := exec.Command("unshare", append(unshare, "sh", "-ec", script+"\necho mounted; exec cat", "sh", dir)...)
	holder.Stderr = os.Stderr
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Skipf("SKIPPED: no mount namespace can be had here: %v", err)
	}
	t.Cleanup(func() {
		_ = in.Close() // cat ends
		_ = holder.Wait()
	})
	if _, err := io.ReadFull(out, make([]byte, len("mounted\n"))); err != nil {
		t.Skipf("SKIPPED: nothing can be mounted here: %v", err)
	}
	pid := holder.Process.Pid
	return &island{t: t, pid: pid, wrap: append([]string{"nsenter", fmt.Sprintf("--target=%d", pid)}, enter...)}
}

// inside is the path by which this process reaches a file of the island.
func (i *island) inside(path string) string { return fmt.Sprintf("/proc/%d/root%s", i.pid, path) }

// fill takes all that is left of a file system that has a few megabytes.
func (i *island) fill(dir string) (empty func()) {
	i.t.Helper()
	name := i.inside(filepath.Join(dir, "filler"))
	f, err := os.Create(name)
	if err != nil {
		i.t.Fatal(err)
	}
	defer f.Close()
	err = nil
	for written := 0; err == nil; written += 4096 {
		if written > 16<<20 {
			i.t.Fatal("this is not the small file system")
		}
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		i.t.Fatal(err)
	}
	return func() {
		i.t.Helper()
		if err := os.Remove(name); err != nil {
			i.t.Fatal(err)
		}
	}
}

// What the server says of a database that it cannot write.
const (
	saving     = "positions cannot be saved"
	notSaved   = "positions are not saved, and kept until they can be"
	savedAgain = "positions are saved again"
	failing    = "registrations or logins fail"
)

// healthy waits until /readyz says that all is well, or, with why, what is not.
// /healthz must then say so too.
func healthy(t testing.TB, s *testServer, why string) {
	t.Helper()
	status, ready, live := http.StatusOK, "ready\n", "ok\n"
	if why != "" {
		status, ready, live = http.StatusServiceUnavailable, why+"\n", "ok, but "+why+"\n"
	}
	until(t, "/readyz says "+strings.TrimSpace(ready), func() bool {
		got, body := s.get(t, "/readyz")
		return got == status && body == ready
	})
	if got, body := s.get(t, "/healthz"); got != http.StatusOK || body != live {
		t.Errorf("/healthz: %d %q, want 200 %q", got, body, live)
	}
}

// asksInVain registers names until one is refused, and returns those that were
// granted before, and that one.
func asksInVain(p *peer, stem string, most int) (granted []string, denied string) {
	p.t.Helper()
	for i := range most {
		name := fmt.Sprintf("%s %d", stem, i)
		p.say(`{"a":"Register","p0":%q,"p1":%q}`, name, "pw of "+name)
		switch h := p.must(); {
		case h.action == "Ok":
			granted = append(granted, name)
		case h.action == "Deny" && text(h.p0) == denyInternal:
			return granted, name
		default:
			p.t.Fatalf("Register is answered with %s", h.raw)
		}
	}
	p.t.Fatalf("all %d registrations were granted", most)
	return nil, ""
}

// once wants each message in the log once.
func (p *process) once(messages ...string) {
	p.t.Helper()
	for _, msg := range messages {
		if lines := p.logged(msg); len(lines) != 1 {
			p.t.Errorf("%d lines %q in the log, want 1: %q", len(lines), msg, lines)
		}
	}
}

// TestDiskFull fills the disk under a server with players.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	here := newIsland(t, `mount -t tmpfs -o size=3m,mode=755 tavern "$1"`, dir)
	db := filepath.Join(dir, "tavern.db")
	fast := []string{"-tick", "10ms", "-speed", "700", "-limits", "off"}
	p := startBehind(t, here.wrap, db, unlimited(fast)...)
	s := p.server()
	ann, a := enter(t, s, "ann")
	bob, _ := enter(t, s, "bob")
	newcomer := connect(t, s)
	healthy(t, s, "")

	empty := here.fill(dir)
	granted, denied := asksInVain(newcomer, "newcomer", 1000)
	ann.say(`{"a":"Target","p0":21,"p1":0}`)
	bob.awaitActor(a.ID, point{21, 0})
	healthy(t, s, saving)
	ann.say(`{"a":"Chat","p0":"","p1":"is it full?"}`)
	bob.awaitChat("ann: is it full?")
	ann.say(`{"a":"Target","p0":28,"p1":7}`)
	bob.awaitActor(a.ID, point{28, 7})
	ann.close(websocket.StatusNormalClosure)
	bob.awaitGone(a.ID)
	ann = connect(t, s)
	if at := ann.login("ann").at(); at != (point{28, 7}) { // from memory
		t.Errorf("ann is back at %v", at)
	}
	ann.say(`{"a":"Target","p0":35,"p1":7}`)
	bob.awaitActor(a.ID, point{35, 7})
	until(t, "saving is tried again", func() bool { return s.metric(t, "account_save_errors_total") >= "2" })
	if n := s.metric(t, "account_unsaved_positions"); n != "1" {
		t.Errorf("%s positions are kept, want ann's newest", n)
	}
	p.once(notSaved, failing)

	empty()
	healthy(t, s, "")
	until(t, "the log says so", func() bool { return len(p.logged(savedAgain)) > 0 })
	p.once(notSaved, savedAgain, failing)
	newcomer.register(denied)
	p.signal(syscall.SIGKILL) // what it had to keep is on disk
	p.exit()

	p = startBehind(t, here.wrap, db, unlimited(fast)...)
	s = p.server()
	if at := connect(t, s).login("ann").at(); at != (point{35, 7}) {
		t.Errorf("after the restart ann is at %v", at)
	}
	for _, name := range append(granted[max(0, len(granted)-20):], denied) {
		connect(t, s).login(name)
	}
	sound(t, here.inside(db))

	// Stopped while the disk is full it goes on trying, but not longer than an
	// operator waits, and says what is lost.
	here.fill(dir)
	bob = connect(t, s)
	bob.login("bob")
	asksInVain(connect(t, s), "latecomer", 1000)
	bob.say(`{"a":"Target","p0":2000,"p1":0}`)
	bob.ping()
	begun := time.Now()
	p.signal(syscall.SIGTERM)
	if code := bob.ended(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d, want 1001", code)
	}
	if status, took := p.exit(), time.Since(begun); status != 1 || took > obedience {
		t.Errorf("exit status %d after %v, want 1 within %v", status, took, obedience)
	}
	if lines := p.logged("tavern stopped"); len(lines) != 1 || !strings.Contains(lines[0], "positions to save") {
		t.Errorf("the log ends with %q", lines)
	}
}
