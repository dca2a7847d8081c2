package ws

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// frontCounts are a FrontListener's, written where things happen.
type frontCounts struct{ tooLong, tooLate, full atomic.Uint64 }

// greetingFailed counts a greeting that has failed, if it was for its time.
func (c *frontCounts) greetingFailed(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.tooLate.Add(1)
	}
}

// FrontCounters is a snapshot of what a FrontListener has counted. All but
// Greeting only grow.
type FrontCounters struct {
	Greeting       int    // connections in their TLS handshake or PROXY header
	GreetingsFull  uint64 // connections that had to wait because too many were
	HeadersTooLong uint64 // requests answered with 431
	HeadersTooLate uint64 // connections closed because a request, or a greeting, did not come in time
}

// Counters takes a snapshot. Any goroutine.
func (l *FrontListener) Counters() FrontCounters {
	return FrontCounters{
		Greeting: len(l.slots), GreetingsFull: l.counts.full.Load(),
		HeadersTooLong: l.counts.tooLong.Load(), HeadersTooLate: l.counts.tooLate.Load(),
	}
}

// headerWatch follows one connection of net/http, to count those requests that it
// gives up by itself, of which it tells nobody: too long ones, which it answers
// with 431, and those that do not come before its deadline.
//
// It reads, writes and sets deadlines on more than one goroutine, if never two of
// a kind at a time.
type headerWatch struct {
	counts   *frontCounts
	late     atomic.Bool // counted: a read may be tried again
	answered atomic.Bool // something was sent: silence is rest now, until something comes
	aborted  atomic.Bool // the deadline is net/http's way to end a read of its own
}

var tooLongAnswer = []byte("HTTP/1.1 431 ")

func (w *headerWatch) read(n int, err error) {
	switch {
	case err == nil:
		if n > 0 && w.answered.Load() {
			w.answered.Store(false)
		}
	case errors.Is(err, os.ErrDeadlineExceeded) && !w.answered.Load() && !w.aborted.Load():
		if w.late.CompareAndSwap(false, true) {
			w.counts.tooLate.Add(1)
		}
	}
}

func (w *headerWatch) write(b []byte) {
	if !w.answered.Load() {
		w.answered.Store(true)
	}
	if bytes.HasPrefix(b, tooLongAnswer) {
		w.counts.tooLong.Add(1)
	}
}

// deadline notes whether t is one that a peer could have kept.
func (w *headerWatch) deadline(t time.Time) { w.aborted.Store(!t.IsZero() && t.Unix() < 1<<20) }

// plainConn is a connection as net/http sees it when nothing stands before it,
// until it is hijacked. What it does not override is the TCP connection's own:
// files go out by sendfile.
type plainConn struct {
	*net.TCPConn
	watch headerWatch
}

// Read reads what the client sent. See net.Conn.
func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	c.watch.read(n, err)
	return n, err
}

// Write writes to the client. See net.Conn.
func (c *plainConn) Write(b []byte) (int, error) {
	c.watch.write(b)
	return c.TCPConn.Write(b)
}

// SetDeadline bounds reads and writes. See net.Conn.
func (c *plainConn) SetDeadline(t time.Time) error {
	c.watch.deadline(t)
	return c.TCPConn.SetDeadline(t)
}

// SetReadDeadline bounds reads. See net.Conn.
func (c *plainConn) SetReadDeadline(t time.Time) error {
	c.watch.deadline(t)
	return c.TCPConn.SetReadDeadline(t)
}
