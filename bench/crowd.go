package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
)

// crowdMode logs everybody in on the spot where new accounts begin.
func crowdMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	f := idleFlags{steps: 1}
	fs.IntVar(&f.count, "n", 15000, "`players`")
	f.registerWindows(fs)
	return func(ctx context.Context, l *lab) error {
		if err := l.open(append(loadFlags, fastHash...)...); err != nil {
			return err
		}
		if err := l.start(ctx, f.count); err != nil {
			return err
		}
		before, err := l.restingUsage(ctx, 2*time.Second)
		if err != nil {
			return err
		}
		if _, err := l.connect(ctx, f.count); err != nil {
			return err
		}
		l.progress.begin("logging in")
		in, err := l.fleet.Login(swarm.LoginPlan{Nonce: nonce(), Register: true, InFlight: l.opts.inFlight})
		if err != nil {
			return err
		}
		if in.Present < f.count {
			return fmt.Errorf("only %d of %d players got in: %s", in.Present, f.count, counts(in.Failures))
		}
		after, err := l.restingUsage(ctx, f.wait)
		if err != nil {
			return err
		}
		r := &report.Record{Mode: "crowd", Case: fmt.Sprintf("n=%d", f.count)}
		crowdLogins(r, in)
		r.Add("shown to each", in.Shown.Mean(), "")
		r.Add("shown, most", in.Shown.Max, "")
		r.Add("RSS per player", float64(after.RSSBytes-before.RSSBytes)/float64(f.count), "B")
		if in.Strangers > 0 {
			l.fail(r, "%d players were shown somebody else first", in.Strangers)
		}
		if err := l.idleWindows(ctx, r, f); err != nil {
			return err
		}
		plot := &report.Plot{Title: "Logins on one spot", XLabel: "players there", YLabel: "logins per second"}
		for i, rate := range tenthRates(in) {
			plot.Add(l.server.Name(), float64(in.In)*(float64(i)+0.5)/10, rate)
		}
		l.book.Plots = append(l.book.Plots, plot)
		l.add(r)
		return nil
	}
}

// crowdLogins compares the first players with the last.
func crowdLogins(r *report.Record, in *swarm.LoginResult) {
	rates := tenthRates(in)
	r.Add("logins/s", float64(in.In)/(float64(in.To-in.From)/1e9), "/s")
	r.Add("logins/s, first tenth", rates[0], "/s")
	r.Add("logins/s, last tenth", rates[9], "/s")
	r.AddTime("login p50, first tenth", quantile(in.TenthsP50[0], 0.5))
	r.AddTime("login p50, last tenth", quantile(in.TenthsP50[9], 0.5))
	r.AddTime("login p99", quantile(in.Login, 0.99))
}

// tenthRates returns how fast each tenth of the players got in.
func tenthRates(in *swarm.LoginResult) (rates [10]float64) {
	from := in.From
	for i, to := range in.Tenths {
		if to > from {
			rates[i] = float64(in.In) / 10 / (float64(to-from) / 1e9)
			from = to
		}
	}
	return rates
}
