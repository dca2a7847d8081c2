package ws

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

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
	if unsent := attached(t, sess).Unsent(); sess.Pending() != 0 || unsent == 0 {
		t.Fatalf("%d pending, %d unsent: the test tests nothing", sess.Pending(), unsent)
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
	for range 100 {
		c := connect(t, s.addr)
		c.send(append([]byte(handshake()), frame(fin|text, "a")...))
		c.send(frame(fin|text, "b"))
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := http.ReadResponse(c.r, nil); err != nil {
			t.Fatal(err)
		}
		if got := c.hear(); !slices.Equal(got, []string{"text a", "text b", "end"}) {
			t.Fatalf("got %q", got)
		}
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
