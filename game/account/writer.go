package account

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// mostChanges is how many changes may share a transaction, and how many
	// may wait for the next one.
	mostChanges = 256

	// maxSaveDelay is the longest pause between attempts to save positions
	// while the database cannot be written.
	maxSaveDelay = 15 * time.Second
)

// change is one row's work in a transaction that it shares with others.
type change struct {
	// apply works within the transaction. A refusal concerns this change only
	// and has changed nothing; an error fails all.
	apply func(tx *sql.Tx) (refusal, err error)
	// answer is called when the transaction has been committed, or has failed.
	answer func(error)
}

// writer is the goroutine that owns the write connection. What waits while it
// commits shares its next transaction.
type writer struct {
	*Store
	saveEvery time.Duration

	insert, rehash, move *sql.Stmt // on db.write

	changes chan change     // closed when no more will come
	flushes chan chan error // each a wish to save now, and where to answer

	failure atomic.Pointer[error] // why the last attempt to save failed, nil if it did not
	delay   time.Duration         // until the next attempt while saving fails
	ended   chan struct{}
	lost    error // why positions were not saved at the end; set before ended is closed
}

func newWriter(ctx context.Context, s *Store, saveEvery time.Duration) (*writer, error) {
	w := &writer{
		Store:     s,
		saveEvery: saveEvery,
		changes:   make(chan change, mostChanges),
		flushes:   make(chan chan error),
		ended:     make(chan struct{}),
	}
	for query, statement := range map[string]**sql.Stmt{
		"INSERT INTO accounts (name, name_key, password, avatar) VALUES (?, ?, ?, ?) ON CONFLICT (name_key) DO NOTHING": &w.insert,
		"UPDATE accounts SET password = ? WHERE id = ? AND password = ?":                                                &w.rehash,
		"UPDATE accounts SET x = ?, y = ? WHERE id = ?":                                                                 &w.move,
	} {
		var err error
		if *statement, err = w.db.write.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *writer) run() {
	defer close(w.ended)
	next := time.NewTimer(0)
	next.Stop()
	for {
		select {
		case c, open := <-w.changes:
			if !open {
				w.lost = w.finish()
				return
			}
			w.commit(w.gather(c))
			continue // positions have a timer of their own
		case <-w.positions.wake:
			if w.delay == 0 { // else the timer runs
				next.Reset(w.saveEvery)
			}
			continue
		case answer := <-w.flushes:
			answer <- w.save()
		case <-next.C:
			_ = w.save() // failure keeps why
		}
		if w.delay > 0 {
			next.Reset(w.delay)
		}
	}
}

// gather takes what else waits, without waiting for more.
func (w *writer) gather(first change) []change {
	batch := []change{first}
	for len(batch) < mostChanges {
		select {
		case c, open := <-w.changes:
			if !open {
				return batch // run will see it too
			}
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// commit applies the changes in one transaction and answers each.
func (w *writer) commit(batch []change) {
	refusals := make([]error, len(batch))
	err := error(ErrClosed)
	if !w.abandoned() {
		err = w.transact(func(tx *sql.Tx) error {
			for i, c := range batch {
				var err error
				if refusals[i], err = c.apply(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			w.counters.commits.Add(1)
		} else {
			err = w.troubles.note(fmt.Errorf("account: writing: %w", err))
		}
	}
	for i, c := range batch {
		outcome := err
		if err == nil {
			outcome = refusals[i]
		}
		w.answer(func() { c.answer(outcome) })
	}
}

// save writes the positions that wait, in one transaction.
func (w *writer) save() error {
	batch := w.positions.take()
	if len(batch) == 0 {
		w.positions.written()
		return nil
	}
	err := w.transact(func(tx *sql.Tx) error {
		move := tx.Stmt(w.move)
		for id, at := range batch {
			if _, err := move.Exec(at.x, at.y, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.positions.putBack()
		w.failed(fmt.Errorf("account: saving %d positions: %w", len(batch), err))
		return *w.failure.Load()
	}
	// Who sees nothing left to save finds the figures settled.
	w.counters.saved.Add(uint64(len(batch)))
	recovered := w.failure.Swap(nil) != nil
	w.delay = 0
	w.positions.written()
	if recovered {
		w.log.Info("positions are saved again", "positions", len(batch))
	}
	return nil
}

// failed notes why positions cannot be saved. The log hears of the first
// failure only, not of every attempt.
func (w *writer) failed(err error) {
	w.counters.saveErrors.Add(1)
	if w.failure.Swap(&err) == nil {
		w.log.Error("positions are not saved, and kept until they can be", "error", err)
	}
	w.delay = min(max(2*w.delay, w.saveEvery), maxSaveDelay)
}

// finish saves what is left, and the last time it does not give up unless it must.
func (w *writer) finish() error {
	for {
		err := w.save()
		if err == nil {
			break
		}
		again := time.NewTimer(w.delay)
		select {
		case <-again.C:
		case answer := <-w.flushes:
			again.Stop()
			answer <- err
		case <-w.abandon:
			again.Stop()
			return err
		}
	}
	if _, err := w.db.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		// All is on disk, in the log that the next start reads.
		w.log.Warn("the write-ahead log was not folded into the database", "error", err)
	}
	return nil
}

func (w *writer) transact(work func(*sql.Tx) error) error {
	tx, err := w.db.write.Begin()
	if err != nil {
		return err
	}
	if err := w.attempt(tx, work); err != nil {
		_ = tx.Rollback() // SQLite may have done so by itself
		return err
	}
	return tx.Commit()
}

// attempt is work(tx), where a panic is an error like others.
func (w *writer) attempt(tx *sql.Tx, work func(*sql.Tx) error) (err error) {
	defer w.troubles.survive("a transaction", &err)
	return work(tx)
}

// registration is the change that makes an account.
func (w *writer) registration(name, key, password string, avatar uint8, done func(error)) change {
	return change{
		apply: func(tx *sql.Tx) (refusal, err error) {
			result, err := tx.Stmt(w.insert).Exec(name, key, password, avatar)
			if err != nil {
				return nil, err
			}
			if rows, err := result.RowsAffected(); err != nil || rows == 0 {
				return ErrTaken, err
			}
			return nil, nil
		},
		answer: func(err error) {
			if err == nil {
				w.counters.registered.Add(1)
			}
			done(err)
		},
	}
}

// upgrade is the change that replaces a password hash, unless it has changed meanwhile.
func (w *writer) upgrade(id int64, old, made string) change {
	return change{
		apply: func(tx *sql.Tx) (refusal, err error) {
			_, err = tx.Stmt(w.rehash).Exec(made, id, old)
			return nil, err
		},
		answer: func(err error) {
			if err != nil {
				w.log.Warn("a password hash was not replaced", "account", id, "error", err)
				return
			}
			w.counters.rehashed.Add(1)
		},
	}
}
