package ws

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// fakeConn is a connection whose socket has as much room as the test gives it.
// It locks, and reports from its queue, as nbio does.
type fakeConn struct {
	sess *Session

	mu      sync.Mutex
	room    int    // bytes that the socket takes
	sent    []byte // bytes that it has taken
	queue   []byte
	broken  bool
	shut    int // ends of our side of the stream
	hangups int
	unsent  int
}

func (c *fakeConn) TryWrite(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken || c.hangups > 0 {
		return 0, net.ErrClosed
	}
	if len(c.queue) > 0 {
		panic("written past the queue")
	}
	return c.takeLocked(b), nil
}

func (c *fakeConn) takeLocked(b []byte) int {
	if c.shut > 0 && len(b) > 0 {
		panic("written behind the end of the stream")
	}
	n := min(c.room, len(b))
	c.sent = append(c.sent, b[:n]...)
	c.room -= n
	return n
}

func (c *fakeConn) Queue(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		return net.ErrClosed
	}
	c.queue = append(c.queue, b...)
	c.flushLocked()
	return nil
}

func (c *fakeConn) flushLocked() {
	if n := c.takeLocked(c.queue); n > 0 {
		c.queue = c.queue[n:]
		if c.sess.flushed(n) {
			c.shut++
		}
	}
}

// drain gives the socket room for n more bytes.
func (c *fakeConn) drain(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room += n
	c.flushLocked()
}

func (c *fakeConn) CloseWrite() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut++
}

func (c *fakeConn) Hangup() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hangups++
}

func (c *fakeConn) Unsent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unsent
}

