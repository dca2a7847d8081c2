package account

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		childMain(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// cheap is a Config with hashes that cost next to nothing.
func cheap(path string) Config {
	return Config{
		Path: path, HashMemoryKiB: 8, HashTime: 1,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func databasePath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "a 100% world?.db") // a name that needs escaping
}

// open opens a Store that the test closes, at the latest when it ends.
func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

func shut(t testing.TB, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// register waits for the answer.
func register(s *Store, name, password string) error {
	answer := make(chan error, 1)
	if err := s.Register(name, password, 3, func(err error) { answer <- err }); err != nil {
		return err
	}
	return <-answer
}

func mustRegister(t testing.TB, s *Store, name, password string) {
	t.Helper()
	if err := register(s, name, password); err != nil {
		t.Fatalf("register %q: %v", name, err)
	}
}

type loginAnswer struct {
	Account
	err error
}

// login waits for the answer. The account stays claimed.
func login(s *Store, name, password string) (Account, error) {
	answer := make(chan loginAnswer, 1)
	if err := s.Login(name, password, func(a Account, err error) { answer <- loginAnswer{a, err} }); err != nil {
		return Account{}, err
	}
	got := <-answer
	return got.Account, got.err
}

func mustLogin(t testing.TB, s *Store, name, password string) Account {
	t.Helper()
	a, err := login(s, name, password)
	if err != nil {
		t.Fatalf("login %q: %v", name, err)
	}
	return a
}

// eventually waits for what no channel tells.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("never came: %s", what)
		}
	}
}

// internal fails the test unless err is one that players are not told.
func internal(t testing.TB, err error) {
	t.Helper()
	var r *Refusal
	if err == nil || errors.As(err, &r) {
		t.Fatalf("got %v, want an internal error", err)
	}
}

// holdWorkers keeps all workers busy until the returned function is called.
// The requests that do so have then been answered with ErrGone.
func holdWorkers(t testing.TB, s *Store, workers int) (letGo func()) {
	t.Helper()
	hold, answered := make(chan struct{}), make(chan error, workers)
	for range workers {
		begun := make(chan struct{})
		alive := func() bool {
			close(begun)
			<-hold
			return false
		}
		if err := s.LoginWhile(alive, "nobody", "p", func(_ Account, err error) { answered <- err }); err != nil {
			t.Fatal(err)
		}
		<-begun
	}
	return func() {
		t.Helper()
		close(hold)
		for range workers {
			if err := <-answered; err != ErrGone {
				t.Errorf("a client that has gone got %v", err)
			}
		}
	}
}

// holdWriter keeps the writer in a transaction until the returned function is called.
func holdWriter(s *Store) (letGo func()) {
	begun, hold := make(chan struct{}), make(chan struct{})
	s.writer.changes <- change{
		apply:  func(*sql.Tx) (error, error) { close(begun); <-hold; return nil, nil },
		answer: func(error) {},
	}
	<-begun
	return func() { close(hold) }
}
