package ws

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"
)

// friend opens a session with a client library that is not ours.
func friend(t testing.TB, addr string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 24)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func TestFriends(t *testing.T) {
	for _, pollers := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d pollers", pollers), func(t *testing.T) {
			closed, ending := endings()
			s := serve(t, Config{MaxMessageBytes: 1 << 20, MaxPendingBytes: 1 << 24, Pollers: pollers},
				calls{message: echoing, closed: closed})
			var all sync.WaitGroup
			for i := range 8 {
				c := friend(t, s.addr)
				all.Go(func() {
					for n := 1; n <= 1<<20; n *= 8 {
						typ, data := websocket.MessageType(1+n%2), bytes.Repeat([]byte{'a' + byte(i)}, n)
						if err := c.Write(t.Context(), typ, data); err != nil {
							t.Error(err)
							return
						}
						gotTyp, got, err := c.Read(t.Context())
						if err != nil || gotTyp != typ || !bytes.Equal(got, data) {
							t.Errorf("%d bytes: got %v of %d bytes, %v", n, gotTyp, len(got), err)
							return
						}
					}
					ctx := c.CloseRead(t.Context())
					if err := c.Ping(ctx); err != nil {
						t.Errorf("ping: %v", err)
					}
					if err := c.Close(websocket.StatusCode(4000+i), "done"); err != nil {
						t.Errorf("close: %v", err)
					}
				})
			}
			all.Wait()
			var codes []int
			for range 8 {
				codes = append(codes, ending(t))
			}
			slices.Sort(codes)
			if want := []int{4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007}; !slices.Equal(codes, want) {
				t.Errorf("closed with %v, want %v", codes, want)
			}
		})
	}
}

// TestServerCloses: a friend hears the code and the reason.
func TestServerCloses(t *testing.T) {
	s := serve(t, Config{}, calls{open: func(s *Session) {
		_ = s.Write(AppendText(nil, []byte("welcome")))
		s.Close(ClosePolicy, "and goodbye")
	}})
	c := friend(t, s.addr)
	if _, got, err := c.Read(t.Context()); err != nil || string(got) != "welcome" {
		t.Fatalf("%q, %v", got, err)
	}
	_, _, err := c.Read(t.Context())
	var ce websocket.CloseError
	if !errors.As(err, &ce) || ce.Code != websocket.StatusPolicyViolation || ce.Reason != "and goodbye" {
		t.Errorf("read: %v", err)
	}
}

