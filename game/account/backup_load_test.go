package account

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// loaded is a server in another process that registers and saves as fast as it
// can (see childMain), and what it has acknowledged so far.
type loaded struct {
	command *exec.Cmd
	ended   chan struct{}

	mu    sync.Mutex
	more  *sync.Cond
	saved map[string]int // of every account acknowledged, the step
}

func startLoaded(t testing.TB, path string) *loaded {
	t.Helper()
	l := &loaded{command: exec.CommandContext(t.Context(), os.Args[0]), ended: make(chan struct{}), saved: map[string]int{}}
	l.more = sync.NewCond(&l.mu)
	l.command.Env = append(os.Environ(), childVariable+"="+path, childRound+"=load")
	l.command.Stderr = os.Stderr
	out, err := l.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(l.ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			l.mu.Lock()
			switch {
			case len(words) == 2 && words[0] == "registered":
				l.saved[words[1]] = 0
			case len(words) == 3 && words[0] == "saved":
				if step, err := strconv.Atoi(words[2]); err == nil { // else the line was cut off
					l.saved[words[1]] = step
				}
			case words[0] == "failed":
				t.Errorf("the server under load says %q", lines.Text())
			}
			l.more.Broadcast()
			l.mu.Unlock()
		}
	}()
	t.Cleanup(func() { l.kill() })
	return l
}

// kill is SIGKILL. It returns when everything acknowledged has been read.
func (l *loaded) kill() {
	_ = l.command.Process.Kill()
	<-l.ended
	_ = l.command.Wait()
}

// acknowledged waits until so many accounts are, and copies what is then.
func (l *loaded) acknowledged(least int) map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.saved) < least {
		l.more.Wait()
	}
	return maps.Clone(l.saved)
}

// holds fails the test unless everybody acknowledged can log in to the database
// and stands where it was acknowledged, or farther.
func holds(t *testing.T, path string, acknowledged map[string]int) {
	t.Helper()
	s := open(t, cheap(path))
	defer shut(t, s)
	for name, step := range acknowledged {
		a, err := login(s, name, "secret of "+name)
		if err != nil {
			t.Errorf("%s was registered and cannot log in: %v", name, err)
			continue
		}
		if a.X < float64(step) || a.X > 20 || a.Y != -a.X {
			t.Errorf("%s had saved step %d and is at (%v, %v)", name, step, a.X, a.Y)
		}
	}
}

// TestRestoreUnderLoad takes backups of a server that does not stop writing.
// Each, restored elsewhere, has all that was acknowledged before it began. Over
// the server's own database nothing is restored until the server is gone; and
// then what the server was killed with is kept.
func TestRestoreUnderLoad(t *testing.T) {
	path := databasePath(t)
	server := startLoaded(t, path)
	var backup string
	var before map[string]int
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		before = server.acknowledged(30 * (round + 1))
		backup = filepath.Join(t.TempDir(), fmt.Sprint("backup ", round))
		about := mustBackup(t, path, backup)
		if about.Accounts < len(before) {
			t.Errorf("round %d: %d accounts in the backup, %d were acknowledged", round, about.Accounts, len(before))
		}
		if _, err := Restore(t.Context(), backup, path, nil); !errors.Is(err, ErrInUse) {
			t.Fatalf("round %d: restored over the server's database: %v", round, err)
		}
		elsewhere := filepath.Join(t.TempDir(), "elsewhere.db")
		if got := mustRestore(t, backup, elsewhere); got.Accounts != about.Accounts {
			t.Errorf("round %d: %d accounts restored of %d", round, got.Accounts, about.Accounts)
		}
		holds(t, elsewhere, before)
	}
	server.acknowledged(30*rounds + 30) // it goes on
	if got := folder(t, path); len(got) != 3 {
		t.Errorf("beside the database: %v", names(got))
	}
	server.kill()
	atTheEnd := server.acknowledged(0)

	restored := mustRestore(t, backup, path)
	holds(t, path, before)
	holds(t, restored.Kept, atTheEnd)
	t.Logf("%d accounts acknowledged, %d of them before the last backup", len(atTheEnd), len(before))
}

// A store of the same process counts as a server too.
func TestRestoreOverAnOpenStore(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	mustRegister(t, s, "alice", "a")
	backup := filepath.Join(t.TempDir(), "backup")
	mustBackup(t, path, backup)
	if _, err := Restore(t.Context(), backup, path, nil); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v", err)
	}
	mustRegister(t, s, "bob", "b") // as if nothing had been tried
	shut(t, s)
	mustRestore(t, backup, path)
	mustLogin(t, open(t, cheap(path)), "alice", "a")
}
