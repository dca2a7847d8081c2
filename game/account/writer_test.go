package account

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRegistrationsShareATransaction(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	mustRegister(t, s, "early", "secret")
	letGo := holdWriter(s)

	const players = 100
	answers := make(chan error, players+2)
	answer := func(err error) { answers <- err }
	for i := range players {
		if err := s.Register(fmt.Sprint("player ", i), "secret", 0, answer); err != nil {
			t.Fatal(err)
		}
	}
	// Both are seen to be taken only by the writer: one by a row before it, one by
	// an account of the same transaction. Their neighbours must not suffer.
	s.writer.changes <- s.writer.registration("Early", "early", referenceHash, 0, answer)
	s.writer.changes <- s.writer.registration("twin", "twin", referenceHash, 0, func(error) {})
	s.writer.changes <- s.writer.registration("Twin", "twin", referenceHash, 0, answer)
	eventually(t, "all changes in the writer's queue", func() bool { return len(s.writer.changes) == players+3 })
	before := s.Stats()
	if len(answers) != 0 {
		t.Errorf("%d registrations were answered before their commit", len(answers))
	}
	letGo()
	taken := 0
	for range cap(answers) {
		switch err := <-answers; err {
		case nil:
		case ErrTaken:
			taken++
		default:
			t.Error(err)
		}
	}
	if taken != 2 {
		t.Errorf("%d were taken, want 2", taken)
	}
	after := s.Stats()
	if got := after.Commits - before.Commits; got != 2 { // the held one, and one for all
		t.Errorf("%d commits, want 2", got)
	}
	if got := after.Registered - before.Registered; got != players+1 {
		t.Errorf("%d registered, want %d", got, players+1)
	}
}

