package account

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"log/slog"
	"strings"
)

// The schema grows by files 0001_what.sql, 0002_..., each applied once and in
// order. One that has been released is never edited. user_version in the
// file's header counts those that it has.
//
//go:embed schema/*.sql
var schema embed.FS

// migrations gives the scripts in order; the number in a name is its place.
func migrations() []string {
	entries, err := schema.ReadDir("schema")
	if err != nil {
		panic(err) // they are in the binary
	}
	scripts := make([]string, len(entries))
	for i, entry := range entries { // ReadDir sorts by name
		if !strings.HasPrefix(entry.Name(), fmt.Sprintf("%04d_", i+1)) {
			panic("account: migration " + entry.Name() + " has not the number of its place")
		}
		text, err := schema.ReadFile("schema/" + entry.Name())
		if err != nil {
			panic(err)
		}
		scripts[i] = string(text)
	}
	return scripts
}

// schemaVersion is the user_version of a database that has all migrations.
func schemaVersion() int { return len(migrations()) }

// migrate applies what the database has not, each script in a transaction of
// its own, so that one that fails leaves the version before it.
func migrate(ctx context.Context, db *sql.DB, scripts []string, log *slog.Logger) error {
	// One that is up to date is not locked: another program may be writing.
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return classify(err)
	}
	for number := version + 1; number <= len(scripts); number++ {
		if err := applyMigration(ctx, db, number, scripts[number-1], log); err != nil {
			return fmt.Errorf("migration %d: %w", number, classify(err))
		}
	}
	return nil
}

func applyMigration(ctx context.Context, db *sql.DB, number int, script string, log *slog.Logger) error {
	// The transaction is immediate: two servers that start at once migrate one
	// after the other, and the second finds nothing to do.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version >= number {
		return nil
	}
	if _, err := tx.ExecContext(ctx, script); err != nil {
		return err
	}
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, number)
	if _, err := tx.ExecContext(ctx, marks); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	log.Info("database migrated", "version", number)
	return nil
}
