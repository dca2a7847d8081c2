// Command bench is the load generator: it opens thousands of WebSocket connections to
// a chat and game server and measures what they get. See README.md for the modes and
// the figures, and the package swarm for how the crowd is made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"text/tabwriter"

	"tavern/bench/swarm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The crowd's thread is always running under load; the rest of the program must get
	// its turn even where only one processor is allowed.
	runtime.GOMAXPROCS(max(4, runtime.GOMAXPROCS(0)))
	debug.SetGCPercent(400)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// mode is one thing to measure. flags adds the mode's own flags to a set and returns
// what runs it.
type mode struct {
	name    string
	summary string
	flags   func(fs *flag.FlagSet) func(ctx context.Context, l *lab) error
}

func modes() []mode {
	return []mode{
		{"connect", "storm of handshakes: how many a second", connectMode},
		{"idle", "bytes and processor time per idle connection or player", idleMode},
		{"chat", "deliveries a second and their latency: fixed rates, or a search for the highest", chatMode},
		{"login", "storm of registrations and logins, and what it does to the tick", loginMode},
		{"move", "walkers with so many neighbours in view: updates, staleness, bytes, tick work", moveMode},
		{"crowd", "everybody logged in on one spot", crowdMode},
		{"soak", "chat, walking and people coming and going, for a long time", soakMode},
		{"slow", "one slow reader among many: what the others feel", slowMode},
		{"compare", "ours and the peers side by side", compareMode},
		{"ceiling", "how much this generator can count on one core", ceilingMode},
	}
}

// The modes in which this program runs itself.
const (
	workerMode = "_worker" // a part of the crowd: see swarm.Serve
	feederMode = "_feeder" // the trivial server of the ceiling: see swarm.Feed
)

// Exit codes.
const (
	exitOK       = 0
	exitProblems = 1 // it ran, and what it found is not clean
	exitFailed   = 2 // it did not run
)

func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || args[0] == "help" {
		usage(errOut)
		return exitFailed
	}
	switch args[0] {
	case workerMode:
		return exitWith(errOut, swarm.Serve(ctx, in, out))
	case feederMode:
		return exitWith(errOut, serveFeeder(in, out))
	}
	for _, m := range modes() {
		if m.name == args[0] {
			return runMode(ctx, m, args, out, errOut)
		}
	}
	fmt.Fprintf(errOut, "bench: there is no mode %q\n\n", args[0])
	usage(errOut)
	return exitFailed
}

func runMode(ctx context.Context, m mode, args []string, out, errOut io.Writer) int {
	fs := flag.NewFlagSet("bench "+m.name, flag.ContinueOnError)
	fs.SetOutput(errOut)
	var opts options
	body := m.flags(fs)
	own := make(map[string]bool)
	fs.VisitAll(func(f *flag.Flag) { own[f.Name] = true })
	opts.register(fs)
	fs.Usage = func() { modeUsage(errOut, m, fs, own) }
	if err := fs.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitFailed
	}
	if fs.NArg() > 0 {
		return exitWith(errOut, fmt.Errorf("unexpected argument %q (see bench %s -h)", fs.Arg(0), m.name))
	}
	l, err := newLab(m.name, args, opts, out, errOut)
	if err != nil {
		return exitWith(errOut, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opts.maxTime, fmt.Errorf("-max-time %v is over", opts.maxTime))
	defer cancel()
	err = body(ctx, l)
	if ctx.Err() != nil && err != nil {
		err = context.Cause(ctx)
	}
	err = errors.Join(err, l.close())
	if err := errors.Join(err, l.publish()); err != nil {
		return exitWith(errOut, err)
	}
	if l.failures > 0 {
		return exitProblems
	}
	return exitOK
}

// exitWith prints an error, if it is one.
func exitWith(errOut io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(errOut, "bench: %v\n", err)
	return exitFailed
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Load generator for chat and game servers over WebSocket.\n\nUsage: bench MODE [flags]\n\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range modes() {
		fmt.Fprintf(tw, "  %s\t%s\n", m.name, m.summary)
	}
	tw.Flush()
	fmt.Fprint(w, "\nbench MODE -h lists the flags. Without -addr or -server-cmd it builds and starts this repository's server.\n"+
		"The exit code is 0 when all was clean, 1 when something was lost or a bound was missed, 2 when it could not run.\n")
}

// modeUsage prints the mode's own flags before those that all modes have.
func modeUsage(w io.Writer, m mode, fs *flag.FlagSet, own map[string]bool) {
	fmt.Fprintf(w, "bench %s: %s\n\nUsage: bench %s [flags]\n", m.name, m.summary, m.name)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, mine := range []bool{true, false} {
		fmt.Fprintln(tw)
		fs.VisitAll(func(f *flag.Flag) {
			if own[f.Name] != mine {
				return
			}
			unit, text := flag.UnquoteUsage(f)
			if f.DefValue != "" && f.DefValue != "false" {
				text += " (default " + f.DefValue + ")"
			}
			fmt.Fprintf(tw, "  -%s %s\t%s\n", f.Name, unit, text)
		})
	}
	tw.Flush()
}