func (c *fakeConn) look(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// calls is a Handler made of functions; nil ones do nothing.
type calls struct {
	open    func(*Session)
	message func(*Session, []byte, bool)
	closed  func(*Session, int, string)
}

func (h calls) Open(s *Session) {
	if h.open != nil {
		h.open(s)
	}
}

func (h calls) Message(s *Session, data []byte, text bool) {
	if h.message != nil {
		h.message(s, data, text)
	}
}

func (h calls) Closed(s *Session, code int, reason string) {
	if h.closed != nil {
		h.closed(s, code, reason)
	}
}

// newFake makes a session on a fake connection with room bytes of room, of a
// server without an engine, whose closer runs.
func newFake(t testing.TB, cfg Config, h Handler, room int) (*Session, *fakeConn) {
	t.Helper()
	srv, err := New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	go srv.closer.run()
	t.Cleanup(func() {
		close(srv.closer.quit)
		<-srv.closer.done
	})
	s := &Session{srv: srv}
	c := &fakeConn{sess: s, room: room}
	s.conn = c
	s.open()
	return s, c
}

func TestSessionSize(t *testing.T) {
	size := unsafe.Sizeof(Session{})
	t.Logf("a Session is %d bytes", size)
	if size > 96 {
		t.Errorf("a Session is %d bytes, over 96, the next size class", size)
	}
}

func TestWriteAndPending(t *testing.T) {
	s, c := newFake(t, Config{MaxPendingBytes: 20}, calls{}, 10)
	if err := s.Write([]byte("0123456")); err != nil || s.Pending() != 0 {
		t.Fatalf("first write: %v, pending %d, want nil, 0", err, s.Pending())
	}
	if err := s.Write([]byte("789abcd")); err != nil || s.Pending() != 4 {
		t.Fatalf("second write: %v, pending %d, want nil, 4", err, s.Pending())
	}
	if err := s.Write(make([]byte, 17)); !errors.Is(err, ErrBacklog) || s.Pending() != 4 {
		t.Fatalf("write over the bound: %v, pending %d, want ErrBacklog, 4", err, s.Pending())
	}
	if err := s.Write([]byte("efghijklmnopqrst")); err != nil || s.Pending() != 20 {
		t.Fatalf("write up to the bound: %v, pending %d, want nil, 20", err, s.Pending())
	}
	c.drain(7)
	if s.Pending() != 13 {
		t.Fatalf("pending %d after 7 bytes went, want 13", s.Pending())
	}
	c.drain(100)
	if s.Pending() != 0 || string(c.sent) != "0123456789abcdefghijklmnopqrst" {
		t.Fatalf("pending %d, sent %q", s.Pending(), c.sent)
	}
	counted := s.srv.Counters()
	if counted.Overflows != 1 || counted.BytesOut != 30 {
		t.Errorf("counted %d overflows and %d bytes out, want 1 and 30", counted.Overflows, counted.BytesOut)
	}
}

func TestWriteToBrokenConn(t *testing.T) {
	s, c := newFake(t, Config{}, calls{}, 100)
	c.broken = true
	if err := s.Write([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("write: %v, want ErrClosed", err)
	}
	if c.hangups == 0 {
		t.Error("nobody told the poller")
	}
	s.Close(CloseNormal, "") // must not wait for anything
	s.gone()
}

// TestCloseBehindBacklog: the stream ends with the last byte of the close frame,
// and not before.
func TestCloseBehindBacklog(t *testing.T) {
	s, c := newFake(t, Config{}, calls{}, 3)
	if err := s.Write([]byte("frames")); err != nil {
		t.Fatal(err)
	}
	s.Close(ClosePolicy, "flooding")
	s.Close(CloseNormal, "too late")
	if err := s.Write([]byte("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("write after Close: %v, want ErrClosed", err)
	}
	want := string(appendClose([]byte("frames"), ClosePolicy, "flooding"))
	for len(c.sent) < len(want) {
		if c.shut != 0 {
			t.Fatalf("stream ended after %q", c.sent)
		}
		c.drain(1)
	}
	if string(c.sent) != want || c.shut != 1 || s.Pending() != 0 {
		t.Errorf("sent %q, %d ends, %d pending; want %q, 1, 0", c.sent, c.shut, s.Pending(), want)
	}
}

// TestWritersAndClose: however writers, the flushing poller and Close meet, what
// leaves is whole frames, then one close frame, then the end.
func TestWritersAndClose(t *testing.T) {
	const writers = 4
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	for round := range rounds {
		closedWith := make(chan int, 2)
		s, c := newFake(t, Config{}, calls{closed: func(_ *Session, code int, _ string) { closedWith <- code }}, 10)
		stop := make(chan struct{})
		var flusher, others sync.WaitGroup
		flusher.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					c.drain(7)
				}
			}
		})
		for w := range writers {
			others.Go(func() {
				f := AppendText(nil, fmt.Appendf(nil, "writer %d", w))
				for s.Write(f) == nil {
					if s.Pending() < 0 {
						t.Error("pending is negative")
					}
				}
			})
		}
		others.Go(func() {
			for range round {
				_ = s.Pending()
			}
			s.Close(CloseGoingAway, "")
		})
		others.Wait()
		close(stop)
		flusher.Wait()
		c.drain(1 << 20)

		b := c.sent
		for len(b) > 2 && b[0] == fin|text {
			b = b[2+int(b[1]):]
		}
		if !bytes.Equal(b, appendClose(nil, CloseGoingAway, "")) {
			t.Fatalf("round %d: after whole frames came %x", round, b[:min(len(b), 40)])
		}
		if c.shut != 1 || s.Pending() != 0 {
			t.Fatalf("round %d: %d ends of the stream and %d pending, want 1 and 0", round, c.shut, s.Pending())
		}
		s.gone()
		if code := <-closedWith; code != CloseGoingAway {
			t.Fatalf("round %d: closed with %d", round, code)
		}
	}
}

// TestCloseMeetsFlush: the backlog drains at the very moment of Close. That must
// not be taken for the close frame having left.
func TestCloseMeetsFlush(t *testing.T) {
	first, _ := newFake(t, Config{}, calls{}, 0)
	want := appendClose([]byte("x"), CloseNormal, "")
	for range 20000 {
		s := &Session{srv: first.srv}
		c := &fakeConn{sess: s}
		s.conn = c
		s.open()
		if err := s.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		var flush sync.WaitGroup
		flush.Go(func() { c.drain(1) })
		runtime.Gosched()
		s.Close(CloseNormal, "")
		flush.Wait()
		c.drain(100)
		if !bytes.Equal(c.sent, want) || c.shut != 1 {
			t.Fatalf("sent %q, %d ends, want %q, 1", c.sent, c.shut, want)
		}
		s.set(stateGone)
	}
}

