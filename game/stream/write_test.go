package stream

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// aliases reports whether p lies in one of the buffers.
func aliases(p []byte, bufs ...[]byte) bool {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(p)))
	for _, buf := range bufs {
		from := uintptr(unsafe.Pointer(unsafe.SliceData(buf)))
		if at >= from && at+uintptr(len(p)) <= from+uintptr(len(buf)) {
			return true
		}
	}
	return false
}

// TestNoCopy: where one stream has news the connection is given the stream's own
// bytes; where several have, they are gathered into one write.
func TestNoCopy(t *testing.T) {
	s := newStage(Config{})
	conns := make([]*fakeConn, 5)
	var given [][]byte
	for i := range conns {
		conns[i] = newConn(t)
		conns[i].hook = func(p []byte) { given = append(given, p) }
		s.enter(conns[i], s.hereAud)
	}
	for _, tc := range []struct {
		name   string
		say    func()
		copied int // bytes for each
		buf    func() []byte
	}{
		{"chat", func() { s.say(s.chat, "chat ") }, 0, func() []byte { return s.chat.tail.buf }},
		{"area", func() { s.say(s.here, "area ") }, 0, func() []byte { return s.here.tail.buf }},
		{"area, three frames", func() { s.say(s.here, "a "); s.say(s.here, "b "); s.say(s.here, "c ") },
			0, func() []byte { return s.here.tail.buf }},
		{"both", func() { s.say(s.here, "area "); s.say(s.chat, "chat ") }, 10, func() []byte { return s.writers[0].scratch }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			given = nil
			before, copied := conns[0].writeCount(), s.Stats().Copied.Load()
			tc.say()
			s.tick()
			if len(given) != len(conns) {
				t.Fatalf("%d writes to %d connections", len(given), len(conns))
			}
			for _, p := range given {
				if !aliases(p, tc.buf()) {
					t.Error("a write does not lie where it should")
				}
			}
			for _, c := range conns {
				c.wantWrites(before + 1)
			}
			if got := s.Stats().Copied.Load() - copied; got != uint64(tc.copied*len(conns)) {
				t.Errorf("%d bytes copied, want %d for each of %d", got, tc.copied, len(conns))
			}
		})
	}
	t.Run("private", func(t *testing.T) {
		given = nil
		l := s.enter(conns[0], s.guestsA)
		s.send(l, "private ")
		arena := s.arena
		s.tick()
		if len(given) != 1 || !aliases(given[0], arena) {
			t.Error("a private packet was copied once more than it must be")
		}
	})
}

// TestTicksCoalesce: what is published while a writer is held comes in one write.
func TestTicksCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(Config{})
		hold := make(chan struct{})
		first, last := newConn(t), newConn(t)
		held := false
		last.hook = func([]byte) { // the last to join is visited first
			if !held {
				held = true
				<-hold
			}
		}
		s.enter(first, s.hereAud)
		s.enter(last, s.hereAud)
		s.Run()
		var all []string
		for i := range 20 {
			frame := fmt.Sprintf("tick %d ", i)
			all = append(all, frame)
			s.say(s.here, frame)
			s.Publish()
			synctest.Wait()
		}
		first.wantWrites(0)
		last.want(all[0])
		close(hold)
		synctest.Wait()
		first.want(all...)
		first.wantWrites(1) // also what was published after the pass had begun
		last.want(all...)
		last.wantWrites(2)
		s.Stop(0)
	})
}

// TestPace: a pass that fits into a tick is followed by the next at once; a longer
// one only PassEvery after it began, or at once when it took longer than that, or
// when an area has news.
func TestPace(t *testing.T) {
	for _, tc := range []struct {
		write, want time.Duration
		area        bool
	}{
		{time.Millisecond, 10 * time.Millisecond, false},
		{20 * time.Millisecond, 100 * time.Millisecond, false},
		{20 * time.Millisecond, 60 * time.Millisecond, true},
		{60 * time.Millisecond, 180 * time.Millisecond, false},
	} {
		t.Run(fmt.Sprintf("3 writes of %v, area %v", tc.write, tc.area), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(Config{})
				var starts []time.Time
				for i := range 3 {
					c := newConn(t)
					c.hook = func([]byte) {
						if i == 2 {
							starts = append(starts, time.Now())
						}
						time.Sleep(tc.write)
					}
					s.enter(c, s.hereAud)
				}
				s.Run()
				news := s.chat
				if tc.area {
					news = s.here
				}
				for range 200 {
					s.say(news, "news ")
					s.Publish()
					time.Sleep(10 * time.Millisecond)
				}
				s.Stop(0)
				starts = starts[1 : len(starts)-1] // the last one is Stop's
				for i := range len(starts) - 2 {
					if got := starts[i+1].Sub(starts[i]); got != tc.want {
						t.Fatalf("pass %d began %v after the one before, want %v", i+1, got, tc.want)
					}
				}
			})
		})
	}
}

