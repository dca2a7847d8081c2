package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
	"tavern/bench/target"
)

// lab is what every mode works with: the server under test, the crowd, and the book
// that the findings go into. One goroutine uses it.
type lab struct {
	opts     options
	out      io.Writer
	errOut   io.Writer
	book     *report.Book
	server   *target.Server
	fleet    *swarm.Fleet
	progress *progress
	failures int // records that are not clean
	run      uint32
}

func newLab(mode string, args []string, opts options, out, errOut io.Writer) (*lab, error) {
	if opts.addr != "" && !opts.allowRemote && !target.Local(opts.addr) {
		return nil, fmt.Errorf("-addr %s is not this machine; -allow-remote if it is yours to load", opts.addr)
	}
	if opts.addr != "" && opts.serverCmd != "" {
		return nil, errors.New("-addr and -server-cmd exclude each other")
	}
	if opts.json == "-" && opts.goBench == "-" {
		return nil, errors.New("-json - and -gobench - exclude each other")
	}
	return &lab{
		opts:   opts,
		out:    out,
		errOut: errOut,
		book: &report.Book{
			Title:   "bench " + mode,
			Machine: machine(opts),
			Command: "bench " + quoted(args),
		},
		progress: newProgress(errOut, opts.quiet),
		run:      rand.Uint32(),
	}, nil
}