// TestOneFate: of all that can end a session one thing does, once.
func TestOneFate(t *testing.T) {
	for round := range 200 {
		var count atomic.Int32
		code := make(chan int, 4)
		s, _ := newFake(t, Config{}, calls{closed: func(_ *Session, c int, _ string) {
			count.Add(1)
			code <- c
		}}, 1000)
		var all sync.WaitGroup
		all.Go(func() { s.Close(ClosePolicy, "") })
		all.Go(func() { s.Close(CloseTryLater, "") })
		all.Go(func() { s.feed(closeFrame(CloseNormal, "")) })
		all.Go(func() { s.set(stateGone); s.gone() })
		all.Wait()
		got := <-code
		counted := s.srv.Counters()
		var total uint64
		for _, n := range counted.Closed {
			total += n
		}
		if n := count.Load(); n != 1 || total != 1 || counted.Open != 0 {
			t.Fatalf("round %d: closed %d times (%d), counted %d, open %d", round, n, got, total, counted.Open)
		}
	}
}

// TestEarly: what is said before the engine has the connection comes first, and
// in order, whoever says it and whether or not the socket takes it at once.
func TestEarly(t *testing.T) {
	for round := range 200 {
		s, c := newFake(t, Config{}, calls{}, round%20)
		s.conn = &earlyConn{conn: c}
		if err := s.Write([]byte("<early>")); err != nil {
			t.Fatal(err)
		}
		if got, want := s.Pending(), max(0, len("<early>")-round%20); got != want {
			t.Fatalf("pending %d, want %d", got, want)
		}
		var all sync.WaitGroup
		all.Go(func() {
			if err := s.Write([]byte("<meanwhile>")); err != nil {
				t.Error(err)
			}
		})
		all.Go(s.attach)
		all.Go(func() { c.drain(3) })
		all.Wait()
		c.drain(100)
		if string(c.sent) != "<early><meanwhile>" || s.Pending() != 0 {
			t.Fatalf("sent %q, %d pending", c.sent, s.Pending())
		}
	}
}

// TestEarlyClose: a session may be closed before the engine has its connection;
// Closed comes when Open is through.
func TestEarlyClose(t *testing.T) {
	for _, room := range []int{1 << 10, 5} {
		closed := make(chan string, 1)
		s, c := newFake(t, Config{}, calls{closed: func(_ *Session, code int, reason string) {
			closed <- fmt.Sprint(code, reason)
		}}, room)
		s.conn = &earlyConn{conn: c}
		if err := s.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		s.Close(CloseTryLater, "full")
		if err := s.Write([]byte("late")); !errors.Is(err, ErrClosed) {
			t.Errorf("write after Close: %v", err)
		}
		select {
		case got := <-closed:
			t.Fatalf("Closed(%s) before the session was attached", got)
		default:
		}
		s.attach()
		if got := <-closed; got != "1013full" {
			t.Errorf("closed with %s", got)
		}
		c.drain(1 << 10)
		if want := string(appendClose([]byte("hello"), CloseTryLater, "full")); string(c.sent) != want || c.shut != 1 {
			t.Errorf("room %d: sent %q, %d ends, want %q, 1", room, c.sent, c.shut, want)
		}
	}
}

// TestPanic: a panic costs one session.
func TestPanic(t *testing.T) {
	var logged syncBuffer
	closed := make(chan int, 1)
	messages := 0
	h := calls{
		message: func(*Session, []byte, bool) { messages++; panic("boo") },
		closed:  func(_ *Session, code int, _ string) { closed <- code; panic("boo again") },
	}
	cfg := Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))}
	s, c := newFake(t, cfg, h, 1<<10)
	s.feed(join(frame(fin|text, "a"), frame(fin|text, "b")))
	s.feed(frame(fin|text, "c"))
	if code := <-closed; code != CloseInternal {
		t.Errorf("closed with %d, want 1011", code)
	}
	if messages != 1 {
		t.Errorf("%d messages after a panic in the first", messages-1)
	}
	if !bytes.HasPrefix(c.sent, []byte{closing, 2 + byte(len("internal error")), 0x03, 0xf3}) {
		t.Errorf("sent %x, want a close frame with 1011", c.sent)
	}
	s.srv.closer.report(s, 0, "") // and the closer lives: it hears of this, too
	<-closed
	out := logged.String()
	if n := strings.Count(out, "in=Message"); n != 1 || !strings.Contains(out, "session_test.go") {
		t.Errorf("logged %d times in Message, want once with its stack: %s", n, out)
	}
}

