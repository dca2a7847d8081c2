package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
	"tavern/bench/target"
)

// idleFlags say who idles, and how long is looked at.
type idleFlags struct {
	count      int
	steps      int
	players    bool
	neighbours float64
	wait       time.Duration
	window     time.Duration
	windows    int
}

func (f *idleFlags) register(fs *flag.FlagSet) {
	fs.IntVar(&f.count, "n", 15000, "`connections`")
	fs.IntVar(&f.steps, "steps", 1, "`times` that memory is looked at on the way there, for a plot")
	fs.BoolVar(&f.players, "players", false, "they are logged in and spread over the world, not guests")
	fs.Float64Var(&f.neighbours, "neighbours", 30, "`players` that each of them sees on average; makes the world so large; 0 = the server's own world")
	f.registerWindows(fs)
}

func (f *idleFlags) registerWindows(fs *flag.FlagSet) {
	fs.DurationVar(&f.wait, "wait", 8*time.Second, "`duration` from the last connection until memory is read")
	fs.DurationVar(&f.window, "window", 20*time.Second, "`duration` over which processor time is added up")
	fs.IntVar(&f.windows, "windows", 1, "`windows` of that length, one after the other")
}

// idleMode measures what connections cost that say nothing.
func idleMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var f idleFlags
	f.register(fs)
	return func(ctx context.Context, l *lab) error {
		if err := l.open(append(loadFlags, fastHash...)...); err != nil {
			return err
		}
		r, err := idle(ctx, l, f)
		if err != nil {
			return err
		}
		l.add(r)
		return nil
	}
}

// idle connects everybody and reads memory and processor time.
func idle(ctx context.Context, l *lab, f idleFlags) (*report.Record, error) {
	kind := "guests"
	var name string
	var flags []string
	var place *swarm.Place
	if f.players {
		kind = "players"
		w := defaultWorld
		if f.neighbours > 0 {
			w = worldFor(f.count, f.neighbours, 640)
			flags = w.flags()
		}
		place = w.place(f.count, 0)
		var err error
		if name, err = l.settle(ctx, f.count, place, flags); err != nil {
			return nil, err
		}
	}
	if err := l.start(ctx, f.count, flags...); err != nil {
		return nil, err
	}
	before, err := l.restingUsage(ctx, 2*time.Second)
	if err != nil {
		return nil, err
	}
	r := &report.Record{Mode: "idle", Case: fmt.Sprintf("n=%d/%s", f.count, kind)}
	plot := &report.Plot{Title: "Memory of " + kind + " who say nothing", XLabel: "connections", YLabel: "server RSS, MB"}
	plot.Add(l.server.Name(), 0, float64(before.RSSBytes)/(1<<20))
	var after target.Usage
	for step := range f.steps {
		count := f.count * (step + 1) / f.steps
		if _, err := l.connect(ctx, count); err != nil {
			return nil, err
		}
		if f.players {
			in, err := l.enter(name, count, 0, place)
			if err != nil {
				return nil, err
			}
			if in.Displaced > 0 && step == 0 {
				l.fail(r, "%d players were not where they had been left", in.Displaced)
			}
			if in.Strangers > 0 {
				l.fail(r, "%d players were shown somebody else first", in.Strangers)
			}
		}
		if after, err = l.restingUsage(ctx, f.wait); err != nil {
			return nil, err
		}
		plot.Add(l.server.Name(), float64(count), float64(after.RSSBytes)/(1<<20))
	}
	if f.steps > 1 {
		l.book.Plots = append(l.book.Plots, plot)
	}
	r.Add("RSS per connection", float64(after.RSSBytes-before.RSSBytes)/float64(f.count), "B")
	r.Add("RSS before", float64(before.RSSBytes)/(1<<20), "MB")
	r.Add("RSS with all", float64(after.RSSBytes)/(1<<20), "MB")
	return r, l.idleWindows(ctx, r, f)
}

// restingUsage lets everything rest and then reads what the server has taken.
func (l *lab) restingUsage(ctx context.Context, rest time.Duration) (target.Usage, error) {
	l.progress.begin("resting")
	if !waitUntil(ctx, swarm.Now()+int64(rest)) {
		return target.Usage{}, context.Cause(ctx)
	}
	return l.server.Usage()
}

// idleWindows adds the processor time of windows in which nobody says anything.
func (l *lab) idleWindows(ctx context.Context, r *report.Record, f idleFlags) error {
	if f.windows <= 0 {
		return nil
	}
	var sum, top time.Duration
	var frames uint64
	for i := range f.windows {
		if err := l.calm(ctx); err != nil {
			return err
		}
		l.progress.begin(fmt.Sprintf("window %d of %d", i+1, f.windows))
		run, w, err := l.measure(ctx, soon(0, f.window), false)
		if err != nil {
			return err
		}
		sum += w.cpu
		top = max(top, w.cpu)
		frames += run.Frames
		if len(run.Closes) > 0 {
			l.fail(r, "the server ended idle connections: %s", counts(run.Closes))
		}
	}
	r.Add(fmt.Sprintf("CPU per %v", f.window), sum.Seconds()/float64(f.windows), "s")
	if f.windows > 1 {
		r.Add("CPU, worst window", top.Seconds(), "s")
	}
	r.Add("frames heard", float64(frames), "")
	return nil
}
