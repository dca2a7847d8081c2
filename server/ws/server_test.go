package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/lesismal/nbio"
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

// slowly dials with a small receive buffer.
func slowly(t testing.TB, addr string) *rawClient {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
		})
		return errors.Join(err, failed)
	}}
	conn, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &rawClient{t: t, TCPConn: conn.(*net.TCPConn)}
	_ = c.SetDeadline(time.Now().Add(patience))
	c.send([]byte(handshake()))
	var answer [129]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNothingIsLost: what was written before Close arrives, however late, slowly
// and noisily the peer reads, as long as it reads within the bounds.
func TestNothingIsLost(t *testing.T) {
	payload := pattern(300_000)
	want := appendClose(AppendBinary(nil, payload), 4001, "all said")
	for _, tt := range []struct {
		name string
		cfg  Config
		play func(t *testing.T, s *testServer, c *rawClient)
	}{
		{"late", Config{DrainTimeout: patience}, func(*testing.T, *testServer, *rawClient) {}},
		{"late, with pings", Config{DrainTimeout: patience}, func(_ *testing.T, _ *testServer, c *rawClient) {
			c.send(bytes.Repeat(frame(ping, "are you there"), 100))
		}},
		{"late, with garbage", Config{DrainTimeout: patience}, func(_ *testing.T, _ *testServer, c *rawClient) {
			c.send(bytes.Repeat([]byte{0xff}, 1000))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sessions := make(chan *Session, 1)
			s := serveOn(t, tt.cfg, ListenConfig{SendBufferBytes: 4096}, calls{open: func(s *Session) { sessions <- s }})
			c := slowly(t, s.addr)
			sess := <-sessions
			if err := sess.Write(AppendBinary(nil, payload)); err != nil {
				t.Fatal(err)
			}
			sess.Close(4001, "all said")
			if sess.Pending() == 0 {
				t.Fatal("the socket took it all: the test tests nothing")
			}
			tt.play(t, s, c)

			var got []byte
			buf := make([]byte, 5000)
			for {
				n, err := c.TCPConn.Read(buf)
				got = append(got, buf[:n]...)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("after %d of %d bytes: %v", len(got), len(want), err)
				}
				_, _ = c.Write(frame(ping, "x")) // while the server has bytes left, and later
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got %d bytes, want %d, the same", len(got), len(want))
			}
			if n := s.Counters().Truncated; n != 0 {
				t.Errorf("%d truncated", n)
			}
		})
	}
}

// TestKernelBytesAreNotLost: when all is with the kernel and the peer begins to
// read only after LingerTimeout, sending before that, nothing is lost either.
func TestKernelBytesAreNotLost(t *testing.T) {
	payload := pattern(60_000)
	sessions := make(chan *Session, 1)
	s := serve(t, Config{LingerTimeout: 10 * time.Millisecond, DrainTimeout: patience}, calls{open: func(s *Session) { sessions <- s }})
	c := slowly(t, s.addr)
	sess := <-sessions
	if err := sess.Write(AppendBinary(nil, payload)); err != nil {
		t.Fatal(err)
	}
	sess.Close(4001, "")
	if sess.Pending() != 0 || sess.conn.Unsent() == 0 {
		t.Fatalf("%d pending, %d unsent: the test tests nothing", sess.Pending(), sess.conn.Unsent())
	}
	timer := time.NewTimer(100 * time.Millisecond) // ten times LingerTimeout
	<-timer.C
	c.send(frame(ping, "x"))
	got, err := io.ReadAll(c.TCPConn)
	if want := appendClose(AppendBinary(nil, payload), 4001, ""); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d, the same; %v", len(got), len(want), err)
	}
}

// TestBurstThenSilence: what did not fit into the socket leaves by itself.
func TestBurstThenSilence(t *testing.T) {
	sessions := make(chan *Session, 1)
	s := serveOn(t, Config{}, ListenConfig{SendBufferBytes: 4096}, calls{open: func(s *Session) { sessions <- s }})
	c := slowly(t, s.addr)
	sess := <-sessions
	var want []byte
	for i := range 50 {
		f := AppendBinary(nil, bytes.Repeat([]byte{byte(i)}, 10_000))
		if err := sess.Write(f); err != nil {
			t.Fatal(err)
		}
		want = append(want, f...)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.TCPConn, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("burst did not arrive: %v", err)
	}
	until(t, "nothing is pending", func() bool { return sess.Pending() == 0 })
}