func TestAnsweredMeansOnDisk(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	other := raw(t, path)
	for i := range 20 {
		name := fmt.Sprint("player ", i)
		seen := make(chan error, 1)
		err := s.Register(name, "secret", 0, func(err error) {
			var id int
			seen <- errors.Join(err, other.QueryRow("SELECT id FROM accounts WHERE name = ?", name).Scan(&id))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-seen; err != nil {
			t.Errorf("%s: another connection does not see it: %v", name, err)
		}
	}
}

func TestSavedPositions(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path)) // saves once a second: only Flush and Close write here
	mustRegister(t, s, "alice", "secret")
	mustRegister(t, s, "bob", "secret")
	at := func(s *Store, name string, x, y float64) {
		t.Helper()
		a := mustLogin(t, s, name, "secret")
		if a.X != x || a.Y != y {
			t.Errorf("%s is at (%v, %v), want (%v, %v)", name, a.X, a.Y, x, y)
		}
		s.Release(a.ID)
	}
	at(s, "alice", 0, 0)
	s.Save(1, 1, 2)
	at(s, "alice", 1, 2)
	s.Save(1, 3.25, -4.125)
	s.Save(2, math.MaxFloat64, -math.SmallestNonzeroFloat64)
	s.Save(77, 1, 1) // nobody
	at(s, "alice", 3.25, -4.125)
	if got := s.Stats(); got.Unsaved != 3 || got.Saved != 0 {
		t.Errorf("before the flush: %+v", got)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Stats(); got.Unsaved != 0 || got.Saved != 3 {
		t.Errorf("after the flush: %+v", got)
	}
	at(s, "alice", 3.25, -4.125)
	s.Save(1, 5, 6)
	shut(t, s)

	s = open(t, cheap(path))
	at(s, "alice", 5, 6)
	at(s, "bob", math.MaxFloat64, -math.SmallestNonzeroFloat64)
}

func TestPositionsThatAreNoPlace(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	mustRegister(t, s, "alice", "secret")
	s.Save(1, 1, 2)
	for _, p := range []position{{math.NaN(), 0}, {0, math.NaN()}, {math.Inf(1), 0}, {0, math.Inf(-1)}} {
		s.Save(1, p.x, p.y)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if x, y, err := s.place(1); x != 1 || y != 2 || err != nil {
		t.Errorf("got %v, %v, %v", x, y, err)
	}
	if got := s.Stats(); got.NotFinite != 4 || got.Saved != 1 {
		t.Errorf("%+v", got)
	}
}

func TestPositionsAreSavedByTheClock(t *testing.T) {
	cfg := cheap(databasePath(t))
	cfg.SaveEvery = time.Millisecond
	s := open(t, cfg)
	mustRegister(t, s, "alice", "secret")
	for step := range 5 {
		s.Save(1, float64(step), 0)
		eventually(t, "the save", func() bool { return s.Stats().Saved == uint64(step+1) })
	}
}

// A player who leaves and comes back at once stands where it left, wherever
// the writer is meanwhile with the old position.
func TestLoginSeesTheNewestPosition(t *testing.T) {
	cfg := cheap(databasePath(t))
	cfg.SaveEvery = time.Microsecond
	s := open(t, cfg)
	var players sync.WaitGroup
	for p := range 4 {
		name := fmt.Sprint("player ", p)
		mustRegister(t, s, name, "secret")
		players.Go(func() {
			var at float64
			for step := range 150 {
				a, err := login(s, name, "secret")
				if err != nil || a.X != at || a.Y != -at {
					t.Errorf("%s: login %d at (%v, %v), %v; want (%v, %v)", name, step, a.X, a.Y, err, at, -at)
					return
				}
				for range step % 5 {
					at++
					s.Save(a.ID, at, -at)
				}
				s.Release(a.ID)
			}
		})
	}
	players.Wait()
}

// The newest wins although the writer has taken an older one and fails with it.
func TestPositionsKeepTheNewest(t *testing.T) {
	p := newPositions()
	check := func(id int64, want position, found bool) {
		t.Helper()
		if got, ok := p.get(id); got != want || ok != found {
			t.Errorf("account %d: got %v, %v; want %v, %v", id, got, ok, want, found)
		}
	}
	p.set(1, position{1, 1})
	p.set(2, position{2, 2})
	if got := len(p.take()); got != 2 {
		t.Errorf("took %d", got)
	}
	check(1, position{1, 1}, true)
	p.set(1, position{3, 3})
	p.set(4, position{4, 4})
	check(1, position{3, 3}, true)
	p.putBack()
	check(1, position{3, 3}, true)
	check(2, position{2, 2}, true)
	if got := p.backlog(); got != 3 {
		t.Errorf("backlog %d, want 3", got)
	}
	if got := p.take(); len(got) != 3 || got[1] != (position{3, 3}) {
		t.Errorf("took %v", got)
	}
	p.set(2, position{5, 5})
	p.written()
	check(1, position{}, false)
	check(2, position{5, 5}, true)
}

// lock takes the file's write lock for another program until it is called off.
func lock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	db := raw(t, path)
	execute(t, db, "BEGIN IMMEDIATE")
	return func() {
		t.Helper()
		execute(t, db, "ROLLBACK")
	}
}

func TestLockedByAnotherProgram(t *testing.T) {
	path := databasePath(t)
	cfg := cheap(path)
	var log logBuffer
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	cfg.SaveEvery = time.Millisecond
	s := open(t, cfg)
	execute(t, s.db.write, "PRAGMA busy_timeout = 20") // we need not see it wait five seconds
	mustRegister(t, s, "alice", "secret")

	unlock := lock(t, path)
	s.Save(1, 1, 1)
	if err := s.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("flush: %v", err)
	}
	s.Save(1, 2, 2)
	internal(t, register(s, "bob", "secret"))
	eventually(t, "more attempts", func() bool { return s.Stats().SaveErrors >= 4 })
	if s.SaverError() == nil || s.Stats().Unsaved != 1 {
		t.Errorf("saver error %v, %+v", s.SaverError(), s.Stats())
	}
	if a := mustLogin(t, s, "alice", "secret"); a.X != 2 {
		t.Errorf("login meanwhile at %v, want 2", a.X)
	}
	unlock()

	eventually(t, "the save", func() bool { return s.Stats().Unsaved == 0 })
	if err := s.SaverError(); err != nil {
		t.Errorf("saver error afterwards: %v", err)
	}
	mustRegister(t, s, "bob", "secret")
	s.Release(1)
	if a := mustLogin(t, s, "alice", "secret"); a.X != 2 {
		t.Errorf("login afterwards at %v, want 2", a.X)
	}
	if got := log.count("positions are not saved"); got != 1 {
		t.Errorf("%d log lines about the failure, want 1:\n%s", got, log.String())
	}
	eventually(t, "the all-clear in the log", func() bool { return log.count("positions are saved again") == 1 })
}

