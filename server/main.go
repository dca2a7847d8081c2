// Command server is Tavern: a WebSocket game and chat server in one process,
// with its SQLite file beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	switch cmd, err := findCommand(os.Args[1:]); {
	case err != nil:
		fmt.Fprintln(os.Stderr, "tavern:", err)
		os.Exit(2)
	case cmd != nil:
		if err := cmd.run(os.Args[2:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(os.Stderr, "tavern %s: %v\n", cmd.name, err)
			os.Exit(1)
		}
		return
	}
	cfg, err := parseConfig(os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "tavern:", err)
		os.Exit(2)
	case cfg.version:
		fmt.Fprintln(os.Stdout, versionLine())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cfg); err != nil {
		cfg.logger.Error("tavern stopped", "error", err)
		os.Exit(1)
	}
}
