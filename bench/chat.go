package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"strings"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
)

// chatFlags say how the room is made and what counts as passed.
type chatFlags struct {
	rooms     intList
	rates     floatList
	players   bool
	bound     time.Duration
	length    time.Duration
	warmup    time.Duration
	senders   int
	textBytes int
	search    search
}

func (c *chatFlags) register(fs *flag.FlagSet) {
	c.rooms = intList{1000}
	fs.Var(&c.rooms, "room", "`connections` in the room; several separated by commas are measured one after the other")
	fs.Var(&c.rates, "rate", "chats per second, `rate[,rate...]`; none = search for the highest")
	fs.BoolVar(&c.players, "players", false, "the room are logged-in players, not guests")
	fs.DurationVar(&c.bound, "bound", 200*time.Millisecond, "`p99` that a search keeps under, and a fixed rate too; 0 = any")
	fs.DurationVar(&c.length, "time", 5*time.Second, "`duration` of each measurement")
	fs.DurationVar(&c.warmup, "warmup", 2*time.Second, "`duration` before it at the same rate")
	fs.IntVar(&c.senders, "senders", 0, "`connections` that talk, in turns; 0 = all of the room")
	fs.IntVar(&c.textBytes, "text", 64, "text of a chat in `bytes`")
	fs.Float64Var(&c.search.from, "from", 100, "first `rate` of a search")
	fs.Float64Var(&c.search.top, "to", 40000, "highest `rate` of a search")
	fs.Float64Var(&c.search.step, "step", 2, "`factor` by which a search climbs")
	fs.Float64Var(&c.search.resolution, "resolution", 0.05, "`share` by which the first failing rate may exceed the result")
	fs.IntVar(&c.search.tries, "tries", 2, "`times` that a rate must fail in a row")
}

func (c *chatFlags) check() error {
	if c.search.step <= 1 || c.search.resolution <= 0 || c.search.from <= 0 {
		return errors.New("-step must be above 1, -resolution and -from above 0")
	}
	return checkText(c.textBytes)
}

func checkText(n int) error {
	if n < swarm.MinTextBytes || n > swarm.MaxTextBytes {
		return fmt.Errorf("-text %d: must be from %d to %d bytes", n, swarm.MinTextBytes, swarm.MaxTextBytes)
	}
	return nil
}

