package stream

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

// wantClosed fails the test unless c was closed once as a slow consumer, and the
// writers have counted that one.
func wantClosed(t *testing.T, s *stage, c *fakeConn) {
	t.Helper()
	if got := c.closes(); !slices.Equal(got, []int{1013}) {
		t.Fatalf("closed as %v, want once as 1013", got)
	}
	if got := s.Stats().SlowConsumers.Load(); got != 1 {
		t.Errorf("%d slow consumers counted, want 1", got)
	}
}

func wantOpen(t *testing.T, c *fakeConn) {
	t.Helper()
	if got := c.closes(); len(got) != 0 {
		t.Fatalf("closed as %v, want open", got)
	}
}

// wantCollected fails the test if p is still reachable.
func wantCollected[T any](t *testing.T, p weak.Pointer[T], what string) {
	t.Helper()
	for range 3 {
		runtime.GC()
	}
	if p.Value() != nil {
		t.Errorf("%s is still held", what)
	}
}

// TestBurstThenSilence: what did not fit into the socket arrives, though nothing
// more is ever said.
func TestBurstThenSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(Config{MaxWriteBytes: 5000})
		c := newSlowConn(t, 700)
		l := s.enter(c, s.hereAud)
		s.Run()
		var said []string
		for i := range 300 {
			frame := strings.Repeat(string(rune('a'+i%26)), 100)
			said = append(said, frame)
			s.say(s.here, frame)
		}
		said = append(said, "private ", "chat ")
		s.send(l, "private ")
		s.say(s.chat, "chat ")
		s.Publish()
		synctest.Wait()
		if got := s.Stats().Blocked.Load(); got != 1 {
			t.Errorf("%d blocked listeners, want 1", got)
		}
		for range 1000 {
			c.read(500)
			time.Sleep(5 * time.Millisecond)
		}
		c.want(said...)
		if got := s.Stats().Blocked.Load(); got != 0 {
			t.Errorf("%d blocked listeners after all has arrived", got)
		}
		s.Stop(0)
	})
}

// TestFlushedBeforeAnybodyLooks: the flush ends between the write and the next
// look at the blocked, while private packets and a move wait.
func TestFlushedBeforeAnybodyLooks(t *testing.T) {
	s := newStage(Config{})
	c := newSlowConn(t, 3)
	l := s.enter(c, s.hereAud)
	s.say(s.here, "a1 a2 a3 ")
	s.Publish()
	w := s.writers[0]
	w.takeBatches()
	w.pass()
	s.send(l, "p1 ")
	s.Move(l, s.thereAud)
	s.say(s.there, "t1 ")
	s.Publish()
	c.bounded = false
	c.readAll()
	s.Step()
	c.want("a1 a2 a3 p1 t1 ")
}

func TestSlowByLag(t *testing.T) {
	s := newStage(Config{MaxLagBytes: 20_000})
	c, other := newSlowConn(t, 10), newConn(t)
	l := s.enter(c, s.hereAud)
	s.enter(other, s.hereAud)
	frame := strings.Repeat("x", 1000)
	s.say(s.chat, frame)
	s.tick()
	first := weak.Make(s.chat.tail)
	for range 20 {
		s.say(s.chat, frame)
		s.tick()
	}
	wantOpen(t, c)
	if first.Value() == nil {
		t.Fatal("the segment under a cursor was collected")
	}
	s.say(s.chat, frame)
	s.tick()
	wantClosed(t, s, c)
	for range 30 {
		s.say(s.chat, frame)
		s.send(l, frame)
		s.Move(l, s.thereAud)
		s.sayPast(l, s.chat, frame)
		s.tick()
	}
	wantClosed(t, s, c)
	c.wantWrites(1)
	wantCollected(t, first, "a segment that only a closed slow consumer had not read")
	if l.extra != nil {
		t.Error("a closed listener holds packets")
	}
	s.Leave(l)
	s.tick()
	if got := len(other.bytes()); got != (1+20+1+30+30)*1000 {
		t.Errorf("the other listener got %d bytes", got)
	}
	runtime.KeepAlive(l)
}

// TestSlowByLagAcrossMove: a listener that waits to be moved holds what is said
// where it is to go.
func TestSlowByLagAcrossMove(t *testing.T) {
	s := newStage(Config{MaxLagBytes: 20_000})
	c := newSlowConn(t, 1)
	l := s.enter(c, s.hereAud)
	s.say(s.here, "hello")
	s.tick()
	s.Move(l, s.thereAud)
	s.Move(l, s.guestsA)
	for range 20 {
		s.say(s.there, strings.Repeat("x", 1000))
		s.tick()
	}
	wantOpen(t, c)
	s.say(s.there, "x")
	s.tick()
	wantClosed(t, s, c)
	runtime.KeepAlive(l)
}

func TestSlowByOutbox(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(s *stage, l *Listener)
		most int // bytes of one
	}{
		{"packets", func(s *stage, l *Listener) { s.send(l, strings.Repeat("p", 500)) }, opBytes + 500},
		{"small packets", func(s *stage, l *Listener) { s.send(l, "p") }, opBytes + 1},
		{"moves", func(s *stage, l *Listener) {
			if l.Audience() == s.hereAud {
				s.Move(l, s.thereAud)
			} else {
				s.Move(l, s.hereAud)
			}
		}, opBytes},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const most = 20_000
			s := newStage(Config{MaxLagBytes: most})
			c := newSlowConn(t, 1)
			l := s.enter(c, s.hereAud)
			s.say(s.here, "hello")
			s.tick()
			for range most / tc.most {
				tc.do(s, l)
			}
			s.tick()
			wantOpen(t, c)
			tc.do(s, l)
			s.tick()
			wantClosed(t, s, c)
			s.tick()
			wantClosed(t, s, c)
		})
	}
}

func TestSlowByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(Config{MaxBlocked: time.Minute})
		dead, tardy := newSlowConn(t, 3), newSlowConn(t, 3)
		s.enter(dead, s.hereAud)
		s.enter(tardy, s.hereAud)
		s.Run()
		s.say(s.here, "some news ")
		s.Publish()
		time.Sleep(59 * time.Second)
		wantOpen(t, dead)
		tardy.readAll()
		time.Sleep(time.Second + 2*blockedPoll)
		wantClosed(t, s, dead)
		if got := s.Stats().Blocked.Load(); got != 0 {
			t.Errorf("%d blocked listeners, want none", got)
		}
		s.say(s.here, "more ")
		s.Publish()
		time.Sleep(59 * time.Second)
		wantOpen(t, tardy) // its time began afresh
		tardy.want("some news more ")
		wantClosed(t, s, dead)
		s.Stop(0)
	})
}

func TestFailedConnection(t *testing.T) {
	s := newStage(Config{MaxWriteBytes: 1500})
	c := newConn(t)
	l := s.enter(c, s.hereAud)
	s.tick()
	c.broken = true
	s.say(s.here, strings.Repeat("x", 1000))
	first := weak.Make(s.here.tail)
	s.say(s.here, strings.Repeat("y", 1000))
	s.send(l, "private")
	s.tick()
	s.say(s.here, strings.Repeat("z", 5000))
	s.send(l, "private")
	s.tick()
	c.want()
	wantOpen(t, c)
	wantCollected(t, first, "a segment that only a failed connection had not read")
	if l.extra != nil {
		t.Error("a failed listener holds packets")
	}
	if got := s.Stats().SlowConsumers.Load(); got != 0 {
		t.Errorf("%d slow consumers counted, want none", got)
	}
	runtime.KeepAlive(l)
}

// TestRefusedWrite: a connection that has no room, because of what others wrote to
// it, must not stay and hear nothing more.
func TestRefusedWrite(t *testing.T) {
	s := newStage(Config{})
	c := newConn(t)
	s.enter(c, s.hereAud)
	s.tick()
	c.full = 1 << 20
	s.say(s.here, "refused")
	s.tick()
	if got := c.closes(); !slices.Equal(got, []int{1013}) {
		t.Fatalf("closed as %v, want once as 1013", got)
	}
	s.say(s.here, "not even tried") // or fakeConn complains
	s.tick()
}

// TestBlockedHoldsItsOwnOnly: what waits for a blocked listener does not keep
// alive what was sent to others.
func TestBlockedHoldsItsOwnOnly(t *testing.T) {
	s := newStage(Config{})
	c, other := newSlowConn(t, 1), newConn(t)
	l, o := s.enter(c, s.hereAud), s.enter(other, s.hereAud)
	s.say(s.here, "hello ")
	s.tick()
	s.send(l, "private ")
	arena := weak.Make(&s.arena[0])
	s.send(o, strings.Repeat("x", 8<<10))
	s.tick()
	wantCollected(t, arena, "an arena of which one packet waits")
	c.bounded = false
	c.readAll()
	s.Step()
	c.want("hello private ")
}

// TestStopFlushes: what is published before Stop arrives, also where a reader is
// slow; one that reads nothing holds up Stop no longer than it was told.
func TestStopFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(Config{Writers: 3, MaxWriteBytes: 100})
		fast, slow, dead := newConn(t), newSlowConn(t, 10), newSlowConn(t, 10)
		for _, c := range []*fakeConn{fast, slow, dead} {
			l := s.enter(c, s.hereAud)
			s.send(l, "welcome ")
		}
		s.Run()
		frame := strings.Repeat("x", 90)
		s.say(s.here, frame)
		s.say(s.chat, frame)
		done := make(chan struct{})
		go func() {
			for {
				slow.read(5)
				select {
				case <-done:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}()
		start := time.Now()
		s.Publish()
		s.Stop(3 * time.Second)
		if took := time.Since(start); took < 3*time.Second || took > 3*time.Second+blockedPoll {
			t.Errorf("Stop took %v, want 3 s", took)
		}
		close(done)
		fast.want("welcome ", frame, frame)
		slow.want("welcome ", frame, frame)
		if got := string(dead.bytes()); !strings.HasPrefix("welcome "+frame+frame, got) {
			t.Errorf("the dead one got %q", got)
		}
	})
}

// TestLeftAreCollected: nothing keeps a listener that has left, and with it its
// player: neither member lists nor spare batches, nor those for the blocked.
func TestLeftAreCollected(t *testing.T) {
	s := newStage(Config{})
	s.enter(newConn(t), s.hereAud) // stays
	var left [3]weak.Pointer[Listener]
	func() { // so that this function holds none of them
		var ls [3]*Listener
		for i := range ls {
			ls[i] = s.enter(newSlowConn(t, 1), s.hereAud)
			left[i] = weak.Make(ls[i])
			s.send(ls[i], "private ")
		}
		s.tick()
		if got := s.Stats().Blocked.Load(); got != 3 {
			t.Fatalf("%d blocked listeners, want 3", got)
		}
		for _, l := range ls {
			s.send(l, "more ")
			s.sayPast(l, s.chat, "chat ")
			s.Leave(l)
		}
		s.tick()
	}()
	for i, p := range left {
		wantCollected(t, p, fmt.Sprint("listener ", i, ", which has left,"))
	}
	runtime.KeepAlive(s)
}
