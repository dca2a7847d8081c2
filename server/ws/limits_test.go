package ws

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestMaxMessageChanges: a new limit holds for the next message of those who are
// there, and for what a message under way has not announced yet.
func TestMaxMessageChanges(t *testing.T) {
	s := serve(t, Config{MaxMessageBytes: 1000}, calls{message: echoing})
	long, half, later := dial(t, s.addr), dial(t, s.addr), dial(t, s.addr)
	half.send(append(frame(text, strings.Repeat("x", 600)), frame(ping, "?")...))
	if got := half.next(); got != "pong ?" {
		t.Fatalf("got %q", got)
	}
	s.SetMaxMessage(300)
	for name, c := range map[string]struct {
		*rawClient
		b []byte
	}{
		"a message": {long, frame(fin|text, strings.Repeat("x", 301))},
		"a piece":   {half, frame(fin|more, "y")}, // with 600 bytes before it
	} {
		c.send(c.b)
		if got := c.next(); got != "close 1009" {
			t.Errorf("%s: got %q, want close 1009", name, got)
		}
	}
	later.send(frame(fin|text, strings.Repeat("x", 300)))
	if got := later.next(); got != "text xxxxxxxxxx... of 300 bytes" {
		t.Errorf("got %q", got)
	}
	s.SetMaxMessage(2000)
	later.send(frame(fin|text, strings.Repeat("x", 2000)))
	if got := later.next(); got != "text xxxxxxxxxx... of 2000 bytes" {
		t.Errorf("got %q", got)
	}
}

// TestMaxPendingChanges: a new bound holds for a session's next Write.
func TestMaxPendingChanges(t *testing.T) {
	s, _ := newFake(t, Config{MaxPendingBytes: 20}, calls{}, 0)
	if err := s.Write(make([]byte, 15)); err != nil {
		t.Fatal(err)
	}
	s.srv.SetMaxPending(10)
	if err := s.Write(make([]byte, 1)); err != ErrBacklog {
		t.Errorf("over the new bound: %v, want ErrBacklog", err)
	}
	s.srv.SetMaxPending(30)
	if err := s.Write(make([]byte, 15)); err != nil {
		t.Errorf("within the new bound: %v", err)
	}
}

// TestHeadersCounted: what net/http gives up by itself is counted, and nothing
// else is: not the end of a rest between two requests, nor of its own reads.
func TestHeadersCounted(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0", ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	front, err := Front(ln, FrontConfig{})
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello") }),
		// The rest between two requests is the shorter.
		ReadHeaderTimeout: 300 * time.Millisecond, IdleTimeout: 50 * time.Millisecond, MaxHeaderBytes: 1024,
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(front) }()
	t.Cleanup(func() { _ = web.Close(); <-served })
	const request = "GET / HTTP/1.1\r\nHost: x\r\n"
	for _, c := range []struct {
		name, sent, then, answer string
		long, late               uint64
	}{
		{"a request, then rest", request + "\r\n", "", "200 OK", 0, 0},
		{"a header without end", request + "X-Long: " + strings.Repeat("x", 20000) + "\r\n\r\n", "", "431 ", 1, 0},
		{"no request", "", "", "", 0, 1},
		{"half a header", request, "", "", 0, 1},
		{"a request and half another", request + "\r\n", request, "200 OK", 0, 1},
		{"rubbish", "rubbish\r\n\r\n", "", "400 ", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := front.Counters()
			conn, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(conn, c.sent); err != nil {
				t.Fatal(err)
			}
			from := bufio.NewReader(conn)
			if c.then != "" {
				if resp, err := http.ReadResponse(from, nil); err != nil || !strings.Contains(resp.Status, c.answer) {
					t.Fatal(resp, err)
				} else if _, err := io.ReadAll(resp.Body); err != nil {
					t.Fatal(err)
				}
				c.answer = ""
				if _, err := io.WriteString(conn, c.then); err != nil {
					t.Fatal(err)
				}
			}
			answer, _ := io.ReadAll(from) // until it is closed; a reset ends it too
			if !strings.Contains(string(answer), c.answer) || c.answer == "" && len(answer) > 0 {
				t.Errorf("answered %q, want %q", answer, c.answer)
			}
			after := front.Counters()
			if long, late := after.HeadersTooLong-before.HeadersTooLong, after.HeadersTooLate-before.HeadersTooLate; long != c.long || late != c.late {
				t.Errorf("%d counted as too long, %d as too late; want %d and %d", long, late, c.long, c.late)
			}
		})
	}
}

// TestUpgradesNotCounted: a handshake aborts a read of net/http's with a deadline;
// that is nobody's lateness.
func TestUpgradesNotCounted(t *testing.T) {
	server, err := New(Config{}, calls{message: echoing})
	if err != nil {
		t.Fatal(err)
	}
	var front *FrontListener
	s := serveServer(t, server, ListenConfig{}, func(ln net.Listener) (net.Listener, error) {
		var err error
		front, err = Front(ln, FrontConfig{})
		return front, err
	})
	for range 20 {
		c := dial(t, s.addr)
		c.send(frame(fin|text, "hello"))
		if got := c.next(); got != "text hello" {
			t.Fatalf("got %q", got)
		}
	}
	if c := front.Counters(); c != (FrontCounters{}) {
		t.Errorf("counted %+v", c)
	}
}

// TestGreetingsFull: when as many are being greeted as may be, the next one waits
// until one of them is done or out of time, and is counted.
func TestGreetingsFull(t *testing.T) {
	server, err := New(Config{}, calls{message: echoing})
	if err != nil {
		t.Fatal(err)
	}
	var front *FrontListener
	s := serveServer(t, server, ListenConfig{}, func(ln net.Listener) (net.Listener, error) {
		var err error
		front, err = Front(ln, FrontConfig{Proxy: func(netip.Addr) bool { return true }, MostGreetings: 2, Timeout: 400 * time.Millisecond})
		return front, err
	})
	silent := make([]*rawClient, 2)
	for i := range silent {
		silent[i] = connect(t, s.addr)
	}
	until(t, "both are being greeted", func() bool { return front.Counters().Greeting == 2 })
	third := connect(t, s.addr)
	third.send([]byte("PROXY TCP4 192.0.2.1 127.0.0.1 5555 443\r\n" + handshake()))
	until(t, "the third waits", func() bool { return front.Counters().GreetingsFull == 1 })
	if resp, err := http.ReadResponse(third.r, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("the third: %v, %v", resp, err)
	}
	if n := front.Counters().HeadersTooLate; n == 0 {
		t.Error("it was greeted before a place was free")
	}
	until(t, "both are gone", func() bool { c := front.Counters(); return c.Greeting == 0 && c.HeadersTooLate == 2 })
}
