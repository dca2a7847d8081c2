package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
)

// moveFlags say who walks where.
type moveFlags struct {
	walkers    intList
	neighbours float64
	cell       float64
	speed      float64
	leg        float64
	observers  int
	nearest    int
	warmup     time.Duration
	length     time.Duration
}

// moveMode measures a world in which everybody walks.
func moveMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	f := moveFlags{walkers: intList{3000}}
	fs.Var(&f.walkers, "walkers", "`players` that walk; several separated by commas are measured one after the other")
	fs.Float64Var(&f.neighbours, "neighbours", 30, "`players` in view of each on average; makes the world so large")
	fs.Float64Var(&f.cell, "cell", 640, "edge of a cell of the server's interest grid in `pixels`")
	fs.Float64Var(&f.speed, "speed", 70, "the server's walking speed in `pixels` per second")
	fs.Float64Var(&f.leg, "leg", 700, "`pixels` that each walks before it turns round, half to one and a half times that")
	fs.IntVar(&f.observers, "observers", 200, "`players` that follow what they are told of each neighbour")
	fs.IntVar(&f.nearest, "nearest", 10, "`neighbours` whose staleness is reported apart")
	fs.DurationVar(&f.warmup, "warmup", 3*time.Second, "`duration` of walking before the measurement")
	fs.DurationVar(&f.length, "time", 10*time.Second, "`duration` of the measurement")
	return func(ctx context.Context, l *lab) error {
		if f.speed <= 0 || f.leg < 5*f.speed || f.cell <= 0 || f.neighbours <= 0 {
			return errors.New("-speed, -cell and -neighbours must be above 0, and a -leg must take five seconds at least")
		}
		if err := l.open(append(loadFlags, fastHash...)...); err != nil {
			return err
		}
		plot := &report.Plot{Title: "Tick work over walkers", XLabel: "walkers", YLabel: "ms"}
		for _, walkers := range f.walkers {
			r, err := walk(ctx, l, f, walkers)
			if err != nil {
				return err
			}
			plot.Add("p50", float64(walkers), r.Get("tick work p50"))
			plot.Add("p99", float64(walkers), r.Get("tick work p99"))
			l.add(r)
		}
		l.book.Plots = append(l.book.Plots, plot)
		return nil
	}
}

func walk(ctx context.Context, l *lab, f moveFlags, walkers int) (*report.Record, error) {
	w := worldFor(walkers, f.neighbours, f.cell)
	place := w.place(walkers, f.leg)
	flags := w.flags()
	name, err := l.settle(ctx, walkers, place, flags)
	if err != nil {
		return nil, err
	}
	flags = append(flags, "-speed", fmt.Sprint(f.speed))
	if err := l.start(ctx, walkers, flags...); err != nil {
		return nil, err
	}
	defer l.server.Stop()
	if _, err := l.connect(ctx, walkers); err != nil {
		return nil, err
	}
	in, err := l.enter(name, walkers, min(f.observers, walkers), place)
	if err != nil {
		return nil, err
	}
	if err := l.calm(ctx); err != nil {
		return nil, err
	}
	plan := soon(f.warmup, f.length)
	plan.Walk = &swarm.WalkPlan{Place: place, UnitsPerSecond: f.speed, Nearest: f.nearest}
	l.progress.begin(fmt.Sprintf("%d walkers", walkers))
	run, win, err := l.measure(ctx, plan, true)
	if err != nil {
		return nil, err
	}
	r := &report.Record{Mode: "move", Case: fmt.Sprintf("walkers=%d/neighbours=%.0f", walkers, f.neighbours)}
	walkFigures(l, r, run, win)
	if in.Displaced > 0 {
		l.fail(r, "%d players were not where they had been left", in.Displaced)
	}
	if in.Strangers > 0 {
		l.fail(r, "%d players were shown somebody else first", in.Strangers)
	}
	return r, nil
}

// walkFigures adds what one run of walking gave.
func walkFigures(l *lab, r *report.Record, run *swarm.RunResult, w window) {
	walk := run.Walk
	seconds := run.Window.Seconds()
	r.Add("shown to each", walk.Shown.Mean(), "")
	r.Add("shown, most", walk.Shown.Max, "")
	r.Add("updates per client", walk.Updates.Mean()/seconds, "/s")
	r.Add("received per client", walk.Bytes.Mean()/seconds/1000, "KB/s")
	r.Add("received, most", walk.Bytes.Max/seconds/1000, "KB/s")
	r.Add("deliveries/s", walk.Updates.Sum/seconds, "/s")
	// What even the fastest delivery took is not in the ages: see swarm.WalkResult.
	// Nearly the fastest answers to a Target waited for no tick, and show it.
	hidden := walk.Response.Quantile(0.05)
	stale, nearest := walk.Staleness.Shifted(hidden), walk.Nearest.Shifted(hidden)
	r.AddTime("staleness p50", quantile(stale, 0.50))
	r.AddTime("staleness p99", quantile(stale, 0.99))
	r.AddTime("nearest p50", quantile(nearest, 0.50))
	r.AddTime("nearest p99", quantile(nearest, 0.99))
	r.AddTime("target answered p50", quantile(walk.Response, 0.50))
	r.AddTime("target answered p99", quantile(walk.Response, 0.99))
	tickFigures(r, w)
	if w.known {
		r.Add("server busy", w.cpu.Seconds()/seconds*100, "%")
		r.Add("server RSS", float64(w.rss)/(1<<20), "MB")
	}
	conditions(r, run, w)
	if walk.Unknown > 0 || walk.Doubled > 0 {
		l.fail(r, "%d observers heard %d times of actors that were never announced, and %d times of one as new that was not",
			walk.Observers, walk.Unknown, walk.Doubled)
	}
	if walk.Staleness.Count() == 0 {
		l.fail(r, "no observer saw anybody walk")
	}
	if len(run.Closes) > 0 {
		l.fail(r, "the server ended connections: %s", counts(run.Closes))
	}
}
