package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
)

// loginMode measures a storm at the door, and the tick during it.
func loginMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var (
		idle     = fs.Int("idle", 15000, "`connections` that are there all the time and say nothing")
		bots     = fs.Int("bots", 200, "`newcomers` at the door at any time: each registers, logs in, leaves, and comes again")
		length   = fs.Duration("time", 20*time.Second, "`duration` of the calm and of the storm each")
		fastHash = fs.Bool("fast-hash", false, "start the server with a cheap password hash, to see the limits behind it")
	)
	return func(ctx context.Context, l *lab) error {
		flags := loadFlags
		if *fastHash {
			flags = append(flags, "-hash-memory", "64", "-hash-time", "1")
		}
		if err := l.open(flags...); err != nil {
			return err
		}
		if err := l.start(ctx, *idle+*bots); err != nil {
			return err
		}
		if _, err := l.connect(ctx, *idle); err != nil {
			return err
		}
		plot := &report.Plot{Title: "Tick with a storm at the door", XLabel: "newcomers", YLabel: "ms"}
		l.book.Plots = append(l.book.Plots, plot)
		for _, storm := range []int{0, *bots} {
			r, err := doorRun(ctx, l, *idle, storm, *length)
			if err != nil {
				return err
			}
			plot.Add("tick late p99", float64(storm), r.Get("tick late p99"))
			plot.Add("tick work p99", float64(storm), r.Get("tick work p99"))
			l.add(r)
		}
		return nil
	}
}

func doorRun(ctx context.Context, l *lab, idle, bots int, length time.Duration) (*report.Record, error) {
	if err := l.calm(ctx); err != nil {
		return nil, err
	}
	plan := soon(2*time.Second, length)
	plan.Storm = &swarm.StormPlan{Nonce: nonce(), Bots: bots}
	l.progress.begin(fmt.Sprintf("%d newcomers at the door", bots))
	run, w, err := l.measure(ctx, plan, true)
	if err != nil {
		return nil, err
	}
	r := &report.Record{Mode: "login", Case: fmt.Sprintf("idle=%d/bots=%d", idle, bots)}
	seconds := run.Window.Seconds()
	storm := run.Storm
	r.Add("registrations/s", float64(storm.Registered)/seconds, "/s")
	r.Add("logins/s", float64(storm.LoggedIn)/seconds, "/s")
	r.AddTime("register p50", quantile(storm.Register, 0.50))
	r.AddTime("register p99", quantile(storm.Register, 0.99))
	r.AddTime("login p50", quantile(storm.Login, 0.50))
	r.AddTime("login p99", quantile(storm.Login, 0.99))
	denied := 0
	for _, n := range storm.Denied {
		denied += n
	}
	r.Add("denied", float64(denied), "")
	tickFigures(r, w)
	if w.known {
		r.Add("server busy", w.cpu.Seconds()/seconds*100, "%")
	}
	conditions(r, run, w)
	if denied > 0 {
		r.Problem("denied: %s", counts(storm.Denied))
	}
	if len(storm.Failures) > 0 {
		l.fail(r, "newcomers failed: %s", counts(storm.Failures))
	}
	if len(run.Closes) > 0 {
		l.fail(r, "the server ended idle connections: %s", counts(run.Closes))
	}
	if bots > 0 && storm.LoggedIn == 0 {
		l.fail(r, "nobody got in")
	}
	return r, nil
}

// tickFigures adds what the server's own histograms say of its ticks.
func tickFigures(r *report.Record, w window) {
	if !w.hasTicks {
		r.Problem("the server has no tick metrics")
		return
	}
	r.AddTime("tick work p50", w.work.QuantileDuration(0.50))
	r.AddTime("tick work p99", w.work.QuantileDuration(0.99))
	r.AddTime("tick late p50", w.late.QuantileDuration(0.50))
	r.AddTime("tick late p99", w.late.QuantileDuration(0.99))
}
