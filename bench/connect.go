package main

import (
	"context"
	"flag"
	"fmt"

	"tavern/bench/report"
)

// connectMode measures a storm of handshakes.
func connectMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var (
		count  = fs.Int("n", 15000, "`connections` to make")
		rounds = fs.Int("rounds", 3, "`times` it is done, each on a server that has just started")
	)
	return func(ctx context.Context, l *lab) error {
		if err := l.open(append(loadFlags, fastHash...)...); err != nil {
			return err
		}
		for round := range *rounds {
			if err := connectRound(ctx, l, *count, round+1); err != nil {
				return err
			}
		}
		return nil
	}
}

func connectRound(ctx context.Context, l *lab, count, round int) error {
	if err := l.start(ctx, count); err != nil {
		return err
	}
	defer l.server.Stop()
	before, known := l.server.Usage()
	opened, err := l.connect(ctx, count)
	if err != nil {
		return err
	}
	after, stillKnown := l.server.Usage()

	r := &report.Record{Mode: "connect", Case: fmt.Sprintf("n=%d/round=%d", count, round)}
	r.Add("handshakes/s", float64(opened.Opened)/(float64(opened.To-opened.From)/1e9), "/s")
	latencies(r, opened.Latency)
	if known == nil && stillKnown == nil {
		r.Add("CPU per thousand", (after.CPU-before.CPU).Seconds()/float64(count)*1000, "s")
	}
	l.add(r)
	return l.closeFleet()
}
