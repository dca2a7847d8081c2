package ws

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestOutOfDescriptors: the connection moves to the engine by way of a second
// descriptor. If there is none the peer hears 1013, and nobody else suffers.
func TestOutOfDescriptors(t *testing.T) {
	s := serve(t, Config{}, calls{message: echoing})
	inside := dial(t, s.addr)

	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	tight := limit
	tight.Cur = 200
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &tight); err != nil {
		t.Fatal(err)
	}
	var fill []*os.File
	restore := func() {
		for _, f := range fill {
			_ = f.Close()
		}
		fill = nil
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	defer restore()
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		fill = append(fill, f)
	}
	// One for the client, one for accept, none for nbio.
	for range 2 {
		_ = fill[0].Close()
		fill = fill[1:]
	}
	c := connect(t, s.addr)
	c.send([]byte(handshake()))
	if resp, err := http.ReadResponse(c.r, nil); err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	if got := c.hear(); !slices.Equal(got, []string{"close 1013", "end"}) {
		t.Errorf("got %q", got)
	}
	inside.send(frame(fin|text, "still here"))
	if got := inside.next(); got != "text still here" {
		t.Errorf("inside: %q", got)
	}
	restore()
	c = dial(t, s.addr, frame(fin|text, "welcome back"))
	if got := c.next(); got != "text welcome back" {
		t.Errorf("afterwards: %q", got)
	}
	if c := s.Counters(); c.Refused["full"] != 1 || c.Accepted != 2 || c.Sockets != 2 {
		t.Errorf("%+v", c)
	}
}

// TestEngineRefuses: a connection that the engine does not take ends its session
// like any other, whatever Open has done with it.
func TestEngineRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		open func(s *Session)
		code int
		want []string
	}{
		{"silent", func(*Session) {}, CloseAbnormal, []string{"end"}},
		{"has written", func(s *Session) { _ = s.Write(AppendText(nil, []byte("hello"))) }, CloseAbnormal, []string{"text hello", "end"}},
		{"has closed", func(s *Session) { s.Close(ClosePolicy, "go away") }, ClosePolicy, []string{"close 1008", "end"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var opened atomic.Int32
			closed, ending := endings()
			s, err := New(Config{Pollers: 1, MaxSessions: 1000}, calls{open: func(s *Session) { opened.Add(1); tt.open(s) }, closed: closed})
			if err != nil {
				t.Fatal(err)
			}
			s.mostFiles = 64 // descriptors from 64 on are refused
			var low []*os.File
			defer func() {
				for _, f := range low {
					_ = f.Close()
				}
			}()
			ts := serveServer(t, s, ListenConfig{})
			for len(low) == 0 || low[len(low)-1].Fd() < 64 {
				f, err := os.Open(os.DevNull)
				if err != nil {
					t.Fatal(err)
				}
				low = append(low, f)
			}
			c := dial(t, ts.addr)
			if got := c.hear(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if code := ending(t); code != tt.code {
				t.Errorf("closed with %d, want %d", code, tt.code)
			}
			until(t, "the slot is free", func() bool { return s.Counters().Sockets == 0 })
			if c := s.Counters(); opened.Load() != 1 || c.Open != 0 || c.Accepted != 1 {
				t.Errorf("opened %d times, %+v", opened.Load(), c)
			}
		})
	}
}

// TestShutdownWithHangingOpen: a handler that hangs does not hang Shutdown, and
// the engine ends when the handler does.
func TestShutdownWithHangingOpen(t *testing.T) {
	opening, release := make(chan struct{}), make(chan struct{})
	closed, ending := endings()
	s := serve(t, Config{}, calls{open: func(*Session) { close(opening); <-release }, closed: closed})
	c := connect(t, s.addr)
	c.send([]byte(handshake()))
	<-opening
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "hangs") {
		t.Errorf("shutdown: %v", err)
	}
	close(release)
	if code := ending(t); code != CloseAbnormal {
		t.Errorf("closed with %d, want 1006", code)
	}
	<-s.closer.done
}

// FuzzHandshake parses anything as a request; what is accepted is a handshake.
func FuzzHandshake(f *testing.F) {
	for _, seed := range []string{
		handshake(), handshake("Origin: http://example.org"), handshake("Content-Length: 3"), handshake("Sec-WebSocket-Version: 8"),
		strings.Replace(handshake(), "Connection: Upgrade", "Connection: ,, keep-alive , upgrade,", 1),
		strings.Replace(handshake(), "HTTP/1.1", "HTTP/1.0", 1), "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			return
		}
		_ = SameOrigin(r)
		key, no := handshakeKey(r)
		if no != nil {
			return
		}
		if nonce, err := base64.StdEncoding.DecodeString(key); err != nil || len(nonce) != 16 {
			t.Errorf("key %q", key)
		}
		lower := strings.ToLower(strings.Join(r.Header["Upgrade"], ",") + ";" + strings.Join(r.Header["Connection"], ","))
		if r.Method != "GET" || !r.ProtoAtLeast(1, 1) || !strings.Contains(lower, "websocket") || !strings.Contains(lower, "upgrade") ||
			r.Header.Get("Sec-WebSocket-Version") == "" || r.ContentLength != 0 {
			t.Errorf("accepted %q", raw)
		}
	})
}

// TestQueueAllocator: buffers have the size asked for, and come back without what
// was in them mattering.
func TestQueueAllocator(t *testing.T) {
	var a queueAllocator
	for _, size := range []int{0, 1, 511, 512, 513, 4096, 65535, 65536, 65537, 1 << 20} {
		b := a.Malloc(size)
		if len(*b) != size {
			t.Errorf("Malloc(%d) has %d bytes", size, len(*b))
		}
		if n := len(*a.Append(b, []byte("more")...)); n != size+4 {
			t.Errorf("Append made %d bytes of %d and 4", n, size)
		}
		if n := len(*a.Realloc(b, size+100)); n != size+100 {
			t.Errorf("Realloc made %d bytes, want %d", n, size+100)
		}
		a.Free(a.AppendString(a.Malloc(size), "x"))
	}
	if c := cap(*a.Malloc(70)); c > 512 && !raceEnabled {
		t.Errorf("70 bytes come in a buffer of %d", c)
	}
}