// TestPrivateWithinPass: a private packet does not wait for the end of a long pass.
func TestPrivateWithinPass(t *testing.T) {
	s := newStage(Config{})
	c := newConn(t)
	l := s.enter(c, s.guestsA)
	visits, at := 0, 0
	c.hook = func([]byte) { at = visits }
	for range 10 * visitsPerYield {
		crowd := newConn(t)
		crowd.hook = func([]byte) {
			if visits++; visits == 1 {
				s.send(l, "private ")
				s.Publish()
			}
		}
		s.enter(crowd, s.hereAud)
	}
	s.say(s.here, "news ")
	s.tick()
	c.want("private ")
	if at > 2*visitsPerYield {
		t.Errorf("a private packet was sent after %d visits to others", at)
	}
}

func TestPublishWakesWhomItConcerns(t *testing.T) {
	s := newStage(Config{Writers: 2})
	first := s.enter(newConn(t), s.hereAud) // writer 0
	s.enter(newConn(t), s.hereAud)          // writer 1
	woken := func() (which string) {
		for i, w := range s.writers {
			given := w.inbox.Load() != nil
			select {
			case <-w.wake:
				which += fmt.Sprint(i)
				if !given {
					t.Errorf("writer %d was woken for nothing", i)
				}
			default:
				if given {
					t.Errorf("writer %d was given something and not woken", i)
				}
			}
		}
		s.Step()
		return which
	}
	s.Publish()
	woken()
	for _, tc := range []struct {
		name string
		do   func()
		want string
	}{
		{"nothing", func() {}, ""},
		{"a private packet", func() { s.send(first, "private") }, "0"},
		{"an empty one", func() { s.send(first, "") }, ""},
		{"news", func() { s.say(s.chat, "chat") }, "01"},
		{"nothing again", func() {}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.do()
			s.Publish()
			if got := woken(); got != tc.want {
				t.Errorf("woken %q, want %q", got, tc.want)
			}
		})
	}
}

// TestRunsIdle: writers that have nothing to do are not woken by time.
func TestRunsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(Config{Writers: 2})
		s.enter(newConn(t), s.hereAud)
		s.Run()
		s.say(s.here, "news ")
		s.Publish()
		synctest.Wait()
		visits := s.Stats().Visits.Load()
		for range 1000 {
			s.Publish()
			time.Sleep(50 * time.Millisecond)
		}
		// One, when the stream goes to rest.
		if got := s.Stats().Visits.Load(); got != visits+1 {
			t.Errorf("%d visits in 1000 silent ticks, want 1", got-visits)
		}
		s.Stop(0)
	})
}

// TestFewSpares: what a long pass left behind is not kept for ever, and nobody's
// connection or frames are in it.
func TestFewSpares(t *testing.T) {
	s := newStage(Config{})
	l := s.enter(discard{}, s.hereAud)
	for range 1000 {
		s.say(s.chat, "chat ")
		s.send(l, "private ")
		s.Publish()
	}
	s.Step()
	spares := 0
	for b := s.writers[0].spare.Load(); b != nil; b = b.next {
		spares++
		for _, o := range b.ops[:cap(b.ops)] {
			if o.l != nil || o.frames != nil {
				t.Fatal("a spare batch holds an operation")
			}
		}
	}
	if spares == 0 || spares > maxSpares {
		t.Errorf("%d spare batches, want 1 to %d", spares, maxSpares)
	}
}

func TestDefaults(t *testing.T) {
	c := Config{}.withDefaults()
	want := Config{Writers: 1, MaxLagBytes: 4 << 20, MaxBlocked: 5 * time.Minute, MaxWriteBytes: 128 << 10,
		PassEvery: 100 * time.Millisecond, Tick: 50 * time.Millisecond, BytesPerSecond: 64000,
		SlowCode: 1013, SlowReason: c.SlowReason}
	if c != want || c.SlowReason == "" {
		t.Errorf("defaults are %+v, want %+v", c, want)
	}
	if got := (Config{Writers: 1000}).withDefaults().Writers; got != 64 {
		t.Errorf("%d writers, want at most 64", got)
	}
}
