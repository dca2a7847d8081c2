package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"strings"
	"time"

	"tavern/bench/report"
	"tavern/bench/swarm"
	"tavern/bench/target"
)

// soakFlags say what goes on at the same time.
type soakFlags struct {
	guests, players int
	rate            float64
	churn           float64
	stay            time.Duration
	halfway         float64
	garbage         float64
	slow            float64
	slowStay        time.Duration
	blocked         time.Duration
	warm            time.Duration
	length          time.Duration
	every           time.Duration
	bound           time.Duration
	margin          float64
	patience        time.Duration
	look            time.Duration
	textBytes       int
}

// soakMode runs everything at once for a long time and looks for what grows, for what
// stays behind when everybody has left, and for accounts that do not add up.
func soakMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var f soakFlags
	fs.IntVar(&f.guests, "guests", 500, "`connections` that hear and say everything as guests")
	fs.IntVar(&f.players, "players", 500, "`players` that hear and say everything, and walk")
	fs.Float64Var(&f.rate, "rate", 200, "`chats` per second of all of them")
	fs.Float64Var(&f.churn, "churn", 20, "`visitors` per second besides: guests and players, half of them say goodbye, half vanish with FIN or RST")
	fs.DurationVar(&f.stay, "stay", 3*time.Second, "`duration` of a visit")
	fs.Float64Var(&f.halfway, "halfway", 2, "`connections` per second that reset in the middle of a handshake, frame, login or write")
	fs.Float64Var(&f.garbage, "garbage", 4, "`connections` per second that send what is no packet or no frame; the answer is checked")
	fs.Float64Var(&f.slow, "slow", 1, "`connections` per second that read nothing or 4 KB/s until they are closed with 1013")
	fs.DurationVar(&f.slowStay, "slow-stay", 30*time.Second, "`duration` after which those look what has become of them")
	fs.DurationVar(&f.blocked, "max-blocked", 5*time.Second, "the started server's -max-blocked: after this `duration` it closes who reads nothing")
	fs.DurationVar(&f.warm, "warm", 20*time.Second, "`duration` of the same before it all, whose one-time costs are no leak")
	fs.DurationVar(&f.length, "time", 10*time.Minute, "`duration` of it all")
	fs.DurationVar(&f.every, "every", time.Minute, "`duration` of each row of the table")
	fs.DurationVar(&f.bound, "bound", 200*time.Millisecond, "`p99` that chat must keep in every row; 0 = any")
	fs.Float64Var(&f.margin, "margin", 8, "`MB` of heap that may be more when everybody has left: what the server does not trouble to collect")
	fs.DurationVar(&f.patience, "patience", time.Minute, "`duration` in which everything must be as before when everybody has left")
	fs.DurationVar(&f.look, "look", 4*time.Second, "`duration` between two looks at a server at rest, which needs two calm seconds to give memory back")
	fs.IntVar(&f.textBytes, "text", 64, "text of a chat in `bytes`")
	return func(ctx context.Context, l *lab) error {
		if f.guests+f.players < 2 || f.rate <= 0 || f.churn <= 0 || f.every <= 0 || f.length < f.every {
			return errors.New("soak needs two in the room, a -rate, a -churn, and a -time of one -every at least")
		}
		if f.stay >= f.every || f.slow > 0 && f.slowStay >= f.every {
			return errors.New("soak needs an -every that is longer than a -stay and a -slow-stay")
		}
		if err := checkText(f.textBytes); err != nil {
			return err
		}
		return soak(ctx, l, f)
	}
}

// soakRoom is what a soak goes through, in order.
type soakRoom struct {
	lab    *lab
	flags  soakFlags
	place  *swarm.Place
	name   string // of the players' accounts
	ledger ledger
}

func (s *soakRoom) size() int { return s.flags.guests + s.flags.players }