// TestHalfClose: everything that a peer sent before it ended its side is handled,
// whatever had piled up in the kernel.
func TestHalfClose(t *testing.T) {
	closed, ending := endings()
	var got atomic.Int64
	begin, once := make(chan struct{}), sync.Once{}
	s := serve(t, Config{}, calls{
		message: func(_ *Session, data []byte, _ bool) {
			once.Do(func() { <-begin }) // let it pile up
			got.Add(int64(len(data)))
		},
		closed: closed,
	})
	c := dial(t, s.addr)
	const messages = 300
	f := frame(fin|blob, strings.Repeat("m", 4096))
	c.send(bytes.Repeat(f, messages)) // over one MiB
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	close(begin)
	if code := ending(t); code != CloseAbnormal {
		t.Errorf("closed with %d, want 1006", code)
	}
	if want := int64(messages * 4096); got.Load() != want {
		t.Errorf("%d bytes were handled, want %d", got.Load(), want)
	}
}

// TestHalfCloseEcho: who ends its side still hears the answers.
func TestHalfCloseEcho(t *testing.T) {
	s := serve(t, Config{}, calls{message: echoing})
	c := dial(t, s.addr)
	c.send(join(frame(fin|text, "a"), frame(fin|text, "b")))
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := c.hear(); !slices.Equal(got, []string{"text a", "text b", "end"}) {
		t.Errorf("got %q", got)
	}
}

func TestReset(t *testing.T) {
	closed, ending := endings()
	s := serve(t, Config{}, calls{message: echoing, closed: closed})
	c := dial(t, s.addr, frame(fin|text, "a"))
	c.next()
	c.reset()
	if code := ending(t); code != CloseAbnormal {
		t.Errorf("closed with %d, want 1006", code)
	}
	until(t, "the socket is closed", func() bool { return s.Counters().Sockets == 0 })
}

// TestEndlessPings: a peer that only pings and never reads is closed, and the
// memory it took was bounded.
func TestEndlessPings(t *testing.T) {
	closed, ending := endings()
	const bound = 100_000
	s := serveOn(t, Config{MaxPendingBytes: bound, DrainTimeout: 10 * time.Millisecond}, ListenConfig{SendBufferBytes: 4096}, calls{closed: closed})
	c := slowly(t, s.addr)
	flood := bytes.Repeat(frame(ping, strings.Repeat("p", 125)), 100)
	for {
		if _, err := c.Write(flood); err != nil {
			break
		}
	}
	if code := ending(t); code != CloseTryLater {
		t.Errorf("closed with %d, want 1013", code)
	}
	if n := s.Counters().Overflows; n != 1 {
		t.Errorf("%d overflows counted, want 1", n)
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

// TestStaleEvent is the trap that nbConn avoids. The poller holds a batch of
// events with one for a connection that was reset; meanwhile somebody writes to
// that connection, and another one opens. If the write closed the descriptor, the
// new connection would get its number, and then the old event.
func TestStaleEvent(t *testing.T) {
	busy, proceed := make(chan struct{}), make(chan struct{})
	sessions := make(chan *Session, 3)
	closed, ending := endings()
	s := serve(t, Config{Pollers: 1}, calls{
		open:   func(s *Session) { sessions <- s },
		closed: closed,
		message: func(s *Session, data []byte, text bool) {
			if string(data) == "block" {
				busy <- struct{}{}
				<-proceed
				return
			}
			echoing(s, data, text)
		},
	})
	first := dial(t, s.addr)
	<-sessions
	victim := dial(t, s.addr)
	old := <-sessions

	first.send(frame(fin|text, "block"))
	<-busy // the poller handles first; now first and victim become ready, in this order
	first.send(frame(fin|text, "block"))
	victim.reset()
	proceed <- struct{}{}
	<-busy                                                    // the poller holds a batch of both, and handles the first
	for old.Write(AppendText(nil, []byte("hello?"))) == nil { // the first write may still be taken
	}
	// Leave two numbers under the victim's free, for the new client and for
	// accept, so that the new session would get the victim's if that were free.
	number := old.conn.(nbConn).fd()
	var below []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if int(f.Fd()) >= number {
			_ = f.Close()
			break
		}
		below = append(below, f)
	}
	if len(below) < 2 {
		t.Fatal("no numbers are free: the test tests nothing")
	}
	_ = below[0].Close()
	_ = below[1].Close()
	c := dial(t, s.addr)
	<-sessions
	proceed <- struct{}{}
	first.send(frame(ping, "through")) // in another batch
	if got := first.next(); got != "pong through" {
		t.Fatalf("got %q", got)
	}

	c.send(frame(fin|text, "alive"))
	op, payload, err := c.read()
	if err != nil || describe(op, payload) != "text alive" {
		t.Errorf("the new session: %q, %v", payload, err)
	}
	if code := ending(t); code != CloseAbnormal {
		t.Errorf("closed with %d, want 1006", code)
	}
	if n := s.Counters().Open; n != 2 {
		t.Errorf("%d sessions are open, want 2", n)
	}
}

// TestHashIsDescriptor pins what nbConn.fd rests on.
func TestHashIsDescriptor(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0", ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	std, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := nbio.NBConn(std)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		if int(fd) != c.Hash() {
			t.Errorf("descriptor %d, hash %d", fd, c.Hash())
		}
	})
}

