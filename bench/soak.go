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

// soakFlags say what goes on at the same time.
type soakFlags struct {
	guests, players int
	rate            float64
	churn           float64
	stay            time.Duration
	length          time.Duration
	every           time.Duration
	bound           time.Duration
	textBytes       int
}

// soakMode runs everything at once for a long time and looks for what grows.
func soakMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var f soakFlags
	fs.IntVar(&f.guests, "guests", 500, "`connections` that hear and say everything as guests")
	fs.IntVar(&f.players, "players", 500, "`players` that hear and say everything, and walk")
	fs.Float64Var(&f.rate, "rate", 200, "`chats` per second of all of them")
	fs.Float64Var(&f.churn, "churn", 20, "`visitors` per second besides: guests and players, half of them vanish without a word")
	fs.DurationVar(&f.stay, "stay", 3*time.Second, "`duration` of a visit")
	fs.DurationVar(&f.length, "time", 10*time.Minute, "`duration` of it all")
	fs.DurationVar(&f.every, "every", 30*time.Second, "`duration` of each row of the table")
	fs.DurationVar(&f.bound, "bound", 200*time.Millisecond, "`p99` that chat must keep in every row; 0 = any")
	fs.IntVar(&f.textBytes, "text", 64, "text of a chat in `bytes`")
	return func(ctx context.Context, l *lab) error {
		if f.guests+f.players < 2 || f.rate <= 0 || f.churn <= 0 || f.every <= 0 || f.length < f.every {
			return errors.New("soak needs two in the room, a -rate, a -churn, and a -time of one -every at least")
		}
		if err := checkText(f.textBytes); err != nil {
			return err
		}
		return soak(ctx, l, f)
	}
}

func soak(ctx context.Context, l *lab, f soakFlags) error {
	if err := l.open(append(loadFlags, fastHash...)...); err != nil {
		return err
	}
	w := worldFor(max(1, f.players), 30, 640)
	place := w.place(max(1, f.players), 700)
	name, room := "", f.guests+f.players
	var err error
	if f.players > 0 {
		if name, err = l.settle(ctx, f.players, place, w.flags()); err != nil {
			return err
		}
	}
	if err := l.start(ctx, room, w.flags()...); err != nil {
		return err
	}
	if _, err := l.connect(ctx, room); err != nil {
		return err
	}
	if f.players > 0 {
		if _, err := l.enter(name, f.players, min(50, f.players), place); err != nil {
			return err
		}
	}
	memory := &report.Plot{Title: "Memory over time", XLabel: "minutes", YLabel: "server RSS, MB"}
	chat := &report.Plot{Title: "Chat latency over time", XLabel: "minutes", YLabel: "ms", Limit: float64(f.bound) / float64(time.Millisecond)}
	l.book.Plots = append(l.book.Plots, memory, chat)
	rows := int(f.length / f.every)
	for row := range rows {
		r, err := soakRow(ctx, l, f, place, row, rows)
		if err != nil {
			return err
		}
		minutes := (time.Duration(row+1) * f.every).Minutes()
		memory.Add("RSS", minutes, r.Get("server RSS"))
		chat.Add("p50", minutes, r.Get("p50"))
		chat.Add("p99", minutes, r.Get("p99"))
		l.add(r)
	}
	return nil
}

func soakRow(ctx context.Context, l *lab, f soakFlags, place *swarm.Place, row, rows int) (*report.Record, error) {
	l.run++
	room := f.guests + f.players
	plan := soon(time.Second, f.every)
	plan.Chat = &swarm.ChatPlan{
		Run: l.run, PerSecond: f.rate, TextBytes: f.textBytes,
		SampleEvery: sampleEvery(f.rate * float64(room-1)), Checked: checkedReceivers(room, room),
	}
	if f.players > 0 {
		plan.Walk = &swarm.WalkPlan{Place: place}
	}
	plan.Churn = &swarm.ChurnPlan{Nonce: nonce(), PerSecond: f.churn, Stay: f.stay}
	l.progress.begin(fmt.Sprintf("soaking, %d of %d", row+1, rows))
	run, w, err := l.measure(ctx, plan, true)
	if err != nil {
		return nil, err
	}
	if err := l.fleet.Settle(run, swarm.DrainPlan{}); err != nil {
		return nil, err
	}
	r := &report.Record{Mode: "soak", Case: fmt.Sprintf("%v", (time.Duration(row+1) * f.every).Round(time.Second))}
	r.Add("deliveries/s", float64(run.Chat.Heard)/run.Window.Seconds(), "/s")
	r.AddTime("p50", quantile(run.Chat.Latency, 0.50))
	r.AddTime("p99", quantile(run.Chat.Latency, 0.99))
	r.AddTime("max", quantile(run.Chat.Latency, 1))
	r.Add("lost", float64(run.Chat.Lost), "")
	r.Add("visits", float64(run.Churn.Guests+run.Churn.Players), "")
	if w.hasTicks {
		r.AddTime("tick work p99", w.work.QuantileDuration(0.99))
	}
	if w.known {
		r.Add("server busy", w.cpu.Seconds()/run.Window.Seconds()*100, "%")
		r.Add("server RSS", float64(w.rss)/(1<<20), "MB")
	}
	conditions(r, run, w)
	accountDetails(r, run)
	if lines := judge(run, f.bound); len(lines) > 0 {
		l.failures++
		r.Problems = append(r.Problems, lines...)
	}
	if run.Walk != nil && run.Walk.Unknown+run.Walk.Doubled > 0 {
		l.fail(r, "observers heard %d times of actors that were never announced, and %d times of one as new that was not",
			run.Walk.Unknown, run.Walk.Doubled)
	}
	if c := run.Churn; c.Refused+c.Ended > 0 {
		l.fail(r, "visitors: %d refused, %d thrown out", c.Refused, c.Ended)
	}
	if run.Churn.Stuck > 0 {
		r.Problem("%d visitors were not in before their %v were over", run.Churn.Stuck, f.stay)
	}
	return r, nil
}
