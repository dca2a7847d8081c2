package ws

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

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
	if c := s.Counters(); c.Open != 0 || c.Sockets != 0 || c.Accepted != clients || c.Stopped != clients {
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