func soak(ctx context.Context, l *lab, f soakFlags) error {
	if err := l.open(append(loadFlags, fastHash...)...); err != nil {
		return err
	}
	w := worldFor(max(1, f.players), 30, 640)
	s := &soakRoom{lab: l, flags: f, place: w.place(max(1, f.players), 700)}
	var err error
	if f.players > 0 {
		if s.name, err = l.settle(ctx, f.players, s.place, w.flags()); err != nil {
			return err
		}
	}
	// Limits are on, or nobody would be closed for packet after packet that is none; those
	// of rates and addresses are lifted one by one. One of them besides would hide a leak:
	// from where each account was logged in to is remembered for weeks, bounded, but by much.
	flags := append(w.flags(), "-max-blocked", f.blocked.String(), "-limits", "on", "-max-per-ip", "0", "-chat-rate", "0", "-target-rate", "0",
		"-handshake-rate", "0", "-registrations-per-hour", "0", "-requests-per-ip", "0", "-login-tries", "0")
	if err := l.start(ctx, s.size(), flags...); err != nil {
		return err
	}
	before, err := s.warmUp(ctx)
	if err != nil {
		return err
	}
	if err := s.fill(ctx); err != nil {
		return err
	}
	begun, _ := l.server.Metrics(ctx) // nil for a server without
	if err := s.rows(ctx); err != nil {
		return err
	}
	l.progress.begin("everybody has left")
	if err := l.closeFleet(); err != nil {
		return err
	}
	return s.judge(ctx, before, begun)
}

// fill brings everybody who stays.
func (s *soakRoom) fill(ctx context.Context) error {
	l, f := s.lab, s.flags
	if _, err := l.connect(ctx, s.size()); err != nil {
		return err
	}
	if f.players == 0 {
		return nil
	}
	if !l.server.Owned() { // nobody has made accounts
		s.name = nonce()
	}
	_, err := l.enter(s.name, f.players, min(50, f.players), s.place)
	return err
}

// warmUp lets everything happen once, so that what the server makes once and keeps
// is there, and returns what it is like when everybody has left again.
func (s *soakRoom) warmUp(ctx context.Context) (*state, error) {
	l := s.lab
	if s.flags.warm > 0 {
		if err := s.fill(ctx); err != nil {
			return nil, err
		}
		warm := s.flags
		warm.slowStay = min(warm.slowStay, warm.warm/2)
		warm.stay = min(warm.stay, warm.warm/2)
		l.progress.begin("warming up")
		run, err := l.fleet.Run(s.plan(warm, warm.warm))
		if err != nil {
			return nil, err
		}
		if err := l.fleet.Settle(run, swarm.DrainPlan{}); err != nil {
			return nil, err
		}
	}
	if err := l.closeFleet(); err != nil {
		return nil, err
	}
	l.progress.begin("waiting for the server to rest")
	before, err := l.rest(ctx, s.flags.look, s.flags.patience, func(*state) bool { return true })
	if err != nil {
		return nil, err
	}
	return before, l.openFleet(ctx, s.size())
}

// plan is everything at once for so long.
func (s *soakRoom) plan(f soakFlags, length time.Duration) swarm.RunPlan {
	s.lab.run++
	plan := soon(time.Second, length)
	plan.Chat = &swarm.ChatPlan{
		Run: s.lab.run, PerSecond: f.rate, TextBytes: f.textBytes,
		SampleEvery: sampleEvery(f.rate * float64(s.size()-1)), Checked: checkedReceivers(s.size(), s.size()),
	}
	if f.players > 0 {
		plan.Walk = &swarm.WalkPlan{Place: s.place}
	}
	plan.Churn = &swarm.ChurnPlan{
		Nonce: nonce(), PerSecond: f.churn, Stay: f.stay,
		Halfway: f.halfway, Garbage: f.garbage, Slow: f.slow, SlowStay: f.slowStay,
	}
	return plan
}

