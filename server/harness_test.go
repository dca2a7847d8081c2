package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// TestMain runs the tests and fails when one leaves a goroutine behind.
func TestMain(m *testing.M) {
	if path := os.Getenv(lockVariable); path != "" {
		lockMain(path)
		return
	}
	// Most tests wait for ticks, most of the time. Unless the command line says
	// otherwise.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if program.dir != "" {
			_ = os.RemoveAll(program.dir)
		}
		os.Exit(code)
	}))
}

// testServer is the whole server, on a port of its own.
type testServer struct {
	addr string // host:port
	db   string // its database file
	stop func() // shuts down and waits until run has returned, once

	ended func() error // waits until run has returned, with what it did
}

// startServer runs the server with args, on a free port, with a database in a
// folder of its own and passwords that cost next to nothing, and stops it when
// the test ends. A log line of an error, which is also what a panic of the
// packet handler leaves, fails the test.
func startServer(t testing.TB, args ...string) *testServer {
	t.Helper()
	s := startRigged(t, func(cfg *config) { cfg.logger = slog.New(complaints{t}) }, args...)
	stop := s.stop
	s.stop = func() {
		stop()
		if err := s.ended(); err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	}
	t.Cleanup(s.stop)
	return s
}

// startRigged is startServer for one that is changed before it starts, and that
// may log errors and end with one.
func startRigged(t testing.TB, change func(*config), args ...string) *testServer {
	t.Helper()
	all := append([]string{
		"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "tavern.db"),
		"-hash-memory", "8", "-hash-time", "1", "-admin", "",
		// Tests come from one address, and all at once.
		"-handshake-rate", "0", "-registrations-per-hour", "0", "-requests-per-ip", "0", "-login-tries", "0", "-target-rate", "0",
	}, args...) // of a flag that comes twice the last one counts
	cfg, err := parseConfig(all, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	change(cfg)
	listening := make(chan string, 1)
	cfg.listening = func(addr string) { listening <- addr }

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx, cfg) }()
	s := &testServer{db: cfg.db, ended: sync.OnceValue(func() error { return <-done })}
	select {
	case s.addr = <-listening:
	case err := <-done:
		cancel()
		t.Fatalf("the server ended before it listened: %v", err)
	}
	s.stop = sync.OnceFunc(func() {
		cancel()
		_ = s.ended()
	})
	t.Cleanup(s.stop)
	return s
}

// complaints is a log handler that fails the test for every error.
type complaints struct{ t testing.TB }

func (c complaints) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (c complaints) Handle(_ context.Context, r slog.Record) error {
	var line bytes.Buffer
	err := slog.NewTextHandler(&line, nil).Handle(context.Background(), r)
	c.t.Errorf("the server logs: %s", line.String())
	return err
}

func (c complaints) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c complaints) WithGroup(string) slog.Handler      { return c }

// get fetches a page of the server.
func (s *testServer) get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	resp, err := webClient.Get("http://" + s.addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// webClient keeps no connection open: that would be a leftover goroutine.
var webClient = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// metric reads one series without labels from the metrics page.
func (s *testServer) metric(t testing.TB, name string) string {
	t.Helper()
	_, page := s.get(t, "/metrics")
	for line := range strings.Lines(page) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("no metric %s", name)
	return ""
}

// counted fails the test unless a series has a value.
func (s *testServer) counted(t testing.TB, series, want string) {
	t.Helper()
	if got := s.metric(t, series); got != want {
		t.Errorf("%s is %s, want %s", series, got, want)
	}
}

// until waits for a condition that no event announces.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-tick.C
	}
}

// program is the server as an operator gets it, built once for all tests, with
// the race detector when they run under it.
var program struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// buildServer returns the path of the server's program.
func buildServer(t testing.TB) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "tavern-test-"); program.err != nil {
			return
		}
		program.path = filepath.Join(program.dir, "server")
		args := []string{"build", "-o", program.path}
		if raceEnabled {
			args = append(args, "-race")
		}
		out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
		if err != nil {
			program.err = errors.New("go build: " + err.Error() + "\n" + string(out))
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

// programCommand is a command line of the program.
func programCommand(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(buildServer(t), args...)
}