// TestOpenBeforeMessages, also of those that come with the handshake.
func TestOpenBeforeMessages(t *testing.T) {
	s := serve(t, Config{}, calls{
		open: func(s *Session) { s.Value = new(int) },
		message: func(s *Session, data []byte, _ bool) {
			n := s.Value.(*int)
			if want := fmt.Sprint(*n); string(data) != want {
				t.Errorf("message %q, want %q", data, want)
			}
			*n++
			echoing(s, data, true)
		},
	})
	for range 50 {
		c := dial(t, s.addr, frame(fin|text, "0"), frame(fin|text, "1"), frame(text, "")) // and a half message
		c.send(frame(fin|more, "2"))
		c.send(frame(fin|text, "3"))
		for i := range 4 {
			if got, want := c.next(), fmt.Sprint("text ", i); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
}

// TestHeard: a pong, like anything else, shows that the peer lives.
func TestHeard(t *testing.T) {
	sessions := make(chan *Session, 1)
	s := serve(t, Config{}, calls{open: func(s *Session) { sessions <- s }})
	s.start = s.start.Add(-time.Hour) // no session yet
	c := dial(t, s.addr)
	sess := <-sessions
	opened := sess.LastHeard()
	if opened < 3600 || opened > s.Clock() {
		t.Fatalf("opened at %d, now %d", opened, s.Clock())
	}
	sess.heard.Store(7)
	if err := sess.Ping(); err != nil {
		t.Fatal(err)
	}
	if got := c.next(); got != "ping " {
		t.Fatalf("got %q", got)
	}
	c.send(frame(pong, ""))
	until(t, "the pong is heard", func() bool { return sess.LastHeard() >= opened })
	if n := s.Counters().Pongs; n != 1 {
		t.Errorf("%d pongs, want 1", n)
	}
}

// TestPanicOverSockets: the poller lives on.
func TestPanicOverSockets(t *testing.T) {
	closed, ending := endings()
	s := serve(t, Config{Pollers: 1}, calls{
		message: func(s *Session, data []byte, text bool) {
			if string(data) == "boo" {
				panic("boo")
			}
			echoing(s, data, text)
		},
		closed: closed,
	})
	good, bad := dial(t, s.addr), dial(t, s.addr)
	bad.send(join(frame(fin|text, "boo"), frame(fin|text, "after")))
	if got := bad.hear(); !slices.Equal(got, []string{"close 1011", "end"}) {
		t.Errorf("got %q", got)
	}
	if code := ending(t); code != CloseInternal {
		t.Errorf("closed with %d", code)
	}
	good.send(frame(fin|text, "hi"))
	if got := good.next(); got != "text hi" {
		t.Errorf("got %q", got)
	}
	if n := s.Counters().Panics; n != 1 {
		t.Errorf("%d panics", n)
	}
}

// TestPanicInOpen ends that session, and Closed is heard.
func TestPanicInOpen(t *testing.T) {
	closed, ending := endings()
	s := serve(t, Config{}, calls{open: func(*Session) { panic("boo") }, closed: closed})
	if got := dial(t, s.addr, frame(fin|text, "a")).hear(); !slices.Equal(got, []string{"close 1011", "end"}) {
		t.Errorf("got %q", got)
	}
	if code := ending(t); code != CloseInternal {
		t.Errorf("closed with %d", code)
	}
}

// TestUrgentByte: out-of-band data, which epoll announces until it is read past,
// does not keep a poller busy.
func TestUrgentByte(t *testing.T) {
	s := serve(t, Config{}, calls{message: echoing})
	c := dial(t, s.addr)
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) { err = unix.Send(int(fd), []byte{0}, unix.MSG_OOB) })
	if err != nil {
		t.Fatal(err)
	}
	c.send(frame(fin|text, "a"))
	if got := c.next(); got != "text a" {
		t.Fatalf("got %q", got)
	}
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	timer := time.NewTimer(100 * time.Millisecond)
	<-timer.C
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	used := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	if used > 50*time.Millisecond {
		t.Errorf("%v of CPU in 100 ms of silence", used)
	}
}

// BenchmarkEcho is a message to a session and back over loopback, the client's
// share included.
func BenchmarkEcho(b *testing.B) {
	s := serve(b, Config{}, calls{message: echoing})
	c := dial(b, s.addr)
	f := frame(fin|text, `{"a":"Chat","p0":"alice","p1":"hello there, how are you?"}`)
	answer := make([]byte, len(f)-4)
	_ = c.SetDeadline(time.Time{})
	b.ReportAllocs()
	for b.Loop() {
		c.send(f)
		if _, err := io.ReadFull(c.r, answer); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite is a write to a socket whose peer reads on this machine.
func BenchmarkWrite(b *testing.B) {
	sessions := make(chan *Session, 1)
	s := serve(b, Config{}, calls{open: func(s *Session) { sessions <- s }})
	c := dial(b, s.addr)
	_ = c.SetDeadline(time.Time{})
	var read sync.WaitGroup
	read.Go(func() { _, _ = io.Copy(io.Discard, c.TCPConn) })
	sess := <-sessions
	f := AppendText(nil, []byte(`{"a":"Chat","p0":"alice","p1":"hello there, how are you?"}`))
	b.SetBytes(int64(len(f)))
	b.ReportAllocs()
	for b.Loop() {
		if err := sess.Write(f); errors.Is(err, ErrBacklog) {
			until(b, "the peer has read", func() bool { return sess.Pending() == 0 })
		} else if err != nil {
			b.Fatal(err)
		}
	}
	sess.Close(CloseNormal, "")
	read.Wait()
}
