package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Entry is one line of the audit log: what an operator or moderator did.
type Entry struct {
	ID      int64 // grows; set by the store
	At      time.Time
	By      string // who, for people
	Via     string // page, api, command, chat or server
	Action  string
	Target  string // a name, an address, or nothing
	Details string
}

// Record adds an entry for what needs no other change of the database. It is on
// disk when Record returns nil.
func (s *Store) Record(ctx context.Context, e Entry) error {
	return s.moderate(ctx, e, func(*sql.Tx) error { return nil })
}

// Audit returns at most limit entries older than the one with the ID before,
// the newest first; 0 means from the newest on.
func (s *Store) Audit(ctx context.Context, before int64, limit int) ([]Entry, error) {
	return all(ctx, s.db.read, "the audit log", `SELECT id, at, by, via, action, target, details FROM audit
		WHERE ?1 <= 0 OR id < ?1 ORDER BY id DESC LIMIT ?2`,
		func(row *sql.Rows) (e Entry, err error) {
			var at int64
			err = row.Scan(&e.ID, &at, &e.By, &e.Via, &e.Action, &e.Target, &e.Details)
			e.At = time.Unix(at, 0)
			return e, err
		}, before, limit)
}

// Setting returns what the server keeps about itself under a name, empty when
// there is nothing.
func (s *Store) Setting(ctx context.Context, name string) (value string, err error) {
	err = s.db.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = ?", name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("account: reading a setting: %w", err)
	}
	return value, nil
}

// SetSetting keeps a value under a name.
func (s *Store) SetSetting(ctx context.Context, name, value string, e Entry) error {
	return s.moderate(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
		return err
	})
}

// moderate has the writer apply a change together with its entry in the audit
// log, and waits for the commit. ctx bounds the waiting for a turn; once the
// writer has the change its answer is waited for, so that nobody takes for undone
// what is done. With an error nothing has changed. Not for the loop, nor for a
// function that the writer calls.
func (s *Store) moderate(ctx context.Context, e Entry, apply func(tx *sql.Tx) error) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.workers.Add(1) // finish closes the writer's changes once all are done
	s.mu.Unlock()
	defer s.workers.Done()

	answer := make(chan error, 1)
	c := change{
		apply: func(tx *sql.Tx) (refusal, err error) {
			return alone(tx, func() error {
				if err := apply(tx); err != nil {
					return err
				}
				_, err := tx.Exec("INSERT INTO audit (at, by, via, action, target, details) VALUES (?, ?, ?, ?, ?, ?)",
					e.At.Unix(), e.By, e.Via, e.Action, e.Target, e.Details)
				return err
			})
		},
		answer: func(err error) { answer <- err },
	}
	select {
	case s.writer.changes <- c:
		return <-answer
	case <-ctx.Done():
		return fmt.Errorf("account: writing: %w", ctx.Err())
	}
}

// alone does work of which nothing stays when it fails, while what others did in
// the transaction does. err means that not even that could be had.
func alone(tx *sql.Tx, work func() error) (failure, err error) {
	if _, err := tx.Exec("SAVEPOINT alone"); err != nil {
		return nil, err
	}
	if failure = work(); failure != nil {
		failure = fmt.Errorf("account: writing: %w", failure)
		if _, err := tx.Exec("ROLLBACK TO alone"); err != nil {
			return nil, errors.Join(failure, err)
		}
	}
	_, err = tx.Exec("RELEASE alone")
	return failure, err
}
