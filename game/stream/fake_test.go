package stream

import (
	"bytes"
	"errors"
	"sync"
	"testing"
)

// fakeConn stands for a connection: a socket that holds so many bytes until its
// reader takes them, and behind it the edge's own queue, which Pending reports.
// It keeps all that it was given, and what a writer must never do it reports as a
// test error.
type fakeConn struct {
	tb   testing.TB
	name string

	// hook runs at the end of each Write, on the writer's goroutine and without
	// the lock. Set it before the connection is used.
	hook func(frames []byte)

	mu      sync.Mutex
	got     []byte // all that Write took, in order
	writes  int
	bounded bool // the socket holds no more than size bytes
	size    int
	held    int // bytes in the socket, when it is bounded
	pending int // bytes taken and not yet in the socket
	broken  bool
	full    int   // bytes of others in the edge's queue, so that it refuses more
	codes   []int // of the closes
}

var (
	errBroken = errors.New("broken pipe")
	errFull   = errors.New("too many bytes pending")
)

// newConn is a connection whose reader is never behind.
func newConn(tb testing.TB) *fakeConn { return &fakeConn{tb: tb} }

// newSlowConn is a connection whose socket holds size bytes, and whose reader
// reads only by read.
func newSlowConn(tb testing.TB, size int) *fakeConn {
	return &fakeConn{tb: tb, bounded: true, size: size}
}

func (c *fakeConn) Write(frames []byte) error {
	err := c.take(frames)
	if c.hook != nil && err == nil {
		c.hook(frames)
	}
	return err
}

func (c *fakeConn) take(frames []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case len(frames) == 0:
		c.tb.Errorf("%s: an empty write", c.name)
	case c.pending > 0:
		c.tb.Errorf("%s: a write of %d bytes while %d of the last are unflushed", c.name, len(frames), c.pending)
	case len(c.codes) > 0:
		c.tb.Errorf("%s: a write after the close", c.name)
	}
	if c.broken {
		return errBroken
	}
	if c.full > 0 {
		return errFull
	}
	c.writes++
	c.got = append(c.got, frames...)
	c.pending += len(frames)
	c.flush()
	return nil
}

// flush moves what the socket has room for out of the queue.
func (c *fakeConn) flush() {
	n := c.pending
	if c.bounded {
		n = min(n, c.size-c.held)
		c.held += n
	}
	c.pending -= n
}

// read takes up to n bytes out of the socket and returns what still waits there
// and in the queue.
func (c *fakeConn) read(n int) (left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held -= min(n, c.held)
	c.flush()
	return c.held + c.pending
}

// readAll takes all that waits.
func (c *fakeConn) readAll() {
	for c.read(1<<30) > 0 {
	}
}

func (c *fakeConn) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending + c.full
}

func (c *fakeConn) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if reason == "" {
		c.tb.Errorf("%s: closed without a reason", c.name)
	}
	c.codes = append(c.codes, code)
	c.pending = 0
}

// bytes is all that Write took so far.
func (c *fakeConn) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.got)
}

// since is what Write took behind the first n bytes. It is not to be changed.
func (c *fakeConn) since(n int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got[n:len(c.got):len(c.got)]
}

// total is how many bytes Write took.
func (c *fakeConn) total() int { return len(c.since(0)) }

// closes is the codes it was closed with.
func (c *fakeConn) closes() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]int(nil), c.codes...)
}

func (c *fakeConn) writeCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// want fails the test unless the connection was given exactly what is in frames,
// in that order.
func (c *fakeConn) want(frames ...string) {
	c.tb.Helper()
	var all []byte
	for _, f := range frames {
		all = append(all, f...)
	}
	if got := c.bytes(); !bytes.Equal(got, all) {
		c.tb.Fatalf("%s got %s, want %s", c.name, brief(got), brief(all))
	}
}

// wantWrites fails the test unless there were so many writes.
func (c *fakeConn) wantWrites(n int) {
	c.tb.Helper()
	if got := c.writeCount(); got != n {
		c.tb.Fatalf("%s: %d writes, want %d", c.name, got, n)
	}
}

func brief(b []byte) string {
	if len(b) <= 200 {
		return "\"" + string(b) + "\""
	}
	return "\"" + string(b[:90]) + " ... " + string(b[len(b)-90:]) + "\""
}

// discard is a connection that takes everything.
type discard struct{}

func (discard) Write([]byte) error { return nil }
func (discard) Pending() int       { return 0 }
func (discard) Close(int, string)  {}
