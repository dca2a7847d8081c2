package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"tavern/game/account/argon2id"
)

// DjangoImport says what ImportDjango shall do.
type DjangoImport struct {
	// From is the SQLite file of a server of the "Godot Python MMO" tutorial,
	// of any lesson from the second on. It is only read.
	From string

	// To is where the accounts go; the database is made when there is none.
	// Workers and the cost of a hash are used for passwords in plain text.
	To Config

	// MostAvatar is the highest avatar there is here; others become 0.
	MostAvatar uint8

	// DryRun reports what an import would do, and does nothing.
	DryRun bool

	// Progress, if set, hears how many of the passwords in plain text are
	// hashed. It is called by several goroutines, one at a time.
	Progress func(done, total int)
}

// DjangoReport is what an import has done: Users = Imported + Skipped + Present.
type DjangoReport struct {
	Found    string        `json:"found"`    // the tables that were recognised, in words
	DryRun   bool          `json:"dry_run"`  // then nothing below has happened
	Users    int           `json:"users"`    // in the old database
	Imported int           `json:"imported"` // new accounts
	Adjusted int           `json:"adjusted"` // of those, not quite as they were
	Skipped  int           `json:"skipped"`  // not taken over
	Present  int           `json:"present"`  // brought by an earlier import, and left alone
	Django   int           `json:"django"`   // of Imported, those whose hash is replaced at their first login
	Rows     []DjangoRow   `json:"rows"`     // one for each that is not as it was
	Left     []DjangoTable `json:"left"`     // other tables with something in them
}

// The verdicts of a DjangoRow.
const (
	DjangoAdjusted = "adjusted" // imported, but not quite as it was
	DjangoSkipped  = "skipped"  // a user that was not imported
	DjangoOrphan   = "orphan"   // an actor that was not imported, as it has no user
)

// DjangoRow tells why somebody did not come over as they were.
type DjangoRow struct {
	Table   string   `json:"table"`        // of the old database
	ID      int64    `json:"id"`           // in that table
	Name    string   `json:"name"`         // there
	As      string   `json:"as,omitempty"` // the name here, if imported
	Verdict string   `json:"verdict"`
	Why     []string `json:"why"`
}

// DjangoTable is a table of the old database that has no place here.
type DjangoTable struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// ImportDjango brings the users of a tutorial's server over: name, password,
// position and avatar. Whoever could log in there can log in here with the same
// password, unless a row of the report says otherwise.
//
// Everything is written in one transaction at the end; when ImportDjango fails,
// nothing is. A second import brings only who is new in the old database, and
// leaves alone what has changed here since. Both servers may run meanwhile: the
// old one is read at one point in time, and ours waits for the transaction, a
// second for tens of thousands of accounts. Who registers or walks on the old
// server after that point is not seen, so stop that one first.
func ImportDjango(ctx context.Context, job DjangoImport) (DjangoReport, error) {
	cfg, err := job.To.withDefaults()
	if err != nil {
		return DjangoReport{}, err
	}
	if err := distinct(job.From, cfg.Path); err != nil {
		return DjangoReport{}, err
	}
	old, err := readDjango(ctx, job.From, job.MostAvatar)
	if err != nil {
		return DjangoReport{}, fmt.Errorf("old database %s: %w", job.From, err)
	}
	if job.DryRun {
		return dryRun(ctx, cfg, old)
	}
	db, err := openDatabase(ctx, cfg.Path, 1, cfg.Logger)
	if err != nil {
		return DjangoReport{}, err
	}
	report, err := move(ctx, db, cfg, old, job.Progress)
	if err := errors.Join(err, db.close()); err != nil {
		return DjangoReport{}, fmt.Errorf("database %s: %w", cfg.Path, err)
	}
	return report, nil
}

// distinct refuses to import a database into itself.
func distinct(from, to string) error {
	a, err := os.Stat(from)
	if err != nil {
		return err
	}
	if b, err := os.Stat(to); err == nil && os.SameFile(a, b) {
		return fmt.Errorf("%s is both the old database and the new one", from)
	}
	return nil
}

