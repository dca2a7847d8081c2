package main

import (
	"errors"
	"fmt"

	"tavern/game/account"
)

// advice says what to do about a database that the server cannot start with.
var advice = []struct {
	is error
	do string
}{
	{account.ErrNotDatabase, "name another file with -db, or move this one away and a new database is made"},
	{account.ErrForeign, "name another file with -db; the players of the tutorial's server move in with the command import-django"},
	{account.ErrNewer, "start the newer version of this server, or restore a backup made before it with the command restore"},
	{account.ErrCorrupt, "bring back the last backup with the command restore, which keeps this file beside it"},
	{account.ErrReadOnly, "let the user who runs the server write the file and its folder"},
	{account.ErrLocked, "end the program that holds it, and start again"},
}

// advised adds to an error of account.Open what to do about it. Nothing in the file
// has been changed.
func advised(err error) error {
	for _, a := range advice {
		if errors.Is(err, a.is) {
			return fmt.Errorf("%w; to do: %s", err, a.do)
		}
	}
	return err
}
