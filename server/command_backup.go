package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"tavern/game/account"
)

const backupAbout = `
Copies the database into FILE while the server runs. The copy is what the server had
acknowledged when the command began; it is checked before it appears under its name, and
only its owner can read it. A folder that is not there yet is made.

    tavern backup tavern-2026-05-01.db
`

func runBackup(args []string, out io.Writer) error {
	flags := commandFlags("backup")
	db := flags.String("db", "tavern.db", "the database `file`")
	force := flags.Bool("force", false, "replace FILE if it exists")
	asJSON := flags.Bool("json", false, "print the result as JSON")
	files, err := parseCommand(flags, args, out, backupAbout, 1)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	folder := filepath.Dir(files[0])
	// Made before the first backup from cron, which nobody watches; but one folder
	// only, or a slip would hide a backup somewhere.
	if err := os.Mkdir(folder, 0o700); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %s", filepath.Dir(folder))
	}
	about, err := account.Backup(ctx, *db, files[0], *force, progress(commandLog(), "copying pages"))
	switch {
	case errors.Is(err, account.ErrExists):
		return fmt.Errorf("%w (-force replaces it)", err)
	case err != nil:
		return err
	case *asJSON:
		return printJSON(out, map[string]any{"file": files[0], "accounts": about.Accounts, "bytes": about.Bytes})
	}
	_, err = fmt.Fprintf(out, "%s: %d accounts, %d bytes, checked and on disk.\n", files[0], about.Accounts, about.Bytes)
	return err
}

const restoreAbout = `
Makes the database what it was when the backup in FILE was taken. Stop the server first:
while it runs, nothing is restored. The backup is checked before anything is touched, and
what was there is kept in a file beside the database.

    tavern restore tavern-2026-05-01.db

Run it as the user that the server runs as.
`

func runRestore(args []string, out io.Writer) error {
	fs := commandFlags("restore")
	db := fs.String("db", "tavern.db", "the database `file` that is replaced; made if there is none")
	asJSON := fs.Bool("json", false, "print the result as JSON")
	files, err := parseCommand(fs, args, out, restoreAbout, 1)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	restored, err := account.Restore(ctx, files[0], *db, progress(commandLog(), "copying pages"))
	switch {
	case err != nil:
		return err
	case *asJSON:
		return printJSON(out, map[string]any{"db": *db, "accounts": restored.Accounts, "bytes": restored.Bytes, "kept": restored.Kept})
	}
	fmt.Fprintf(out, "%s has been restored from %s: %d accounts.\n", *db, files[0], restored.Accounts)
	if restored.Kept != "" {
		fmt.Fprintf(out, "What was there before is in %s.\n", restored.Kept)
	}
	return nil
}