// A lock that lasts less than busy_timeout is waited for.
func TestLockedForAMoment(t *testing.T) {
	path := databasePath(t)
	s := open(t, cheap(path))
	unlock := lock(t, path)
	answer := make(chan error, 1)
	if err := s.Register("alice", "secret", 0, func(err error) { answer <- err }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the writer at the lock", func() bool { return s.db.write.Stats().InUse == 1 })
	unlock()
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

// Another program that writes does not keep the server from starting.
func TestOpenWhileLocked(t *testing.T) {
	path := databasePath(t)
	shut(t, open(t, cheap(path)))
	unlock := lock(t, path)
	s := open(t, cheap(path))
	unlock()
	mustRegister(t, s, "alice", "secret")
}

func TestCloseWhileLocked(t *testing.T) {
	path := databasePath(t)
	cfg := cheap(path)
	cfg.SaveEvery = time.Millisecond
	s, err := Open(t.Context(), cfg) // its Close fails, so not open
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s.db.write, "PRAGMA busy_timeout = 20")
	mustRegister(t, s, "alice", "secret")
	unlock := lock(t, path)
	s.Save(1, 1, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 positions to save") {
		t.Errorf("Close: %v", err)
	}
	<-s.done // it ends by itself, without another attempt to wait for
	if err := s.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("second Close: %v", err)
	}
	unlock()
	s = open(t, cfg)
	mustLogin(t, s, "alice", "secret")
}

func TestDiskFull(t *testing.T) {
	path := databasePath(t)
	filled(t, path, 1000)
	cfg := cheap(path)
	cfg.SaveEvery = time.Millisecond
	s := open(t, cfg)
	limit := func(pages string) {
		t.Helper()
		var got int
		if err := s.db.write.QueryRow("PRAGMA max_page_count = " + pages).Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // SQLite takes it for the present size
	// A position other than 0 takes more room, so that pages must be split.
	for id := range int64(1000) {
		s.Save(id+1, 1.5, 2.5)
	}
	if err := s.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("flush: %v", err)
	}
	var refused atomic.Int64
	for i := range 200 { // until the free room of the last page is used up
		if err := register(s, fmt.Sprint("newcomer ", i), strings.Repeat("x", 200)); err != nil {
			internal(t, err)
			refused.Add(1)
		}
	}
	if refused.Load() == 0 {
		t.Error("all registered on a full disk")
	}
	if err := s.SaverError(); err == nil || s.Stats().Unsaved != 1000 {
		t.Errorf("saver error %v, %+v", err, s.Stats())
	}
	if x, _, err := s.place(500); x != 1.5 || err != nil {
		t.Errorf("position of account 500: %v, %v", x, err)
	}

	limit("1000000")
	eventually(t, "the save", func() bool { return s.Stats().Unsaved == 0 })
	mustRegister(t, s, "after all", "secret")
	shut(t, s)
	db := raw(t, path)
	var moved int
	if err := db.QueryRow("SELECT count(*) FROM accounts WHERE x = 1.5 AND y = 2.5").Scan(&moved); err != nil || moved != 1000 {
		t.Errorf("%d positions on disk, %v; want 1000", moved, err)
	}
}

// The whole transaction fails if one change cannot be applied, and nobody of
// it is told that all is well.
func TestFailedCommitIsNobodysOk(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	letGo := holdWriter(s)
	answers := make(chan error, 3)
	answer := func(err error) { answers <- err }
	failure := errors.New("the disk is on fire")
	s.writer.changes <- s.writer.registration("alice", "alice", referenceHash, 0, answer)
	s.writer.changes <- change{func(*sql.Tx) (error, error) { return nil, failure }, answer}
	s.writer.changes <- s.writer.registration("bob", "bob", referenceHash, 0, answer)
	letGo()
	for range 3 {
		err := <-answers
		internal(t, err)
		if !errors.Is(err, failure) {
			t.Errorf("got %v", err)
		}
	}
	if _, _, err := s.find("alice"); err != sql.ErrNoRows {
		t.Errorf("alice: %v", err)
	}
	mustRegister(t, s, "alice", "secret")
}

func TestFlushGivesUpWithItsContext(t *testing.T) {
	s := open(t, cheap(databasePath(t)))
	letGo := holdWriter(s)
	defer letGo()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Flush(ctx); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

// logBuffer may be written and read at once.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) count(text string) int { return strings.Count(l.String(), text) }