// chatMode measures a chat room.
func chatMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var c chatFlags
	c.register(fs)
	return func(ctx context.Context, l *lab) error {
		if err := c.check(); err != nil {
			return err
		}
		if err := l.open(append(loadFlags, fastHash...)...); err != nil {
			return err
		}
		for _, room := range c.rooms {
			r := &chatRoom{lab: l, flags: c, size: room}
			if err := r.measure(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// chatRoom is one room of one size on one server.
type chatRoom struct {
	lab   *lab
	flags chatFlags
	size  int
	plot  *report.Plot

	others float64 // processors that other programs used during the last measurement
}

// measure starts the server, fills the room, and tries the rates.
func (c *chatRoom) measure(ctx context.Context) error {
	l := c.lab
	if err := l.start(ctx, c.size); err != nil {
		return err
	}
	defer l.server.Stop()
	c.newPlot()
	if len(c.flags.rates) == 0 {
		_, err := c.find(ctx)
		return err
	}
	for _, rate := range c.flags.rates {
		record, ok, err := c.try(ctx, rate)
		if err != nil {
			return err
		}
		if !ok {
			l.failures++
		}
		l.add(record)
	}
	if len(c.flags.rates) > 1 {
		l.book.Plots = append(l.book.Plots, c.plot)
	}
	return nil
}

func (c *chatRoom) newPlot() {
	c.plot = &report.Plot{
		Title:  fmt.Sprintf("Chat latency, %d in the room (%s)", c.size, c.lab.server.Name()),
		XLabel: "deliveries per second", YLabel: "latency, ms",
		LogX: true, LogY: true, Limit: float64(c.flags.bound) / float64(time.Millisecond),
	}
}

// maxDisturbed is how often a search repeats a probe that failed while other programs
// were at work.
const maxDisturbed = 3

// find searches for the highest rate and records all probes and the best again.
func (c *chatRoom) find(ctx context.Context) (best *report.Record, err error) {
	l := c.lab
	var bestRate float64
	rate, err := c.flags.search.run(ctx, func(ctx context.Context, rate float64) (bool, error) {
		for disturbed := 0; ; disturbed++ {
			record, ok, err := c.try(ctx, rate)
			if err != nil {
				return false, err
			}
			record.Mode = "probe"
			l.add(record)
			if ok && rate > bestRate {
				bestRate, best = rate, record
			}
			// A failure that other programs may have caused says nothing, unless it stays.
			if ok || c.others < 2*bearable || disturbed == maxDisturbed {
				return ok, nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	l.book.Plots = append(l.book.Plots, c.plot)
	if best == nil {
		none := &report.Record{Mode: "chat", Case: fmt.Sprintf("room=%d/best", c.size)}
		none.Add("deliveries/s", 0, "/s")
		l.fail(none, "no rate passed")
		l.add(none)
		return none, nil
	}
	found := *best
	found.Mode = "chat"
	found.Case = fmt.Sprintf("room=%d/best", c.size)
	found.Figures = append([]report.Figure{{Name: "rate", Value: rate, Unit: "/s"}}, best.Figures...)
	l.add(&found)
	return &found, nil
}

// fill makes the room whole: a probe that was too much may have cost connections.
func (c *chatRoom) fill(ctx context.Context) error {
	l := c.lab
	r, err := l.connect(ctx, c.size)
	if err != nil || !c.flags.players || r.Opened == 0 {
		return err
	}
	if r.Opened < c.size {
		if err := l.fleet.HangUp(); err != nil {
			return err
		}
		if _, err := l.connect(ctx, c.size); err != nil {
			return err
		}
	}
	l.progress.begin("logging in")
	in, err := l.fleet.Login(swarm.LoginPlan{Nonce: nonce(), Register: true, InFlight: l.opts.inFlight})
	if err == nil && in.Present < c.size {
		err = fmt.Errorf("only %d of %d players got in: %s", in.Present, c.size, counts(in.Failures))
	}
	return err
}

// try measures one rate and says whether it passed.
func (c *chatRoom) try(ctx context.Context, rate float64) (*report.Record, bool, error) {
	l := c.lab
	if err := c.fill(ctx); err != nil {
		return nil, false, err
	}
	if err := l.calm(ctx); err != nil {
		return nil, false, err
	}
	l.run++
	plan := soon(c.flags.warmup, c.flags.length)
	deliveries := rate * float64(c.size-1)
	senders := c.size
	if c.flags.senders > 0 {
		senders = min(c.flags.senders, senders)
	}
	plan.Chat = &swarm.ChatPlan{
		Run: l.run, PerSecond: rate, Senders: c.flags.senders, TextBytes: c.flags.textBytes,
		SampleEvery: sampleEvery(deliveries), Checked: checkedReceivers(c.size, senders),
	}
	l.progress.begin(fmt.Sprintf("%d in the room, %.0f chats/s", c.size, rate))
	run, w, err := l.measure(ctx, plan, false)
	if err != nil {
		return nil, false, err
	}
	c.others = w.others
	if err := l.fleet.Settle(run, swarm.DrainPlan{}); err != nil {
		return nil, false, err
	}
	r := &report.Record{Mode: "chat", Case: fmt.Sprintf("room=%d/rate=%.0f", c.size, rate)}
	chatFigures(r, run, w)
	lines := judge(run, c.flags.bound)
	r.Problems = append(r.Problems, lines...)
	c.plot.Add("p50", r.Get("deliveries/s"), r.Get("p50"))
	c.plot.Add("p99", r.Get("deliveries/s"), r.Get("p99"))
	c.plot.Add("p99.9", r.Get("deliveries/s"), r.Get("p99.9"))
	return r, len(lines) == 0, nil
}

// sampleEvery keeps the latencies taken near 200,000 a second, at odd distances that
// do not fall into step with a server's batches.
func sampleEvery(deliveriesPerSecond float64) int {
	const perSecond = 200_000
	return int(deliveriesPerSecond/perSecond) | 1
}

// checkedReceivers is how many receivers have the order of all senders followed: all,
// as far as 16 MB of sequence numbers go.
func checkedReceivers(room, senders int) int {
	const sequences = 4 << 20
	return min(room, max(1, sequences/max(1, senders)))
}

// chatFigures adds what one run of chat gave.
func chatFigures(r *report.Record, run *swarm.RunResult, w window) {
	chat := run.Chat
	seconds := run.Window.Seconds()
	r.Add("deliveries/s", float64(chat.Heard)/seconds, "/s")
	latencies(r, chat.Latency)
	r.Add("lost", float64(chat.Lost), "")
	if w.known {
		perMillion := math.NaN()
		if chat.Heard > 0 {
			perMillion = w.cpu.Seconds() / (float64(chat.Heard) / 1e6)
		}
		r.Add("CPU per million", perMillion, "s")
		r.Add("server busy", w.cpu.Seconds()/seconds*100, "%")
		r.Add("server RSS", float64(w.rss)/(1<<20), "MB")
	}
	conditions(r, run, w)
	accountDetails(r, run)
}

// accountDetails adds what the account of a run consists of, warm-up and all.
func accountDetails(r *report.Record, run *swarm.RunResult) {
	r.AddDetail("said", float64(run.Chat.Said))
	r.AddDetail("receivers", float64(run.Chat.Receivers))
	r.AddDetail("expected", float64(run.Chat.Expected))
	r.AddDetail("delivered", float64(run.Chat.HeardAll))
	r.AddDetail("doubled", float64(run.Chat.Doubled))
	r.AddDetail("reordered", float64(run.Chat.Reordered))
	r.AddDetail("receivers in order", float64(run.Chat.Checked))
}

// latencies adds the quantiles that every latency is reported in.
func latencies(r *report.Record, h *swarm.Histogram) {
	r.AddTime("p50", quantile(h, 0.50))
	r.AddTime("p95", quantile(h, 0.95))
	r.AddTime("p99", quantile(h, 0.99))
	r.AddTime("p99.9", quantile(h, 0.999))
	r.AddTime("max", quantile(h, 1))
}

// quantile returns the exact maximum for 1, and a negative duration, unknown, when
// nothing was recorded.
func quantile(h *swarm.Histogram, q float64) time.Duration {
	switch {
	case h.Count() == 0:
		return -1
	case q == 1:
		return h.Max()
	}
	return h.Quantile(q)
}

// judge lists everything about a run of chat that is not as it must be.
func judge(run *swarm.RunResult, bound time.Duration) []string {
	lines := account(run)
	chat := run.Chat
	if p99 := chat.Latency.Quantile(0.99); bound > 0 && p99 > bound {
		lines = append(lines, fmt.Sprintf("p99 of %v is over the bound of %v", p99.Round(time.Millisecond), bound))
	}
	if chat.Latency.Count() == 0 {
		lines = append(lines, "no chat of the window was heard")
	}
	return lines
}

// account lists what does not add up: every receiver must have heard every chat of
// the others exactly once and in order, and must still be there.
func account(run *swarm.RunResult) (lines []string) {
	chat := run.Chat
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if len(run.Closes) > 0 {
		say("the server ended connections: %s", counts(run.Closes))
	}
	if chat.Lost > 0 || chat.Doubled > 0 || chat.Wrong > 0 {
		say("%d of %d deliveries lost, %d doubled, %d receivers wrong", chat.Lost, chat.Expected, chat.Doubled, chat.Wrong)
	}
	if chat.Reordered > 0 {
		say("%d chats came after a later one of their sender", chat.Reordered)
	}
	if !chat.DrainEnded {
		say("not everything had come when the patience ended")
	}
	if chat.Silent > 0 {
		say("%d chats were not sent because their sender was gone", chat.Silent)
	}
	if chat.Unsent > 0 {
		say("the server did not take everything from %d senders", chat.Unsent)
	}
	if n := chat.Odd + run.Odd; n > 0 {
		say("%d frames of no known kind", n)
	}
	return lines
}

// checkAccount makes a record fail that does not add up.
func checkAccount(l *lab, r *report.Record, run *swarm.RunResult) {
	if lines := account(run); len(lines) > 0 {
		l.fail(r, "%s", strings.Join(lines, "; "))
	}
}
