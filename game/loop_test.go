package game

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tavern/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRunTicks: in a bubble's fake time a second has exactly twenty ticks.
func TestRunTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = l.Run(ctx, time.Second) }()
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		if got := l.Stats().Ticks.Load(); got != 20 {
			t.Errorf("%d ticks in a second, want 20", got)
		}
		cancel()
		<-done
	})
}

// TestLateTicks: of a pause of ten ticks two are caught up at once, the rest is
// dropped and counted, and the loop keeps its beat.
func TestLateTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lates []time.Duration
		l := New(Config{Observe: func(_, late time.Duration) { lates = append(lates, late) }})
		due := time.Now()
		time.Sleep(10 * 50 * time.Millisecond)
		next, err := l.catchUp(due)
		if err != nil {
			t.Error(err)
		}
		if got := l.Stats().Ticks.Load(); got != maxLateTicks {
			t.Errorf("%d ticks at once, want %d", got, maxLateTicks)
		}
		// Due were ticks 0 to 10; 0 and 1 ran, 10 is still to run.
		if got := l.Stats().TicksDropped.Load(); got != 8 {
			t.Errorf("%d ticks dropped, want 8", got)
		}
		if want := due.Add(10 * 50 * time.Millisecond); !next.Equal(want) {
			t.Errorf("next tick due %v after the start, want %v", next.Sub(due), want.Sub(due))
		}
		if len(lates) != 2 || lates[0] != 500*time.Millisecond || lates[1] != 450*time.Millisecond {
			t.Errorf("observed lateness %v", lates)
		}
	})
}

// TestRingFull: a flooding player loses its own packets, counted; nobody else does.
func TestRingFull(t *testing.T) {
	s := newStage(t, Config{})
	s.join("ann", 0, 0)
	s.join("bob", 0, 0)
	s.tick(1)
	taken := 0
	for range 100 {
		if s.offer("ann", `{"a":"Chat","p0":"","p1":"spam"}`) {
			taken++
		}
	}
	if taken != 32 {
		t.Errorf("the ring took %d packets in a tick, want 32", taken)
	}
	if got := s.loop.Stats().RingFull.Load(); got != 68 {
		t.Errorf("RingFull = %d, want 68", got)
	}
	if !s.offer("bob", `{"a":"Chat","p0":"","p1":"calm"}`) {
		t.Error("bob's packet was refused")
	}
	s.tick(1)
	if got := s.loop.Stats().Chats.Load(); got != 33 {
		t.Errorf("%d chats said, want 33", got)
	}
}

// TestChatRate: over the rate a chat is dropped with one Deny, and the bucket
// fills again with the ticks.
func TestChatRate(t *testing.T) {
	s := newStage(t, Config{ChatRate: 2, ChatBurst: 3})
	s.join("ann", 0, 0)
	s.join("bob", 0, 0)
	s.tick(1)
	s.told()
	say := func(n int) {
		for range n {
			s.offer("ann", `{"a":"Chat","p0":"","p1":"x"}`)
		}
		s.tick(1)
	}
	say(6)
	if got := len(s.conns["bob"].take()); got != 3 {
		t.Errorf("bob heard %d chats, want the burst of 3", got)
	}
	if got := s.conns["ann"].take(); len(got) != 1 || got[0] != `{"a":"Deny","p0":"`+tooFast+`"}` {
		t.Errorf("ann heard %q, want one Deny", got)
	}
	s.tick(40)
	say(2)
	if got := len(s.conns["bob"].take()); got != 2 {
		t.Errorf("bob heard %d chats after two calm seconds, want 2", got)
	}

	// Who keeps talking too fast is still heard at the rate, and not told again.
	s.tick(40)
	s.told()
	for range 100 { // ticks: five seconds
		say(1)
	}
	if got := len(s.conns["bob"].take()); got < 10 || got > 14 {
		t.Errorf("bob heard %d chats in five seconds, want 3 and 2 per second", got)
	}
	if got := s.conns["ann"].take(); len(got) != 1 {
		t.Errorf("ann heard %q, want one Deny", got)
	}
}

// TestLoginOrder: what a client sent with its Login is done after it and before
// what follows.
func TestLoginOrder(t *testing.T) {
	s := newStage(t, Config{})
	s.join("bob", 0, 0)
	s.tick(1)
	s.told()
	chat := func(text string) codec.Packet { return codec.Packet{Action: codec.Chat, N: 2, S1: text} }
	s.join("ann", 0, 0, chat("one"), chat("two"))
	s.offer("ann", `{"a":"Chat","p0":"","p1":"three"}`)
	s.tick(1)
	got := s.conns["bob"].take()
	want := []string{"one", "two", "three"}
	if len(got) != 4 {
		t.Fatalf("bob heard %q", got)
	}
	for i, text := range want {
		if got[i+1] != `{"a":"Chat","p0":"ann","p1":"`+text+`"}` {
			t.Errorf("packet %d is %s, want %s", i+1, got[i+1], text)
		}
	}
}

// TestLeaveKeepsPosition: leaving saves where the actor is and releases the
// account once; who left before the loop saw it is released too.
func TestLeaveKeepsPosition(t *testing.T) {
	s := newStage(t, Config{})
	s.join("ann", 3, 4)
	s.tick(1)
	s.offer("ann", `{"a":"Target","p0":10,"p1":4}`)
	s.tick(1)
	s.leave("ann")
	s.leave("ann")
	s.tick(1)
	s.leave("ann")
	s.tick(1)
	if got := s.accounts.saved[1]; got != [2]float64{6.5, 4} {
		t.Errorf("saved %v, want 6.5,4", got)
	}
	s.join("bob", 0, 0)
	s.leave("bob")
	s.tick(1)
	if s.accounts.released[1] != 1 || s.accounts.released[2] != 1 {
		t.Errorf("released %v, want each once", s.accounts.released)
	}
	if n := s.loop.Stats().Players.Load(); n != 0 {
		t.Errorf("%d players left over", n)
	}
}

