package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mattn/go-sqlite3"
)

// ErrExists says that a backup would overwrite a file.
var ErrExists = errors.New("there is a file of this name already")

// Copying says how far a backup or a restore is, in pages. It is called often
// and must be quick.
type Copying func(done, total int)

// copyPages is how much is copied at a time: 1 MiB with pages of 4 KiB.
const copyPages = 256

// Backup copies the database at path into file, while servers use it or not.
// The copy is the state at one moment, after Backup was called: all that was
// acknowledged before is in it. Servers do not wait for it; their log grows
// meanwhile.
//
// Under its name the file appears only when it is whole, checked, on disk and
// readable by its owner alone. One that exists is replaced if force is set, and
// else the error wraps ErrExists.
func Backup(ctx context.Context, path, file string, force bool, progress Copying) (About, error) {
	if err := backupPlace(path, file, force); err != nil {
		return About{}, err
	}
	full, err := existing(ctx, path)
	if err != nil {
		return About{}, err
	}
	// Not read-only: the last to close a database folds its log into the file
	// and removes it, which a reader cannot do.
	source, err := sql.Open("sqlite3", dataSource(full, "mode=rw&_busy_timeout=5000"))
	if err != nil {
		return About{}, err
	}
	defer source.Close()
	from, err := source.Conn(ctx)
	if err != nil {
		return About{}, err
	}
	defer from.Close()
	// Within a transaction that has read, all steps of the copying see one
	// state, and need not begin again when somebody writes.
	if _, err := from.ExecContext(ctx, "BEGIN; SELECT count(*) FROM sqlite_schema"); err != nil {
		return About{}, fmt.Errorf("database %s: %w", path, classify(err))
	}
	about, err := copyToFile(ctx, from, file, force, progress)
	if err != nil {
		return About{}, fmt.Errorf("backup %s: %w", file, err)
	}
	return about, nil
}

// backupPlace looks whether file may be written.
func backupPlace(path, file string, force bool) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if sameFile(path+suffix, file) {
			return fmt.Errorf("%s is the database itself, or a part of it", file)
		}
	}
	switch about, err := os.Stat(file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !about.Mode().IsRegular():
		return fmt.Errorf("%s is no ordinary file", file)
	case !force:
		return fmt.Errorf("%s: %w", file, ErrExists)
	}
	return nil
}

// sameFile tells whether two names are those of one file, which need not exist.
func sameFile(a, b string) bool {
	aboutA, errA := os.Stat(a)
	aboutB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(aboutA, aboutB)
	}
	fullA, errA := filepath.Abs(a)
	fullB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && fullA == fullB
}

// existing gives the full path of a database that is there and is one of ours.
func existing(ctx context.Context, path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	about, err := os.Stat(full)
	switch {
	case err != nil:
		return "", err
	case about.Size() == 0:
		return "", fmt.Errorf("database %s: it is empty", path)
	}
	if err := inspect(ctx, full); err != nil {
		return "", fmt.Errorf("database %s: %w", path, err)
	}
	return full, nil
}

// copyToFile copies a database into a new file beside the one it is to be, which
// it becomes when it has been checked.
func copyToFile(ctx context.Context, from *sql.Conn, file string, force bool, progress Copying) (about About, err error) {
	full, err := filepath.Abs(file)
	if err != nil {
		return about, err
	}
	partial, err := os.CreateTemp(filepath.Dir(full), filepath.Base(full)+".partial-*") // mode 0600
	if err != nil {
		return about, err
	}
	defer func() {
		err = errors.Join(err, partial.Close())
		for _, suffix := range []string{"", "-journal"} {
			_ = os.Remove(partial.Name() + suffix)
		}
	}()
	if err := fill(ctx, partial.Name(), from, progress); err != nil {
		return about, err
	}
	if about, err = Verify(ctx, partial.Name()); err != nil {
		return about, fmt.Errorf("the copy is not sound: %w", err)
	}
	if err := partial.Sync(); err != nil {
		return about, err
	}
	if err := settle(partial.Name(), full, force); err != nil {
		return about, err
	}
	return about, syncFolder(filepath.Dir(full))
}

// fill copies a database into an empty file.
func fill(ctx context.Context, path string, from *sql.Conn, progress Copying) error {
	target, err := sql.Open("sqlite3", dataSource(path, "mode=rw&_synchronous=FULL"))
	if err != nil {
		return err
	}
	defer target.Close()
	to, err := target.Conn(ctx)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := copyAll(ctx, to, from, progress); err != nil {
		return err
	}
	return foldLog(ctx, to) // a file that travels shall be whole by itself
}

// errLogged says that a database cannot do without its log.
var errLogged = errors.New("the database keeps its log")

