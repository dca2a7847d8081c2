package account_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"tavern/game/account"
)

// A player registers, enters, walks, leaves, and comes back to where it stood.
func ExampleStore() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := account.Open(context.Background(), account.Config{
		Path:   filepath.Join(dir, "tavern.db"),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close(context.Background())

	// A server would not wait here: done posts the answer to the loop.
	answered := make(chan account.Account)
	register := func(err error) {
		fmt.Println("registered:", err == nil)
		answered <- account.Account{}
	}
	login := func(a account.Account, err error) {
		fmt.Println(a.Name, "enters at", a.X, a.Y, "error:", err)
		answered <- a
	}
	if err := store.Register("Ann", "correct horse", 2, register); err != nil {
		fmt.Println(err)
		return
	}
	<-answered
	for range 2 {
		if err := store.Login("ann", "correct horse", login); err != nil {
			fmt.Println(err)
			return
		}
		ann := <-answered
		store.Save(ann.ID, 12.5, -3) // before Release
		store.Release(ann.ID)
	}
	// Output:
	// registered: true
	// Ann enters at 0 0 error: <nil>
	// Ann enters at 12.5 -3 error: <nil>
}