// quoted joins arguments as a shell would read them.
func quoted(args []string) string {
	var words []string
	for _, arg := range args {
		if arg == "" || strings.ContainsAny(arg, " {}*?$'\"\\;&|<>()") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

// close ends the crowd before the server.
func (l *lab) close() error {
	l.progress.end()
	err := l.closeFleet()
	if l.server != nil {
		err = errors.Join(err, l.server.Close())
		l.server = nil
	}
	return err
}

func (l *lab) closeFleet() error {
	if l.fleet == nil {
		return nil
	}
	err := l.fleet.Close()
	l.fleet = nil
	return err
}

// publish writes the book in every form that was asked for.
func (l *lab) publish() error {
	if len(l.book.Records) == 0 {
		return nil
	}
	o := l.opts
	var errs []error
	if o.json != "-" && o.goBench != "-" {
		errs = append(errs, l.book.WriteTable(l.out))
	}
	errs = append(errs,
		writeTo(l.out, o.json, l.book.WriteJSON),
		writeTo(l.out, o.goBench, l.book.WriteGoBench))
	if o.reportDir != "" {
		path, err := l.book.WriteHTML(o.reportDir)
		errs = append(errs, err)
		if err == nil && o.json != "-" && o.goBench != "-" {
			fmt.Fprintf(l.out, "\n%s\n", path)
		}
	}
	return errors.Join(errs...)
}

// writeTo writes to a file, to out for "-", or nowhere for "".
func writeTo(out io.Writer, path string, write func(io.Writer) error) error {
	switch path {
	case "":
		return nil
	case "-":
		return write(out)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// add takes a finished record into the book.
func (l *lab) add(r *report.Record) {
	if r.Server == "" && l.server != nil {
		r.Server = l.server.Name()
	}
	l.book.Records = append(l.book.Records, r)
}

// tell writes what a long run has found so far to the standard error, a line for each
// record, for whoever waits.
func (l *lab) tell(r *report.Record) {
	if l.opts.quiet {
		return
	}
	l.progress.end()
	fmt.Fprintln(l.errOut, r.Line())
	for _, p := range r.Problems {
		fmt.Fprintf(l.errOut, "  ! %s\n", p)
	}
}

// fail notes that a record is not clean.
func (l *lab) fail(r *report.Record, format string, args ...any) {
	l.failures++
	r.Problem(format, args...)
}

// Flags of our own server: for load tests in general, and to make accounts quickly.
var (
	loadFlags = []string{"-addr", "{addr}", "-db", "{dir}/bench.db", "-limits", "off", "-log-level", "warn", "-guests", "on-connect"}
	fastHash  = []string{"-hash-memory", "64", "-hash-time", "1"}
)

// open prepares the server that the options name, or else this repository's own with
// these flags.
func (l *lab) open(ownFlags ...string) error {
	o := l.opts
	more := strings.Fields(o.serverFlags)
	cfg := target.Config{Name: "tavern", CPU: o.pin, Addr: o.addr, PID: o.pid, Metrics: o.metrics}
	switch {
	case o.addr != "":
		cfg.Name = o.addr
	case o.serverCmd != "":
		cfg.Command = append(strings.Fields(o.serverCmd), more...)
		if len(cfg.Command) == 0 || !strings.Contains(o.serverCmd, "{addr}") && !strings.Contains(o.serverCmd, "{port}") {
			return errors.New("-server-cmd must say {addr} or {port}: the server's place is chosen here")
		}
		cfg.Name = filepath.Base(cfg.Command[0])
		if cfg.Command[0] == "go" {
			cfg.Name = filepath.Base(cfg.Command[min(2, len(cfg.Command)-1)])
		}
	default:
		l.progress.say("building the server")
		cfg.Command = append(append([]string{"go", "run", "tavern/server"}, ownFlags...), more...)
	}
	return l.use(cfg)
}

// use replaces the server under test.
func (l *lab) use(cfg target.Config) error {
	if err := l.close(); err != nil {
		return err
	}
	server, err := target.Open(cfg)
	if err != nil {
		return err
	}
	l.server = server
	return nil
}

// start starts the server with more flags, and a new crowd for so many connections.
func (l *lab) start(ctx context.Context, connections int, extra ...string) error {
	if err := l.closeFleet(); err != nil {
		return err
	}
	l.progress.say("starting " + l.server.Name())
	if err := l.server.Start(ctx, extra...); err != nil {
		return err
	}
	if l.opts.pinSelf >= 0 { // not before the server is built
		if err := pinProcess(l.opts.pinSelf); err != nil {
			return err
		}
	}
	return l.openFleet(ctx, connections)
}

// openFleet makes a new crowd for so many connections.
func (l *lab) openFleet(ctx context.Context, connections int) error {
	addr, err := swarm.Resolve(l.server.Addr())
	if err != nil {
		return err
	}
	cfg := swarm.Config{
		Target: addr, Path: l.opts.path, Sources: l.opts.sources,
		ReceiveBufferBytes: l.opts.rcvBuf, CPU: l.opts.pinSelf,
	}
	l.fleet, err = swarm.NewFleet(ctx, cfg, connections, l.opts.procs, []string{workerMode}, l.progress.tell)
	return err
}

// connect fills the room; a connection that fails is an error.
func (l *lab) connect(ctx context.Context, count int) (*swarm.ConnectResult, error) {
	l.progress.begin(fmt.Sprintf("connecting %d", count))
	plan := swarm.ConnectPlan{Count: count, InFlight: l.opts.inFlight, Limit: 2 * time.Minute}
	if l.opts.hello {
		plan.Hello = "good evening"
	}
	r, err := l.fleet.Connect(plan)
	if err != nil {
		return nil, err
	}
	if len(r.Failures) > 0 {
		return nil, fmt.Errorf("not all of %d connections came about: %s", count, counts(r.Failures))
	}
	// A connection hears once the server has taken it in, some time after the handshake.
	const settle = time.Second
	if r.Opened > 0 && !waitUntil(ctx, swarm.Now()+int64(settle)) {
		return nil, context.Cause(ctx)
	}
	return r, nil
}

// window is what the server took in the measured part of a run.
type window struct {
	cpu      time.Duration
	rss      int64 // at the end
	known    bool
	work     target.Distribution // of the ticks, in seconds
	late     target.Distribution
	hasTicks bool

	others float64 // processors that neither server nor generator used, but somebody
	stolen float64 // processors that the hypervisor gave to somebody else
}

// measure carries out a run and looks at the server at both ends of its window. Ticks
// are only read when asked for: reading costs the server a millisecond.
func (l *lab) measure(ctx context.Context, plan swarm.RunPlan, ticks bool) (*swarm.RunResult, window, error) {
	var w window
	var wg sync.WaitGroup
	watching, stop := context.WithCancel(ctx)
	wg.Go(func() { w = l.watch(watching, plan, ticks) })
	wg.Go(func() { l.showTime(watching, plan) })
	result, err := l.fleet.Run(plan)
	if err != nil {
		stop()
	}
	wg.Wait()
	stop()
	if err != nil {
		return nil, w, err
	}
	return result, w, l.server.Alive()
}

// watch looks at the server at both ends of the window.
func (l *lab) watch(ctx context.Context, plan swarm.RunPlan, ticks bool) (w window) {
	before, ok := l.look(ctx, plan.MeasureFrom, ticks)
	if !ok {
		return w
	}
	after, ok := l.look(ctx, plan.End, ticks)
	if !ok {
		return w
	}
	if before.known && after.known {
		w.cpu, w.rss, w.known = after.server.CPU-before.server.CPU, after.server.RSSBytes, true
		seconds := plan.Window().Seconds()
		if l.fleet.Processes() == 1 { // what child processes took is only known later
			w.others = after.others(before) / seconds
		}
		w.stolen = (after.host.Stolen - before.host.Stolen).Seconds() / seconds
	}
	if before.metrics != nil && after.metrics != nil {
		w.work = after.metrics.Since(before.metrics, "game_tick_seconds")
		w.late = after.metrics.Since(before.metrics, "game_tick_late_seconds")
		w.hasTicks = w.work.Count > 0
	}
	return w
}

// reading is one look at everything outside the crowd.
type reading struct {
	server  target.Usage
	host    target.Host
	own     time.Duration   // processor time of this process
	known   bool            // whether the above is
	metrics *target.Metrics // nil when unknown or not asked for
}

// others returns the seconds of processor time that neither server nor generator used
// since the earlier reading, but somebody.
func (r reading) others(earlier reading) float64 {
	all := r.host.Busy - earlier.host.Busy
	ours := r.server.CPU - earlier.server.CPU + r.own - earlier.own
	return max(0, (all - ours).Seconds())
}

// look reads everything at a time; false when ctx was done before.
func (l *lab) look(ctx context.Context, at int64, ticks bool) (r reading, ok bool) {
	if !waitUntil(ctx, at) {
		return r, false
	}
	if ticks {
		if m, err := l.server.Metrics(ctx); err == nil {
			r.metrics = m
		}
	}
	var errServer, errHost error
	r.server, errServer = l.server.Usage()
	r.host, errHost = target.ReadHost()
	r.own = ownCPU()
	r.known = errServer == nil && errHost == nil
	return r, true
}

// showTime moves the progress bar with the time of the plan.
func (l *lab) showTime(ctx context.Context, plan swarm.RunPlan) {
	const step = int64(200 * time.Millisecond)
	for now := plan.Start; now < plan.End; now += step {
		l.progress.tell(swarm.Progress{Done: int((now - plan.Start) / step), Total: int((plan.End-plan.Start)/step) + 1})
		if !waitUntil(ctx, now+step) {
			return
		}
	}
}

// waitUntil waits for a time on the clock of swarm.Now; false when ctx is done before.
func waitUntil(ctx context.Context, at int64) bool {
	timer := time.NewTimer(time.Duration(at - swarm.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// bearable is the share of a processor that other programs may use during a
// measurement without a remark.
const bearable = 0.1

// calm waits until other programs rest, at most for the time of -calm.
func (l *lab) calm(ctx context.Context) error {
	const look = 500 * time.Millisecond
	for deadline := swarm.Now() + int64(l.opts.calm); swarm.Now() < deadline; {
		l.progress.begin("waiting for other programs to rest")
		before, ok := l.look(ctx, swarm.Now(), false)
		if !ok {
			return context.Cause(ctx)
		}
		after, ok := l.look(ctx, swarm.Now()+int64(look), false)
		if !ok {
			return context.Cause(ctx)
		}
		if after.others(before) < bearable*look.Seconds() {
			return nil
		}
	}
	return nil
}

// soon returns a plan that begins at once, with its warm-up and its window.
func soon(warmup, length time.Duration) swarm.RunPlan {
	start := swarm.Now() + int64(50*time.Millisecond)
	return swarm.RunPlan{
		Start:       start,
		MeasureFrom: start + int64(warmup),
		End:         start + int64(warmup+length),
	}
}

// nonce returns four letters for account names.
func nonce() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	b := make([]byte, 4)
	for i := range b {
		b[i] = letters[rand.IntN(len(letters))]
	}
	return string(b)
}

// conditions adds what the figures of a record depend on besides the server: how busy
// the generator was, with a warning when it may have been the limit itself, and who
// else was at work.
func conditions(r *report.Record, run *swarm.RunResult, w window) {
	busy := run.Busy()
	r.Add("generator busy", busy*100, "%")
	if busy > 0.85 {
		r.Problem("the generator was busy for %.0f %% of the time: it, and not the server, may be the limit", busy*100)
	}
	if run.Chat != nil {
		// Latencies count from when a chat was due: this lateness is in them.
		if late := run.Chat.Late.Quantile(0.99); late > 20*time.Millisecond {
			r.Problem("the generator itself sent late: p99 %v", late.Round(time.Millisecond))
		}
	}
	if w.others > bearable {
		r.Problem("other programs used %.0f %% of a processor meanwhile", w.others*100)
	}
	if w.stolen > bearable {
		r.Problem("the hypervisor withheld %.0f %% of a processor meanwhile", w.stolen*100)
	}
}
