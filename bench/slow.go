package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
)

// slowMode measures what many feel of one reader that does not read.
func slowMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var (
		room   = fs.Int("room", 1000, "`connections` that read")
		rate   = fs.Float64("rate", 2000, "`chats` per second")
		kinds  = fs.String("kinds", strings.Join([]string{swarm.SlowStop, swarm.SlowTrickle, swarm.SlowReset}, ","), "slow readers to try, `kind[,kind...]`: stop reads nothing, trickle 4 KB/s, reset ends with a TCP reset in the middle")
		length = fs.Duration("time", 10*time.Second, "`duration` of each measurement")
		bound  = fs.Duration("bound", 50*time.Millisecond, "by so much may the others' `p99` rise: one tick")
		text   = fs.Int("text", 64, "text of a chat in `bytes`")
	)
	return func(ctx context.Context, l *lab) error {
		if *room < 2 || *rate <= 0 {
			return errors.New("-room must be 2 or more, -rate above 0")
		}
		if err := checkText(*text); err != nil {
			return err
		}
		if err := l.open(append(loadFlags, fastHash...)...); err != nil {
			return err
		}
		if err := l.start(ctx, *room+1); err != nil {
			return err
		}
		s := slowRoom{lab: l, room: *room, rate: *rate, text: *text, length: *length}
		before, err := s.run(ctx, nil)
		if err != nil {
			return err
		}
		var records []*report.Record
		for kind := range strings.SplitSeq(*kinds, ",") {
			r, err := s.run(ctx, &swarm.SlowPlan{Kind: strings.TrimSpace(kind), After: *length / 2})
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		after, err := s.run(ctx, nil)
		if err != nil {
			return err
		}
		// A shared machine has worse minutes of its own.
		base := max(before.Get("p99"), after.Get("p99"))
		for _, r := range records {
			if rise := r.Get("p99") - base; rise > float64(*bound)/float64(time.Millisecond) {
				l.fail(r, "the others' p99 rose by %.0f ms", rise)
			}
		}
		return nil
	}
}

type slowRoom struct {
	lab    *lab
	room   int
	rate   float64
	text   int
	length time.Duration
}

// run measures the room with one slow reader, or without any.
func (s *slowRoom) run(ctx context.Context, slow *swarm.SlowPlan) (*report.Record, error) {
	l := s.lab
	if _, err := l.connect(ctx, s.room); err != nil {
		return nil, err
	}
	if err := l.calm(ctx); err != nil {
		return nil, err
	}
	l.run++
	plan := soon(2*time.Second, s.length)
	plan.Slow = slow
	plan.Chat = &swarm.ChatPlan{
		Run: l.run, PerSecond: s.rate, TextBytes: s.text,
		SampleEvery: sampleEvery(s.rate * float64(s.room)), Checked: checkedReceivers(s.room, s.room),
	}
	kind := "none"
	if slow != nil {
		kind = slow.Kind
	}
	before, _ := l.server.Usage() // unknown for a server without a process
	l.progress.begin("slow reader: " + kind)
	run, w, err := l.measure(ctx, plan, false)
	if err != nil {
		return nil, err
	}
	if err := l.fleet.Settle(run, swarm.DrainPlan{Worst: true}); err != nil {
		return nil, err
	}
	r := &report.Record{Mode: "slow", Case: "reader=" + kind}
	r.Add("deliveries/s", float64(run.Chat.Heard)/run.Window.Seconds(), "/s")
	latencies(r, run.Chat.Latency)
	r.AddTime("worst of any", time.Duration(maxOf(run.Chat.Worst)))
	r.Add("lost", float64(run.Chat.Lost), "")
	if w.known {
		r.Add("RSS growth", float64(w.rss-before.RSSBytes)/(1<<20), "MB")
	}
	conditions(r, run, w)
	accountDetails(r, run)
	checkAccount(l, r, run)
	if run.Slow != nil {
		r.Note("%s", fate(run.Slow))
	}
	l.add(r)
	return r, nil
}

// fate says what became of the slow reader.
func fate(slow *swarm.SlowResult) string {
	switch {
	case slow.Ended != "":
		return fmt.Sprintf("the server ended its connection with %s after %d bytes", slow.Ended, slow.Read)
	case slow.Kind == swarm.SlowReset:
		return "it reset its connection"
	}
	return fmt.Sprintf("the server kept it; it read %d bytes", slow.Read)
}

func maxOf(values []int64) (top int64) {
	for _, v := range values {
		top = max(top, v)
	}
	return top
}
