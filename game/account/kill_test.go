package account

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// childVariable makes the test binary the server that TestKill kills: it
// names the database.
const (
	childVariable = "ACCOUNT_TEST_DATABASE"
	childRound    = "ACCOUNT_TEST_ROUND"
)

// childMain registers accounts and moves them, each of several goroutines its
// own, and prints a line for whatever has been acknowledged, until it is killed.
func childMain(path string) {
	cfg := cheap(path)
	cfg.SaveEvery = 3 * time.Millisecond
	s, err := Open(context.Background(), cfg)
	if err != nil {
		slog.Error("child", "error", err)
		os.Exit(1)
	}
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Fprintf(os.Stdout, format+"\n", args...) // unbuffered: one write
	}
	for g := range 4 {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("r%s-%d-%d", os.Getenv(childRound), g, n)
				if err := register(s, name, "secret of "+name); err != nil {
					say("failed %s: %v", name, err)
					continue
				}
				say("registered %s", name)
				a, err := login(s, name, "secret of "+name)
				if err != nil {
					say("failed %s: %v", name, err)
					continue
				}
				for step := 1; step <= 20; step++ {
					s.Save(a.ID, float64(step), -float64(step))
					if step%7 == 0 {
						if err := s.Flush(context.Background()); err != nil {
							say("failed %s: %v", name, err)
						}
						say("saved %s %d", name, step)
					}
				}
				s.Release(a.ID)
			}
		}()
	}
	select {}
}

// TestKill kills a server with SIGKILL at random moments. What it had
// acknowledged must be there afterwards.
func TestKill(t *testing.T) {
	path := databasePath(t)
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	saved := map[string]int{} // of every account acknowledged, the step
	for round := range rounds {
		before := len(saved)
		killChild(t, path, round, saved)
		if len(saved) == before {
			t.Errorf("round %d: nothing was acknowledged", round)
		}

		s := open(t, cheap(path))
		for name, step := range saved {
			a, err := login(s, name, "secret of "+name)
			if err != nil {
				t.Errorf("round %d: %s was registered and cannot log in: %v", round, name, err)
				continue
			}
			if a.X < float64(step) || a.X > 20 || a.Y != -a.X {
				t.Errorf("round %d: %s had saved step %d and is at (%v, %v)", round, name, step, a.X, a.Y)
			}
		}
		shut(t, s)
	}
	t.Logf("%d accounts acknowledged in %d rounds", len(saved), rounds)
}

// killChild runs one child up to its death and notes what it acknowledged.
func killChild(t *testing.T, path string, round int, saved map[string]int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+path, fmt.Sprintf("%s=%d", childRound, round))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// Its first line starts the clock, so that every round has something to lose.
	var killed *time.Timer
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break // a line cut off was not acknowledged
		}
		if killed == nil {
			killed = time.AfterFunc(rand.N(200*time.Millisecond), func() { child.Process.Kill() })
			defer killed.Stop()
		}
		switch words := strings.Fields(line); words[0] {
		case "registered":
			saved[words[1]] = 0
		case "saved":
			step, err := strconv.Atoi(words[2])
			if err != nil {
				t.Errorf("the child says %q: %v", line, err)
			}
			saved[words[1]] = step
		default:
			t.Errorf("the child says %q", line)
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
}