// TestStartStop: a server that is stopped at once does stop, with any number of pollers.
func TestStartStop(t *testing.T) {
	files := openFiles(t)
	for i := range 30 {
		s, err := New(Config{Pollers: 1 + i%5}, calls{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := openFiles(t); n > files {
		t.Errorf("%d files are open, %d before", n, files)
	}
}

// TestShutdown: everybody hears 1001, and all that was written before it.
func TestShutdown(t *testing.T) {
	const clients = 500
	var count atomic.Int32
	opened := make(chan *Session, clients)
	s := serve(t, Config{}, calls{
		open: func(s *Session) { opened <- s },
		closed: func(_ *Session, code int, _ string) {
			if code == CloseGoingAway {
				count.Add(1)
			}
		},
	})
	all := make([]*rawClient, clients)
	for i := range all {
		all[i] = dial(t, s.addr)
	}
	for range clients {
		if err := (<-opened).Write(AppendText(nil, []byte("last words"))); err != nil {
			t.Error(err)
		}
	}
	var heard sync.WaitGroup
	for _, c := range all {
		heard.Go(func() {
			if got := c.hear(); !slices.Equal(got, []string{"text last words", "close 1001", "end"}) {
				t.Errorf("got %q", got)
			}
			_ = c.Close()
		})
	}
	if err := s.stop(); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	heard.Wait()
	if got := count.Load(); got != clients {
		t.Errorf("%d of %d ended with 1001", got, clients)
	}
	if c := s.Counters(); c.Open != 0 || c.Sockets != 0 || c.Accepted != clients {
		t.Errorf("afterwards: %+v", c)
	}
}

// TestShutdownWithinBound: peers that do not answer are cut off when ctx ends.
func TestShutdownWithinBound(t *testing.T) {
	s := serve(t, Config{LingerTimeout: time.Hour}, calls{})
	for range 20 {
		dial(t, s.addr) // and never reads
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if c := s.Counters(); c.Open != 0 || c.Sockets != 0 {
		t.Errorf("afterwards: %+v", c)
	}
}

// TestShutdownDuringHandshakes: a session either never opens or is closed in
// order, and none is left.
func TestShutdownDuringHandshakes(t *testing.T) {
	for range 10 {
		var opened, ended atomic.Int64
		s := serve(t, Config{LingerTimeout: time.Second}, calls{
			open:   func(*Session) { opened.Add(1) },
			closed: func(*Session, int, string) { ended.Add(1) },
		})
		var dialers sync.WaitGroup
		quit := make(chan struct{})
		for i := range 8 {
			dialers.Go(func() {
				for {
					select {
					case <-quit:
						return
					default:
					}
					conn, err := net.Dial("tcp", s.addr)
					if err != nil {
						return // the listener is closed
					}
					_ = conn.SetDeadline(time.Now().Add(patience))
					_, _ = conn.Write([]byte(handshake()))
					if i%2 == 0 { // stays until the server closes
						_, _ = io.Copy(io.Discard, conn)
					} else {
						_, _ = conn.Read(make([]byte, 200))
					}
					_ = conn.Close()
				}
			})
		}
		until(t, "sessions open", func() bool { return opened.Load() > 20 })
		// The listener still accepts while the edge shuts down.
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		cancel()
		close(quit)
		c := s.Counters()
		if opened.Load() != ended.Load() || c.Open != 0 || c.Sockets != 0 || c.Accepted != uint64(opened.Load()) {
			t.Errorf("%d opened, %d ended, %+v", opened.Load(), ended.Load(), c)
		}
		dialers.Wait()
	}
}

// TestChurn: sessions of all kinds come and go at once; who behaves is never
// harmed, and afterwards nothing is left.
func TestChurn(t *testing.T) {
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	const workers, rounds = 16, 60
	var opened, ended atomic.Int64
	var live sync.Map
	s := serve(t, Config{}, calls{
		open:    func(s *Session) { opened.Add(1); live.Store(s, true) },
		message: echoing,
		closed:  func(s *Session, _ int, _ string) { ended.Add(1); live.Delete(s) },
	})
	quit := make(chan struct{})
	var writer, workersDone sync.WaitGroup
	writer.Go(func() { // writes to everybody, also to those that are going
		f := AppendText(nil, []byte("broadcast"))
		for {
			select {
			case <-quit:
				return
			default:
			}
			live.Range(func(k, _ any) bool { _ = k.(*Session).Write(f); return true })
			runtime.Gosched()
		}
	})
	for w := range workers {
		workersDone.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 5))
			for range rounds {
				churnOnce(t, r, s.addr)
			}
		})
	}
	workersDone.Wait()
	close(quit)
	writer.Wait()
	until(t, "all sockets are closed", func() bool { return s.Counters().Sockets == 0 })
	c := s.Counters()
	var total uint64
	for _, n := range c.Closed {
		total += n
	}
	if opened.Load() != ended.Load() || c.Open != 0 || c.Accepted != total || c.Accepted != uint64(opened.Load()) {
		t.Errorf("%d opened, %d ended, %+v", opened.Load(), ended.Load(), c)
	}
	for i := range s.sessions {
		if s.sessions[i].Load() != nil {
			t.Errorf("slot %d is still taken", i)
		}
	}
	if err := s.stop(); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	until(t, "descriptors and goroutines are given back", func() bool {
		return openFiles(t) <= files && runtime.NumGoroutine() <= goroutines
	})
}

