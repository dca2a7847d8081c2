package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"tavern/game/account/argon2id"
)

// Store is an open database of accounts with its workers and its writer.
type Store struct {
	db         database
	byKey      *sql.Stmt // on db.read
	placeOf    *sql.Stmt // on db.read
	log        *slog.Logger
	nobody     hash          // what unknown names are measured against
	iterations atomic.Uint32 // what failed logins are charged besides; see django_password.go
	claims     claims
	positions  *positions
	writer     *writer // owns db.write
	counters   counters
	troubles   troubles

	mu     sync.Mutex // guards closed, and with it sending on queue
	closed bool
	queue  chan request

	workers     sync.WaitGroup
	abandon     chan struct{} // closed when Close may wait no longer
	abandonOnce sync.Once
	done        chan struct{} // closed when everything has ended
	closeErr    error         // set before done is closed
}

// Open opens the database, makes it if there is none, and starts the workers
// and the writer. ctx bounds the opening only. The errors of a file that cannot
// be used wrap ErrNotDatabase, ErrForeign, ErrNewer, ErrCorrupt, ErrReadOnly
// or ErrLocked.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	db, err := openDatabase(ctx, cfg.Path, cfg.Workers, cfg.Logger)
	if err != nil {
		return nil, err
	}
	s := &Store{
		db:        db,
		log:       cfg.Logger,
		nobody:    nobody(cfg.cost()),
		claims:    claims{ids: map[int64]struct{}{}},
		positions: newPositions(),
		queue:     make(chan request, cfg.Queue),
		abandon:   make(chan struct{}),
		done:      make(chan struct{}),
	}
	s.troubles = newTroubles(cfg.Logger, &s.counters)
	if err := s.start(ctx, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("account: %w", err), db.close())
	}
	return s, nil
}

// start prepares statements and threads, then starts the goroutines: when it
// fails none runs.
func (s *Store) start(ctx context.Context, cfg Config) (err error) {
	if s.byKey, err = s.db.read.PrepareContext(ctx, "SELECT id, name, password, avatar, role FROM accounts WHERE name_key = ?"); err != nil {
		return err
	}
	if s.placeOf, err = s.db.read.PrepareContext(ctx, "SELECT x, y FROM accounts WHERE id = ?"); err != nil {
		return err
	}
	var iterations uint32
	if err = s.db.read.QueryRowContext(ctx, mostDjangoIterations, mostIterations).Scan(&iterations); err != nil {
		return err
	}
	s.iterations.Store(iterations)
	if s.writer, err = newWriter(ctx, s, cfg.SaveEvery); err != nil {
		return err
	}
	threads := make([]*argon2id.Thread, cfg.Workers)
	for i := range threads {
		if threads[i], err = argon2id.Start(); err != nil {
			for _, started := range threads[:i] {
				started.Stop()
			}
			return err
		}
	}
	go s.writer.run()
	for _, thread := range threads {
		w := &worker{s, hasher{thread, cfg.cost(), cfg.observeHash()}}
		s.workers.Go(w.run)
	}
	return nil
}

// Save takes the position as the account's newest and returns at once. It is
// on disk within Config.SaveEvery, or after Flush or Close. While the database
// cannot be written the newest position of each account is kept and tried
// again. A position that is not finite is dropped and counted. Positions
// saved after Close are lost.
func (s *Store) Save(id int64, x, y float64) { s.positions.set(id, position{x, y}) }

// Flush waits until every position saved before the call is on disk, or
// returns why it is not. Then it is still kept and tried again.
func (s *Store) Flush(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case s.writer.flushes <- answer:
	case <-s.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close refuses new requests, answers those that wait, writes all positions,
// folds the write-ahead log into the file and closes it. When ctx is done
// before that, requests that still wait are answered with ErrClosed, writing is
// not tried again, and the error says what is lost; what is under way then
// ends by itself. ctx should have a deadline: while the database cannot be
// written, Close goes on trying.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.queue)
		go s.finish()
	}
	s.mu.Unlock()
	select {
	case <-s.done:
		return s.closeErr
	case <-ctx.Done():
		s.abandonOnce.Do(func() { close(s.abandon) })
		return fmt.Errorf("account: closing was cut short with %d positions to save: %w", s.positions.backlog(), ctx.Err())
	}
}

// finish takes down what start has started, in the order of the work's flow.
func (s *Store) finish() {
	// Positions need not wait until the last password is hashed: should Close
	// be cut short, they are what must not be lost.
	s.writer.flushes <- make(chan error, 1)
	s.workers.Wait()
	close(s.writer.changes)
	<-s.writer.ended
	s.closeErr = s.writer.lost
	if err := s.db.close(); err != nil {
		s.closeErr = errors.Join(s.closeErr, fmt.Errorf("account: closing: %w", err))
	}
	close(s.done)
}

func (s *Store) abandoned() bool {
	select {
	case <-s.abandon:
		return true
	default:
		return false
	}
}

// answer calls a function of our caller. Its panic must not end the worker or
// the writer, which others wait for.
func (s *Store) answer(done func()) {
	var err error // logged; nobody is left to hear it
	defer s.troubles.survive("an answer", &err)
	done()
}
