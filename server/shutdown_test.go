package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// obedience is how long an operator waits for a SIGTERM to be obeyed.
const obedience = 5 * time.Second

// TestShutdown stops a server with many connections: the last chats arrive, every
// connection is closed with 1001, positions are kept, the port is given back, and
// the process exits in time with 0. With TAVERN_BIG=1 there are 15,000.
func TestShutdown(t *testing.T) {
	t.Parallel()
	many := 2000
	if os.Getenv("TAVERN_BIG") == "1" {
		many = 15000
	}
	db := filepath.Join(t.TempDir(), "tavern.db")
	p := startProcess(t, db, "-guests", "on-connect", "-max-per-ip", "0", "-max-players", strconv.Itoa(many+100))
	s := &testServer{addr: p.addr}

	guests := gather(t, p.addr, many)
	var walkers []*peer
	for i := range 5 {
		w := connect(t, s)
		w.register(fmt.Sprintf("walker %d", i))
		id := w.login(fmt.Sprintf("walker %d", i)).ID
		w.say(`{"a":"Target","p0":2000,"p1":%d}`, 300*i)
		w.await("a step", func(h *heard) bool { m, ok := h.model(); return ok && !m.full() && m.ID == id })
		walkers = append(walkers, w)
	}
	until(t, "all guests are in", func() bool { return s.metric(t, "game_guests") == strconv.Itoa(many) })

	var want []string
	for i := range 5 {
		walkers[0].say(`{"a":"Chat","p0":"","p1":"last words, %d"}`, i)
		want = append(want, fmt.Sprintf(`{"a":"Chat","p0":"walker 0: last words, %d"}`, i))
	}
	walkers[0].ping() // the server has them
	begun := time.Now()
	p.signal(syscall.SIGTERM)

	guests.each(func(i int, m *member) error {
		packets, code, err := m.farewell()
		switch {
		case err != nil:
			return err
		case code != int(websocket.StatusGoingAway):
			return fmt.Errorf("closed with %d, want 1001", code)
		case !slices.Equal(packets, want):
			return fmt.Errorf("heard %q, want %q", packets, want)
		case i == 0:
			return refused(p.addr)
		}
		return nil
	})
	for _, w := range walkers {
		if code := w.ended(); code != websocket.StatusGoingAway {
			t.Errorf("%s: closed with %d, want 1001", w.name, code)
		}
	}
	status, took := p.exit(), time.Since(begun)
	t.Logf("%d connections, gone after %v", many+len(walkers), took.Round(time.Millisecond))
	if status != 0 || took > obedience {
		t.Errorf("exit status %d after %v, want 0 within %v", status, took, obedience)
	}
	if err := refused(p.addr); err != nil {
		t.Error(err)
	}

	after := startServer(t, "-db", db)
	for _, w := range walkers {
		_, last := stepsOf(w.soFar(), w.ownID())
		if at := connect(t, after).login(w.name).at(); at != last {
			t.Errorf("%s is back at %v, was last told %v", w.name, at, last)
		}
	}
}

// refused wants the port to be closed.
func refused(addr string) error {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err == nil {
		_ = c.Close()
		return errors.New("the port is still open")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("the port is not refused: %w", err)
	}
	return nil
}

// TestShutdownStubborn stops a server whose clients do nothing to help: the
// process exits in time all the same.
func TestShutdownStubborn(t *testing.T) {
	t.Parallel()
	p := startProcess(t, filepath.Join(t.TempDir(), "tavern.db"), "-guests", "on-connect", "-limits", "off")
	s := &testServer{addr: p.addr}
	open := func(first string) net.Conn {
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, first); err != nil {
			t.Fatal(err)
		}
		return c
	}
	open("")                                // says nothing
	open("GET / HTTP/1.1\r\nHost: ta")      // says half a request
	open(handshake[:len(handshake)-2])      // half a handshake
	open("POST / HTTP/1.1\r\nHost: x\r\n" + // half a body
		"Content-Length: 1000\r\n\r\nhalf")
	open(strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 500)) // never reads
	silent, err := join(p.addr, 0)                                        // does not answer the close frame
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	deaf, err := join(p.addr, 4096) // reads nothing any more, so that it is far behind
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	ann := connect(t, s)
	ann.register("ann")
	ann.login("ann")
	until(t, "somebody is behind", func() bool {
		for range 20 {
			ann.say(`{"a":"Chat","p0":"","p1":%q}`, strings.Repeat("x", 1000))
		}
		ann.ping()
		return s.metric(t, "stream_blocked") != "0"
	})
	begun := time.Now()
	p.signal(syscall.SIGINT)
	if code := ann.ended(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d, want 1001", code)
	}
	if status, took := p.exit(), time.Since(begun); status != 0 || took > obedience {
		t.Errorf("exit status %d after %v, want 0 within %v", status, took.Round(time.Millisecond), obedience)
	}
}

// TestShutdownTwice signals again while the server shuts down: that neither hurries
// nor harms it.
func TestShutdownTwice(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "tavern.db")
	p := startProcess(t, db)
	s := &testServer{addr: p.addr}
	ann, m := enter(t, s, "ann")
	ann.say(`{"a":"Target","p0":2000,"p1":0}`)
	ann.await("a step", func(h *heard) bool { d, ok := h.model(); return ok && !d.full() && d.ID == m.ID })
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGINT} {
		p.signal(sig)
	}
	if code := ann.ended(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d, want 1001", code)
	}
	p.signal(syscall.SIGTERM)
	if status := p.exit(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	_, last := stepsOf(ann.soFar(), m.ID)
	after := startServer(t, "-db", db)
	if at := connect(t, after).login("ann").at(); at != last {
		t.Errorf("ann is back at %v, was last told %v", at, last)
	}
}