// TestEndSavesAll: a loop that ends keeps everybody's position and says what was
// said last.
func TestEndSavesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = s.loop.Run(ctx, time.Second) }()
		s.join("ann", 1, 2)
		s.join("bob", 3, 4)
		time.Sleep(60 * time.Millisecond)
		s.offer("ann", `{"a":"Chat","p0":"","p1":"last words"}`)
		cancel()
		<-done
		if s.accounts.saved[1] != [2]float64{1, 2} || s.accounts.saved[2] != [2]float64{3, 4} {
			t.Errorf("saved %v", s.accounts.saved)
		}
		heard := s.conns["bob"].take()
		if last := heard[len(heard)-1]; last != `{"a":"Chat","p0":"ann","p1":"last words"}` {
			t.Errorf("bob's last packet is %s", last)
		}
	})
}

// TestRingsRetire: who has been silent for a while pays for no ring, and is heard
// all the same when it speaks again.
func TestRingsRetire(t *testing.T) {
	s := newStage(t, Config{})
	s.join("ann", 0, 0)
	s.join("bob", 0, 0)
	s.tick(1)
	for range 3 {
		s.offer("ann", `{"a":"Chat","p0":"","p1":"x"}`)
		s.tick(1)
		if !s.players["ann"].warm {
			t.Fatal("ann has just talked and is not warm")
		}
		s.tick(2*ringIdleTicks + 2)
		if s.players["ann"].warm {
			t.Fatal("ann has been silent and is still warm")
		}
	}
	if got := s.loop.Stats().Chats.Load(); got != 3 {
		t.Errorf("%d chats, want 3", got)
	}
}

// TestTickAllocates: a chat costs no garbage once the buffers have grown, but for
// the segments of the streams; a step of an actor costs its pose, and each view
// that it is in one list and one scene.
func TestTickAllocates(t *testing.T) {
	l := New(Config{})
	var ps [10]Player
	for i := range ps {
		l.Enter(&ps[i], discard{}, Account{ID: int64(i + 1), Name: fmt.Sprint("p", i)}, nil)
	}
	chat := codec.Packet{Action: codec.Chat, N: 2, S1: "hello there"}
	step := func() {
		l.Offer(&ps[0], chat)
		l.tick()
		l.writers.Step()
	}
	for range 300 {
		step()
	}
	if got := testing.AllocsPerRun(200, step); got >= 1 { // a segment of 512 KiB in a thousand ticks
		t.Errorf("%v allocations per tick with a chat, want none", got)
	}
	l.Offer(&ps[1], codec.Packet{Action: codec.Target, N: 2, X: 1e6})
	if got := testing.AllocsPerRun(200, step); got > 3 {
		t.Errorf("%v allocations per tick with a chat and a step, want at most 3", got)
	}
}

// discard is a connection that takes everything.
type discard struct{}

func (discard) Write([]byte) error { return nil }
func (discard) Pending() int       { return 0 }
func (discard) Close(int, string)  {}

// crowdOf fills a loop with logged-in players spread over a world so large that
// each sees about neighbours others.
func crowdOf(tb testing.TB, players int, neighbours float64) (*Loop, []*Player) {
	tb.Helper()
	side := 640.0 * 3 / 2
	for side*side/(9*640*640)*neighbours < float64(players) {
		side *= 1.01
	}
	half := side / 2
	l := New(Config{World: Bounds{-half, -half, half, half}})
	ps := make([]*Player, players)
	for i := range ps {
		ps[i] = new(Player)
		// A low-discrepancy walk over the square (Roberts' R2 sequence).
		x := frac(float64(i)*0.7548776662466927)*side - half
		y := frac(float64(i)*0.5698402909980532)*side - half
		l.Enter(ps[i], discard{}, Account{ID: int64(i + 1), Name: fmt.Sprint("p", i), X: x, Y: y}, nil)
		if i%500 == 499 {
			l.tick()
			l.writers.Step()
		}
	}
	l.tick()
	l.writers.Step()
	return l, ps
}

func frac(v float64) float64 { return v - float64(int(v)) }

func BenchmarkTick(b *testing.B) {
	for _, players := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprintf("idle/players=%d", players), func(b *testing.B) {
			l, _ := crowdOf(b, players, 30)
			b.ReportAllocs()
			for b.Loop() {
				l.tick()
			}
		})
		b.Run(fmt.Sprintf("chat=20/players=%d", players), func(b *testing.B) {
			l, ps := crowdOf(b, players, 30)
			chat := codec.Packet{Action: codec.Chat, N: 2, S1: "hello there, how do you do"}
			b.ReportAllocs()
			for b.Loop() {
				for i := range 20 {
					l.Offer(ps[i*len(ps)/20], chat)
				}
				l.tick()
				b.StopTimer()
				l.writers.Step()
				b.StartTimer()
			}
		})
		b.Run(fmt.Sprintf("walk/players=%d", players), func(b *testing.B) {
			l, ps := crowdOf(b, players, 30)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				b.StopTimer()
				if n%100 == 0 { // everybody always on the way
					for i, p := range ps {
						x, y := float64((i*7919+n)%4000-2000), float64((i*104729+n)%4000-2000)
						l.Offer(p, codec.Packet{Action: codec.Target, N: 2, X: x, Y: y})
					}
				}
				n++
				l.writers.Step()
				b.StartTimer()
				l.tick()
			}
		})
	}
}
