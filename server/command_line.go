package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/peterbourgon/ff/v3"
)

// commandFlags begins the flags of a command. Those that the server has too are
// named as there, and read from the same environment variables.
func commandFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parseCommand reads the arguments of a command: so many files, with flags
// before, between and after them. flag.ErrHelp means that the help was printed.
func parseCommand(fs *flag.FlagSet, args []string, out io.Writer, about string, files int) ([]string, error) {
	var named []string
	for len(args) > 0 {
		err := fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			commandHelp(fs, out, about)
			return nil, flag.ErrHelp
		}
		if err != nil {
			return nil, fmt.Errorf("%w (see -h)", err)
		}
		if args = fs.Args(); len(args) > 0 {
			named, args = append(named, args[0]), args[1:]
		}
	}
	switch {
	case len(named) < files:
		return nil, fmt.Errorf("a file is missing (see -h)")
	case len(named) > files:
		return nil, fmt.Errorf("unexpected argument %q (see -h)", named[files])
	}
	// What no flag has said, the environment may.
	if err := ff.Parse(fs, nil, ff.WithEnvVarPrefix("TAVERN")); err != nil {
		return nil, fmt.Errorf("%w (see -h)", err)
	}
	return named, nil
}

// parseServerCommand is parseCommand for one that is given the flags, variables and
// file of the server, of which it looks at a few, and its own are in fs.
func parseServerCommand(fs *flag.FlagSet, args []string, out io.Writer, about string, few []string) (*config, error) {
	return parseConfigWith(fs, args, func() {
		shown := commandFlags(fs.Name())
		for _, name := range few {
			f := fs.Lookup(name)
			shown.Var(f.Value, name, f.Usage)
		}
		commandHelp(shown, out, about)
	})
}

// commandHelp prints what a command does, and its flags.
func commandHelp(fs *flag.FlagSet, out io.Writer, about string) {
	fmt.Fprintln(out, strings.TrimSpace(about))
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw)
	fs.VisitAll(func(f *flag.Flag) {
		unit, text := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(tw, "  -%s %s\t%s\n", f.Name, unit, text)
	})
	tw.Flush()
}

// interruptible is a context that ends when the operator wants it to.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}

// commandLog is for what a command has to say besides its result.
func commandLog() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

// progress gives a function that says how far something is, now and then.
func progress(log *slog.Logger, what string) func(done, total int) {
	last := time.Now()
	return func(done, total int) {
		if now := time.Now(); now.Sub(last) >= 2*time.Second {
			last = now
			log.Info(what, "done", done, "of", total)
		}
	}
}

// printJSON is for programs that read the result.
func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// printable is a text of somebody else's that cannot do anything to a terminal.
func printable(s string) string {
	if quoted := strconv.Quote(s); s == "" || quoted != `"`+s+`"` {
		return quoted
	}
	return s
}