// churnOnce is the life of one client.
func churnOnce(t *testing.T, r *rand.Rand, addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	c := &rawClient{t: t, TCPConn: conn.(*net.TCPConn)}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	kind := r.IntN(6)
	hello := []byte(handshake())
	if kind == 0 { // leaves inside the handshake
		_, _ = c.Write(hello[:r.IntN(len(hello))])
		if r.IntN(2) == 0 {
			c.reset()
		}
		return
	}
	_, _ = c.Write(append(hello, frame(fin|text, "one")...))
	if kind == 1 { // leaves before the answer
		c.reset()
		return
	}
	seen := make([]byte, 0, 4096)
	buf := make([]byte, 4096)
	await := func(what string) bool {
		for !bytes.Contains(seen, []byte(what)) {
			n, err := c.TCPConn.Read(buf)
			seen = append(seen, buf[:n]...)
			if err != nil {
				t.Errorf("kind %d waited for %q: %v", kind, what, err)
				return false
			}
		}
		return true
	}
	if !await("\x81\x03one") {
		return
	}
	switch kind {
	case 2:
		c.reset()
	case 3:
		_, _ = c.Write([]byte{0xff, 0xff})
		await("\x03\xea")
	case 4:
		_, _ = c.Write(frame(fin|text, "half of a message")[:r.IntN(10)])
	default:
		_, _ = c.Write(frame(fin|text, "two"))
		if await("\x81\x03two") {
			_, _ = c.Write(closeFrame(1000, ""))
			await("\x88\x02\x03\xe8")
		}
	}
}

// TestIdleHeap bounds what an idle session keeps alive on the heap, everything
// counted but the kernel's share. (The clients are bare descriptors.)
func TestIdleHeap(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's heap is another")
	}
	const clients = 2000
	s := serve(t, Config{}, calls{})
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	addr := s.addr[strings.LastIndexByte(s.addr, ':')+1:]
	port := 0
	if _, err := fmt.Sscan(addr, &port); err != nil {
		t.Fatal(err)
	}
	hello := []byte(handshake())
	buf := make([]byte, 256)
	fds := make([]int, 0, clients)
	defer func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}()
	open := func(n int) {
		for range n {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			fds = append(fds, fd)
			if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
				t.Fatal(err)
			}
			if _, err := unix.Write(fd, hello); err != nil {
				t.Fatal(err)
			}
			if n, err := unix.Read(fd, buf); err != nil || n < 100 {
				t.Fatal(n, err)
			}
		}
		until(t, "all are in", func() bool { return s.Counters().Open == int64(len(fds)) })
	}
	open(100) // fills pools
	before := heap()
	open(clients - 100)
	each := (heap() - before) / (clients - 100)
	t.Logf("%d bytes of heap per idle session", each)
	if each > 440 {
		t.Errorf("%d bytes of heap per idle session, want at most 440", each)
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
