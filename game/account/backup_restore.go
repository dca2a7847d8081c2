package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"
)

// ErrInUse says that a server, or another program, has the database open.
var ErrInUse = errors.New("a server has the database open")

// Restored says what a restore has done.
type Restored struct {
	About
	Kept string // the file with what was there before, empty when nothing was
}

// Restore makes the database at path what the backup in file is. The backup is
// verified first. What was at path is kept in a file beside it, also when it is
// damaged. It is all done within one transaction: whoever looks sees the old
// database or the new one, and so does the next start after a crash.
//
// While a server has the database open, the error wraps ErrInUse. A server that
// is started meanwhile waits for some seconds and then gives up.
func Restore(ctx context.Context, file, path string, progress Copying) (Restored, error) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if sameFile(path+suffix, file) {
			return Restored{}, fmt.Errorf("%s is the database itself, or a part of it", file)
		}
	}
	if _, err := Verify(ctx, file); err != nil {
		return Restored{}, fmt.Errorf("backup %s: %w", file, err)
	}
	fullFile, err := filepath.Abs(file)
	if err != nil {
		return Restored{}, err
	}
	backup, err := sql.Open("sqlite3", dataSource(fullFile, unchanging(fullFile)))
	if err != nil {
		return Restored{}, err
	}
	defer backup.Close()
	from, err := backup.Conn(ctx)
	if err != nil {
		return Restored{}, err
	}
	defer from.Close()

	restored, err := restore(ctx, from, path, progress)
	if err != nil {
		return restored, fmt.Errorf("database %s: %w", path, classify(err))
	}
	return restored, nil
}

func restore(ctx context.Context, from *sql.Conn, path string, progress Copying) (Restored, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return Restored{}, err
	}
	about, err := os.Stat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// A log that has lost its database would be taken for the new one's.
		if err := noLog(full); err != nil {
			return Restored{}, err
		}
		made, err := copyToFile(ctx, from, full, false, progress)
		return Restored{About: made}, err
	case err != nil:
		return Restored{}, err
	}

	target, err := sql.Open("sqlite3", dataSource(full, "mode=rw&_busy_timeout=1000&_locking_mode=EXCLUSIVE&_synchronous=FULL"))
	if err != nil {
		return Restored{}, err
	}
	defer target.Close()
	to, err := target.Conn(ctx)
	if err != nil {
		return Restored{}, inTheWay(err, path)
	}
	defer to.Close()
	if err := seize(ctx, to); err != nil {
		return Restored{}, inTheWay(err, path)
	}
	var restored Restored
	if about.Size() > 0 {
		if restored.Kept, err = keep(ctx, to, full); err != nil {
			return Restored{}, fmt.Errorf("what is there could not be kept, so nothing was done: %w", err)
		}
	}
	if err := copyAll(ctx, to, from, progress); err != nil {
		return Restored{}, err
	}
	// It is done: whoever interrupts it now shall not hear that it is not.
	if restored.About, err = soundness(context.WithoutCancel(ctx), to); err != nil {
		return restored, fmt.Errorf("it was restored and is not sound; what was there before is in %s: %w", restored.Kept, err)
	}
	return restored, nil
}

func noLog(path string) error {
	for _, suffix := range []string{"-wal", "-journal"} {
		if _, err := os.Lstat(path + suffix); err == nil {
			return fmt.Errorf("there is no database, but the log of one, %s: move it away", path+suffix)
		}
	}
	return nil
}

// seize gets the database for this connection alone, until it is closed, and
// folds its log into the file. The connection's locking mode is exclusive, so
// that the end of a transaction is not the end of its lock. It works because
// whoever uses a database with a log holds a shared lock on it from opening to
// closing, and that ends with the process.
func seize(ctx context.Context, to *sql.Conn) error {
	if _, err := to.ExecContext(ctx, "BEGIN EXCLUSIVE; COMMIT"); err != nil {
		return err
	}
	if err := foldLog(ctx, to); err != nil {
		return err
	}
	var application, tables int
	err := to.QueryRowContext(ctx, "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id").Scan(&application, &tables)
	if err == nil && application != applicationID && tables > 0 {
		return ErrForeign
	}
	return err
}

// inTheWay says what to do about a database that cannot be seized.
func inTheWay(err error, path string) error {
	var e sqlite3.Error
	switch {
	case errors.Is(err, errLogged), errors.As(err, &e) && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked):
		return fmt.Errorf("%w: stop the server first", ErrInUse)
	case errors.Is(classify(err), ErrNotDatabase), errors.Is(classify(err), ErrCorrupt):
		return fmt.Errorf("what is there is so damaged that it cannot be locked: stop the server, move it away "+
			"(mv %[1]s %[1]s.damaged; mv %[1]s-wal %[1]s.damaged-wal; rm -f %[1]s-shm) and restore again: %[2]w", path, classify(err))
	}
	return err
}

// keep copies what is there into a file beside it, and gives its name.
func keep(ctx context.Context, from *sql.Conn, path string) (string, error) {
	stem := path + ".before-restore-" + time.Now().UTC().Format("20060102T150405Z")
	for n := 1; n < 100; n++ {
		name := stem
		if n > 1 {
			name = fmt.Sprintf("%s-%d", stem, n)
		}
		switch err := keepAs(ctx, from, name); {
		case err == nil:
			return name, syncFolder(filepath.Dir(name))
		case !errors.Is(err, fs.ErrExist):
			return "", err
		}
	}
	return "", fmt.Errorf("%s: %w", stem, ErrExists)
}

func keepAs(ctx context.Context, from *sql.Conn, name string) (err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, databaseMode)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			_ = os.Remove(name)
		}
	}()
	// It is not verified: it may be why somebody wants a backup.
	if err := fill(ctx, name, from, nil); err != nil {
		return err
	}
	return file.Sync()
}