func (s *soakRoom) rows(ctx context.Context) error {
	l, f := s.lab, s.flags
	memory := &report.Plot{Title: "Memory over time", XLabel: "minutes", YLabel: "MB"}
	chat := &report.Plot{Title: "Chat latency over time", XLabel: "minutes", YLabel: "ms", Limit: float64(f.bound) / float64(time.Millisecond)}
	l.book.Plots = append(l.book.Plots, memory, chat)
	rows := int(f.length / f.every)
	for row := range rows {
		l.progress.begin(fmt.Sprintf("soaking, %d of %d", row+1, rows))
		r, err := s.row(ctx, time.Duration(row+1)*f.every)
		if err != nil {
			return err
		}
		minutes := (time.Duration(row+1) * f.every).Minutes()
		memory.Add("server RSS", minutes, r.Get("server RSS"))
		chat.Add("p50", minutes, r.Get("p50"))
		chat.Add("p99", minutes, r.Get("p99"))
		l.add(r)
		l.tell(r)
	}
	return nil
}

// row is one of the soak's rows, which ends at the time at.
func (s *soakRoom) row(ctx context.Context, at time.Duration) (*report.Record, error) {
	l, f := s.lab, s.flags
	run, w, err := l.measure(ctx, s.plan(f, f.every), true)
	if err != nil {
		return nil, err
	}
	if err := l.fleet.Settle(run, swarm.DrainPlan{}); err != nil {
		return nil, err
	}
	s.ledger.take(run)
	r := &report.Record{Mode: "soak", Case: fmt.Sprintf("%v", at.Round(time.Second))}
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
	s.judgeChurn(r, run.Churn)
	return r, nil
}

// judgeChurn looks at what became of those who came and went.
func (s *soakRoom) judgeChurn(r *report.Record, c *swarm.ChurnResult) {
	l := s.lab
	if c.Refused+c.Ended+c.Unanswered > 0 {
		l.fail(r, "visitors: %d refused, %d thrown out, %d whose end the server did not notice", c.Refused, c.Ended, c.Unanswered)
	}
	if len(c.Wrong) > 0 {
		l.fail(r, "wrong answers: %s", counts(c.Wrong))
	}
	if kept := c.Slow[swarm.SlowStop+": kept"]; kept > 0 && l.server.Owned() {
		l.fail(r, "%d who read nothing for %v were not thrown out", kept, s.flags.slowStay)
	}
	if c.Stuck > 0 {
		r.Problem("%d visitors were not in before their %v were over", c.Stuck, s.flags.stay)
	}
}

// judge waits until the server is what it was, and adds up.
func (s *soakRoom) judge(ctx context.Context, before *state, begun *target.Metrics) error {
	l, f := s.lab, s.flags
	c := &s.ledger.churn
	r := &report.Record{Mode: "churn", Case: "all"}
	for _, kind := range []struct {
		name string
		of   map[string]int
	}{{"visitors", c.Parted}, {"resets in the middle", c.Halves}, {"garbage", c.Garbage}, {"slow readers", c.Slow}} {
		sum := 0
		for n := range maps.Values(kind.of) {
			sum += n
		}
		r.Add(kind.name, float64(sum), "")
		if sum > 0 {
			r.Note("%s: %s", kind.name, counts(kind.of))
		}
	}
	l.add(r)
	if before == nil {
		r.Problem("the server has no /metrics: whether anything was left behind is unknown")
		return nil
	}
	after, err := l.rest(ctx, f.look, f.patience, func(now *state) bool { return len(now.leaks(before, f.margin)) == 0 })
	if err != nil {
		return err
	}
	was, is := before.record("before"), after.record("after")
	if lines := after.leaks(before, f.margin); len(lines) > 0 {
		l.fail(is, "after %v: %s", f.patience, strings.Join(lines, "; "))
	}
	l.add(was)
	l.add(is)
	for _, b := range s.ledger.balances(begun, after.metrics, s.size()) {
		r := b.record()
		if !b.holds() {
			l.fail(r, "does not add up")
		}
		l.add(r)
	}
	return nil
}
