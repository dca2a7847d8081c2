package account

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3" // also registers the driver "sqlite3"
	"golang.org/x/sys/unix"
)

// Why a file cannot be our database. Open wraps them with the path; the file
// is left as it was.
var (
	ErrNotDatabase = errors.New("not an SQLite database")
	ErrForeign     = errors.New("an SQLite database, but of another program")
	ErrNewer       = errors.New("written by a newer version of this server")
	ErrCorrupt     = errors.New("damaged")
	ErrReadOnly    = errors.New("read-only")
	ErrLocked      = errors.New("locked by another program")
)

const (
	// applicationID marks our files in SQLite's header: "tavn".
	applicationID = 0x7461766e

	databaseMode = 0o600

	// lockPatience is how long another program's lock is waited for, as in the
	// pragmas.
	lockPatience = 5 * time.Second

	// Pragmas hold per connection, so they travel in the data source name. Each
	// connection has a page cache of its own, 2 MB if nothing is said; what is read
	// is one row by a key, and the kernel caches the file, so 256 KiB do.
	readPragmas  = "mode=ro&_busy_timeout=5000&_foreign_keys=on&_cache_size=-256"
	writePragmas = "mode=rw&_busy_timeout=5000&_foreign_keys=on&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_cache_size=-512"
)

// database is the two ways to one file.
type database struct {
	write *sql.DB // one connection, the writer's
	read  *sql.DB // several, read-only
}

// openDatabase opens, and where need be makes and migrates, the file at path.
// A file that cannot be our database is refused before anything may change it.
func openDatabase(ctx context.Context, path string, readers int, log *slog.Logger) (db database, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("database %s: %w", path, err)
		}
	}()
	full, err := filepath.Abs(path)
	if err != nil {
		return db, err
	}
	if err := prepareFile(full, log); err != nil {
		return db, err
	}
	if err := inspect(ctx, full); err != nil {
		return db, err
	}

	if db.write, err = sql.Open("sqlite3", dataSource(full, writePragmas)); err != nil {
		return db, err
	}
	if db.read, err = sql.Open("sqlite3", dataSource(full, readPragmas)); err != nil {
		return db, errors.Join(err, db.write.Close())
	}
	db.write.SetMaxOpenConns(1)
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	if err = db.begin(ctx, log); err == nil {
		err = db.warm(ctx, readers)
	}
	if err != nil {
		return db, errors.Join(err, db.close())
	}
	return db, nil
}

// warm opens all readers with the files that they need. One that came later might
// find no descriptor left, as players take them; and how many files the server has
// open must not depend on how many logins have met so far.
func (db database) warm(ctx context.Context, readers int) error {
	for range readers {
		conn, err := db.read.Conn(ctx)
		if err != nil {
			return classify(err)
		}
		defer conn.Close() // back to the pool, when all are open
		var tables int
		if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
			return classify(err)
		}
	}
	return nil
}

// begin makes the first use of the write connection.
func (db database) begin(ctx context.Context, log *slog.Logger) error {
	mode, err := db.journalMode(ctx)
	if err != nil {
		return classify(err)
	}
	if mode != "wal" {
		return fmt.Errorf("its file system has no write-ahead log (journal mode is %s)", mode)
	}
	return migrate(ctx, db.write, migrations(), log)
}

// journalMode connects, which gives a new file its write-ahead log. While
// another server does the same SQLite refuses that at once, whatever the busy
// timeout is; so the waiting is done here.
func (db database) journalMode(ctx context.Context) (mode string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	again := time.NewTicker(lockPatience / 100)
	defer again.Stop()
	for {
		err = db.write.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
		var e sqlite3.Error
		if !errors.As(err, &e) || e.Code != sqlite3.ErrBusy {
			return mode, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return "", err
		}
	}
}

// close closes the readers first: the last connection to go folds the
// write-ahead log into the file, which a reader cannot do.
func (db database) close() error {
	return errors.Join(db.read.Close(), db.write.Close())
}

func dataSource(path, pragmas string) string {
	return "file:" + url.PathEscape(path) + "?" + pragmas
}

// prepareFile makes the file if there is none and refuses one that by its
// first look is not a writable database.
func prepareFile(path string, log *slog.Logger) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, databaseMode)
	if err == nil {
		return file.Close()
	}
	switch {
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", ErrReadOnly, err) // its folder
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	about, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !about.Mode().IsRegular() {
		return ErrNotDatabase
	}
	if about.Mode().Perm()&0o200 == 0 {
		return ErrReadOnly // its owner said so, even if we are root
	}
	if about.Mode().Perm()&0o077 != 0 {
		log.Warn("others than its owner may open the database", "path", path, "mode", about.Mode().Perm())
	}
	file, err = os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return fmt.Errorf("%w: %w", ErrReadOnly, err)
		}
		return err
	}
	defer file.Close()
	// The write-ahead log comes and goes beside it.
	if err := unix.Faccessat(unix.AT_FDCWD, filepath.Dir(path), unix.W_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("%w: its folder: %w", ErrReadOnly, err)
	}
	magic := []byte("SQLite format 3\x00")
	head := make([]byte, len(magic))
	switch _, err := io.ReadFull(file, head); {
	case err == io.EOF: // empty: SQLite takes it for a new database, and so do we
		return nil
	case err == io.ErrUnexpectedEOF || err == nil && !bytes.Equal(head, magic):
		return ErrNotDatabase
	default:
		return err
	}
}

// inspect looks at the file through a connection that can change nothing.
func inspect(ctx context.Context, path string) error {
	exists := func(suffix string) bool {
		_, err := os.Stat(path + suffix)
		return err == nil
	}
	pragmas := readPragmas
	switch {
	case exists("-journal"):
		// It died while it was made, before it had a write-ahead log: SQLite
		// must roll back before it can read.
		pragmas = "mode=rw&_busy_timeout=5000"
	case !exists("-wal"):
		// Nobody has it open. Even a reader would make a log, and leave it.
		pragmas = "mode=ro&immutable=1"
	}
	db, err := sql.Open("sqlite3", dataSource(path, pragmas))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)

	var application, version, tables int
	err = db.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&application, &version, &tables)
	if err != nil {
		return classify(err)
	}
	switch {
	case application == 0 && version == 0 && tables == 0:
		return nil // new
	case application != applicationID:
		return ErrForeign
	case version > schemaVersion():
		return fmt.Errorf("%w: its schema is version %d, this server knows %d", ErrNewer, version, schemaVersion())
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return classify(err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, strings.Join(strings.Fields(verdict), " ")) // it has lines
	}
	return nil
}

// classify names the errors of SQLite that Open's callers tell apart.
func classify(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrNotADB:
		return fmt.Errorf("%w: %w", ErrNotDatabase, err)
	case sqlite3.ErrCorrupt:
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	case sqlite3.ErrReadonly:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return err
}