// syncBuffer is a buffer that goroutines log into.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestFaultAnswer: a fault is answered with its code, reported with it, and ends
// the input.
func TestFaultAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		code int
	}{
		{"protocol", []byte{0xff}, CloseProtocol},
		{"text", frame(fin|text, "\xff"), CloseInvalid},
		{"size", frame(fin|text, strings.Repeat("a", 5000)), CloseTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			s, c := newFake(t, Config{}, calls{
				message: func(_ *Session, data []byte, _ bool) { got = append(got, string(data)) },
				closed:  func(_ *Session, code int, _ string) { got = append(got, fmt.Sprint(code)) },
			}, 1<<10)
			s.feed(join(frame(fin|text, "before"), tt.in, frame(fin|text, "behind")))
			s.feed(frame(fin|text, "after"))
			s.gone()
			if want := []string{"before", fmt.Sprint(tt.code)}; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("handler heard %v, want %v", got, want)
			}
			if len(c.sent) < 4 || int(c.sent[2])<<8|int(c.sent[3]) != tt.code || c.shut != 1 {
				t.Errorf("sent %x, %d ends of the stream", c.sent, c.shut)
			}
		})
	}
}

// TestPingsInOneRead: one write answers them all, in order.
func TestPingsInOneRead(t *testing.T) {
	s, c := newFake(t, Config{}, calls{}, 1<<10)
	s.feed(join(frame(ping, "a"), frame(fin|text, "hi"), frame(ping, "b"), frame(pong, "c"), frame(ping, "")))
	if want := "\x8a\x01a\x8a\x01b\x8a\x00"; string(c.sent) != want {
		t.Errorf("sent %x, want %x", c.sent, want)
	}
}

// TestPingFlood: pings of a peer that does not read end its session, within the bound.
func TestPingFlood(t *testing.T) {
	closed := make(chan int, 1)
	s, c := newFake(t, Config{MaxPendingBytes: 10000}, calls{closed: func(_ *Session, code int, _ string) { closed <- code }}, 0)
	flood := bytes.Repeat(frame(ping, strings.Repeat("p", 100)), 10)
	for range 100 {
		s.feed(flood)
	}
	if code := <-closed; code != CloseTryLater {
		t.Errorf("closed with %d, want 1013", code)
	}
	if got := len(c.queue); got > 10000+2+maxControlBytes {
		t.Errorf("%d bytes are queued", got)
	}
}

// TestNothingAfterClose: messages that arrive after Close are not delivered, and
// the peer's answer ends the connection at once.
func TestNothingAfterClose(t *testing.T) {
	closed := make(chan int, 1)
	s, c := newFake(t, Config{}, calls{
		message: func(s *Session, _ []byte, _ bool) { s.Close(ClosePolicy, "") },
		closed:  func(_ *Session, code int, _ string) { closed <- code },
	}, 1<<10)
	s.feed(join(frame(fin|text, "a"), frame(fin|text, "b")))
	if code := <-closed; code != ClosePolicy {
		t.Errorf("closed with %d", code)
	}
	sent := len(c.sent)
	s.feed(join(frame(fin|text, "c"), frame(ping, "p")))
	if n := s.srv.Counters().Messages; n != 1 {
		t.Errorf("%d messages were delivered, want 1", n)
	}
	if c.hangups != 0 {
		t.Error("hung up before the peer answered")
	}
	s.feed(closeFrame(ClosePolicy, ""))
	if len(c.sent) != sent || c.hangups != 1 {
		t.Errorf("%d bytes behind the close frame, %d hangups, want 0 and 1", len(c.sent)-sent, c.hangups)
	}
}

// TestPeerClose: a close frame is answered with its code, or 1000.
func TestPeerClose(t *testing.T) {
	for _, tt := range []struct {
		name         string
		in           []byte
		code, answer int
	}{
		{"normal", closeFrame(CloseNormal, "bye"), CloseNormal, CloseNormal},
		{"own code", closeFrame(4321, ""), 4321, 4321},
		{"no code", frame(closing, ""), CloseNoStatus, CloseNormal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code := 0
			s, c := newFake(t, Config{}, calls{closed: func(_ *Session, got int, _ string) { code = got }}, 1<<10)
			s.feed(tt.in)
			if code != tt.code {
				t.Errorf("closed with %d, want %d", code, tt.code)
			}
			if want := appendClose(nil, tt.answer, ""); !bytes.Equal(c.sent, want) || c.shut != 1 || c.hangups != 0 {
				t.Errorf("sent %x, %d ends, %d hangups, want %x, 1, 0", c.sent, c.shut, c.hangups, want)
			}
		})
	}
}