// dryRun plans the import against a database that it cannot change, and that
// there need not be.
func dryRun(ctx context.Context, cfg Config, old oldWorld) (DjangoReport, error) {
	fail := func(err error) (DjangoReport, error) {
		return DjangoReport{}, fmt.Errorf("database %s: %w", cfg.Path, err)
	}
	here := lookup{}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return fail(err)
	}
	if _, err := os.Stat(path); err == nil {
		if err := inspect(ctx, path); err != nil {
			return fail(err)
		}
		db, err := sql.Open("sqlite3", dataSource(path, unchanging(path)))
		if err != nil {
			return fail(err)
		}
		defer db.Close()
		if here, err = newLookup(ctx, db, old.source); err != nil {
			return fail(classify(err))
		}
	}
	_, report, err := plan(old, here)
	if err != nil {
		return fail(classify(err))
	}
	report.DryRun = true
	return report, nil
}

// move hashes what must be hashed, which takes long, and then writes.
func move(ctx context.Context, db database, cfg Config, old oldWorld, progress func(done, total int)) (DjangoReport, error) {
	here, err := newLookup(ctx, db.write, old.source)
	if err != nil {
		return DjangoReport{}, err
	}
	newcomers, _, err := plan(old, here)
	if err != nil {
		return DjangoReport{}, err
	}
	hashes, err := hashAll(ctx, cfg, newcomers, progress)
	if err != nil {
		return DjangoReport{}, err
	}

	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return DjangoReport{}, classify(err)
	}
	defer tx.Rollback()
	// Names may have been taken meanwhile, so the plan is made again where
	// nobody else can write.
	if here, err = newLookup(ctx, tx, old.source); err != nil {
		return DjangoReport{}, err
	}
	newcomers, report, err := plan(old, here)
	if err != nil {
		return DjangoReport{}, err
	}
	if err := insert(ctx, tx, old.source, newcomers, hashes); err != nil {
		return DjangoReport{}, classify(err)
	}
	return report, tx.Commit()
}

func insert(ctx context.Context, tx *sql.Tx, source string, newcomers []newcomer, hashes map[int64]string) error {
	account, err := tx.PrepareContext(ctx, `INSERT INTO accounts (name, name_key, password, avatar, x, y, created_at)
		VALUES (?, ?, ?, ?, ?, ?, coalesce(?, unixepoch()))`)
	if err != nil {
		return err
	}
	origin, err := tx.PrepareContext(ctx, "INSERT INTO imports (source, old_id, account) VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	for _, n := range newcomers {
		password := n.password
		if n.plain {
			hashed, ok := hashes[n.id]
			if !ok { // it was here when the hashes were made, and no more
				return fmt.Errorf("account %q was deleted during the import: try again", n.display)
			}
			password = hashed
		}
		result, err := account.ExecContext(ctx, n.display, n.key, password, n.avatar, n.x, n.y, n.joined)
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := origin.ExecContext(ctx, source, n.id, id); err != nil {
			return err
		}
	}
	return nil
}

// hashAll gives the hashes of the passwords in plain text, by old id. It uses
// so many threads as a server of this configuration would, at low priority.
func hashAll(ctx context.Context, cfg Config, newcomers []newcomer, progress func(done, total int)) (map[int64]string, error) {
	var plain []newcomer
	for _, n := range newcomers {
		if n.plain {
			plain = append(plain, n)
		}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		hashes  = make(map[int64]string, len(plain))
		mu      sync.Mutex // guards hashes
		next    atomic.Int64
		running sync.WaitGroup
	)
	for range min(cfg.Workers, len(plain)) {
		thread, err := argon2id.Start()
		if err != nil {
			stop(err)
			break
		}
		running.Go(func() {
			defer thread.Stop()
			h := hasher{thread: thread, cost: cfg.cost(), observe: cfg.observeHash()}
			for i := next.Add(1) - 1; i < int64(len(plain)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				made, err := h.hash(plain[i].password)
				if err != nil {
					stop(err)
					return
				}
				mu.Lock()
				hashes[plain[i].id] = made.String()
				if progress != nil {
					progress(len(hashes), len(plain))
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
	return hashes, context.Cause(ctx)
}