// foldLog makes the connection's database one without a log, for which nobody
// else may have it open.
func foldLog(ctx context.Context, conn *sql.Conn) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode); err != nil {
		return err
	}
	if mode != "delete" {
		return fmt.Errorf("%w: its mode is %s", errLogged, mode)
	}
	return nil
}

// settle gives a file its name, and does not replace another unless it must.
func settle(partial, file string, force bool) error {
	if force {
		return os.Rename(partial, file)
	}
	switch err := os.Link(partial, file); {
	case err == nil:
		return nil // the old name is removed by its maker
	case errors.Is(err, fs.ErrExist):
		return ErrExists
	}
	// No hard links, as on a memory stick: look and go, which is not quite as sure.
	if _, err := os.Lstat(file); err == nil {
		return ErrExists
	}
	return os.Rename(partial, file)
}

// syncFolder puts a folder's new names on disk.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// copyAll makes to a copy of from, or leaves it as it was.
func copyAll(ctx context.Context, to, from *sql.Conn, progress Copying) error {
	return to.Raw(func(toDriver any) error {
		return from.Raw(func(fromDriver any) error {
			return copySteps(ctx, toDriver.(*sqlite3.SQLiteConn), fromDriver.(*sqlite3.SQLiteConn), progress)
		})
	})
}

func copySteps(ctx context.Context, to, from *sqlite3.SQLiteConn, progress Copying) error {
	copying, err := to.Backup("main", from, "main")
	if err != nil {
		return classify(err)
	}
	for tries := 0; ; {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, copying.Close())
		}
		before := copying.Remaining()
		done, err := copying.Step(copyPages)
		if err != nil {
			_ = copying.Close() // says the same
			return classify(err)
		}
		if progress != nil {
			progress(copying.PageCount()-copying.Remaining(), copying.PageCount())
		}
		if done {
			return classify(copying.Close())
		}
		if copying.Remaining() != before {
			tries = 0
			continue
		}
		// Somebody holds a lock, which Step does not tell from success.
		if tries++; tries > copyTries {
			return errors.Join(errors.New("a lock does not go away"), copying.Close())
		}
		pause := time.NewTimer(copyPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

const (
	copyTries = 100
	copyPause = 50 * time.Millisecond
)

// About is what a sound database tells of itself.
type About struct {
	Bytes    int64     // of the file, without its log
	Version  int       // of its schema
	Accounts int       // in it
	Django   int       // of those, with a password that is still as Django kept it
	Newest   time.Time // when the newest account was made, zero when there is none
}

// Verify reads the whole database, which a server may use meanwhile, and says
// why it is not sound. It changes nothing. The errors are those of Open.
func Verify(ctx context.Context, path string) (About, error) {
	full, err := existing(ctx, path)
	if err != nil {
		return About{}, err
	}
	about, err := verify(ctx, full)
	if err != nil {
		return About{}, fmt.Errorf("database %s: %w", path, classify(err))
	}
	return about, nil
}

func verify(ctx context.Context, path string) (about About, err error) {
	db, err := sql.Open("sqlite3", dataSource(path, unchanging(path)))
	if err != nil {
		return about, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	return soundness(ctx, db)
}

// unchanging says how to open a database that has been inspected so that no
// file changes, and none is made.
func unchanging(path string) string {
	if _, err := os.Stat(path + "-wal"); err != nil {
		return "mode=ro&immutable=1" // as in inspect
	}
	return readPragmas
}

// querier is a database or a connection.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// soundness checks every page and every reference.
func soundness(ctx context.Context, db querier) (about About, err error) {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return about, err
	}
	if verdict != "ok" {
		return about, fmt.Errorf("%w: %s", ErrCorrupt, verdict)
	}
	var dangling, newest int64
	row := db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM pragma_foreign_key_check), user_version, page_size * page_count,
			(SELECT count(*) FROM accounts), (SELECT coalesce(max(created_at), 0) FROM accounts),
			(SELECT count(*) FROM accounts WHERE password GLOB 'pbkdf2_sha256$*')
		FROM pragma_user_version, pragma_page_size, pragma_page_count`)
	if err := row.Scan(&dangling, &about.Version, &about.Bytes, &about.Accounts, &newest, &about.Django); err != nil {
		return about, err
	}
	if dangling > 0 {
		return about, fmt.Errorf("%w: %d rows refer to what is not there", ErrCorrupt, dangling)
	}
	if newest > 0 {
		about.Newest = time.Unix(newest, 0)
	}
	return about, nil
}

// SQLite gives the version of SQLite, and what it was built with.
func SQLite() (version string, options []string, err error) {
	version, _, _ = sqlite3.Version()
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return version, nil, err
	}
	defer db.Close()
	rows, err := db.Query("PRAGMA compile_options")
	if err != nil {
		return version, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var option string
		if err := rows.Scan(&option); err != nil {
			return version, nil, err
		}
		options = append(options, option)
	}
	slices.Sort(options)
	return version, options, rows.Err()
}