// TestCloserBounds: what a closing session waits for, and for how long.
func TestCloserBounds(t *testing.T) {
	cfg := Config{DrainTimeout: 5 * time.Second, LingerTimeout: 2 * time.Second}
	for _, tt := range []struct {
		name      string
		play      func(s *Session, c *fakeConn)
		after     time.Duration // from Close to Hangup
		truncated uint64
	}{
		{"peer never answers", func(*Session, *fakeConn) {}, 2 * time.Second, 0},
		{"peer never reads", func(_ *Session, c *fakeConn) { c.room = 0 }, 5 * time.Second, 1},
		{"peer reads late", func(_ *Session, c *fakeConn) {
			c.room = 0
			time.AfterFunc(3*time.Second, func() { c.drain(1 << 10) })
		}, 5 * time.Second, 0},
		{"kernel has bytes left", func(_ *Session, c *fakeConn) {
			c.unsent = 100
			time.AfterFunc(3*time.Second, func() { c.look(func() { c.unsent = 0 }) })
		}, 4 * time.Second, 0},
		{"kernel keeps bytes", func(_ *Session, c *fakeConn) { c.unsent = 100 }, 6 * time.Second, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := newFake(t, cfg, calls{}, 1<<10)
				tt.play(s, c)
				s.Close(CloseGoingAway, "")
				hangups := 0
				for _, step := range []time.Duration{tt.after - time.Millisecond, 2 * time.Millisecond} {
					if hangups != 0 {
						t.Errorf("hung up before %v", tt.after)
					}
					time.Sleep(step)
					synctest.Wait()
					c.look(func() { hangups = c.hangups })
				}
				if hangups != 1 {
					t.Errorf("%d hangups after %v, want 1", hangups, tt.after)
				}
				if got := s.srv.Counters().Truncated; got != tt.truncated {
					t.Errorf("%d truncated, want %d", got, tt.truncated)
				}
			})
		})
	}
}

// TestCloserForgets: sessions that are gone are not kept, and nothing wakes for them.
func TestCloserForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := New(Config{}, calls{})
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			s := &Session{srv: srv}
			s.conn = &fakeConn{sess: s, room: 100}
			s.Close(CloseNormal, "")
			s.set(stateGone)
		}
		if next, ok := srv.closer.sweep(); ok {
			t.Errorf("the closer wants to look again in %v", next)
		}
		if n := cap(srv.closer.lingers.list); n != 0 {
			t.Errorf("the closer keeps room for %d", n)
		}
	})
}

func TestWaitQueue(t *testing.T) {
	var q waitQueue
	sessions := make([]*Session, 1000)
	for i := range sessions {
		sessions[i] = &Session{}
		q.push(waiting{s: sessions[i], until: time.Duration(i)})
		if i%3 == 0 {
			sessions[i].set(stateGone)
		}
		if i%100 == 99 {
			for _, w := range q.due(nil, time.Duration(i-50)) {
				if w.s != sessions[w.until] || w.until%3 == 0 || w.until > time.Duration(i-50) {
					t.Fatalf("at %d came %d", i, w.until)
				}
				sessions[w.until].set(stateShut) // seen
			}
		}
	}
	for _, w := range q.due(nil, 1000) {
		w.s.set(stateShut)
	}
	for i, s := range sessions {
		if s.is(stateShut) == (i%3 == 0) {
			t.Errorf("session %d: due is %v", i, s.is(stateShut))
		}
	}
	if !q.empty() {
		t.Error("the queue is not empty")
	}
}

// TestWriteAllocations: a message in and frames out cost no allocation.
func TestWriteAllocations(t *testing.T) {
	answer := AppendText(nil, []byte("answer"))
	s, c := newFake(t, Config{}, calls{message: func(s *Session, _ []byte, _ bool) {
		if err := s.Write(answer); err != nil {
			panic(err)
		}
	}}, 1<<30)
	stream := frame(fin|text, `{"a":"Chat","p0":"hello"}`)
	data := make([]byte, len(stream))
	c.sent = make([]byte, 0, 1<<16)
	if allocs := testing.AllocsPerRun(1000, func() {
		copy(data, stream)
		s.feed(data)
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// BenchmarkFeed is the way of a message from OnRead's buffer to the handler.
func BenchmarkFeed(b *testing.B) {
	s, _ := newFake(b, Config{}, calls{}, 0)
	stream := frame(fin|text, `{"a":"Chat","p0":"alice","p1":"hello there, how are you?"}`)
	data := make([]byte, len(stream))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		copy(data, stream)
		s.feed(data)
	}
}
