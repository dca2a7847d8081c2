package ws

import (
	"errors"
	"net"
	"sync"
	"syscall"

	"github.com/lesismal/nbio"
	"golang.org/x/sys/unix"
)

// conn is what a session uses of its connection: nbio's in life, a fake where
// the session itself is on trial.
//
// No method closes the file descriptor. Only the connection's poller does that
// (see nbConn), and it is told to by Hangup.
type conn interface {
	// TryWrite writes to the socket what it has room for. The caller knows that
	// nothing is queued before b. Neither n < len(b) nor a nil error ends anything.
	TryWrite(b []byte) (n int, err error)
	// Queue copies b and writes it as the socket gets room. What is written is
	// reported to Session.flushed, maybe before Queue returns.
	Queue(b []byte) error
	// CloseWrite ends our side of the stream, behind all that was written.
	CloseWrite()
	// Hangup ends both sides and lets the poller close. What is queued is lost.
	Hangup()
	// Unsent counts the bytes in the kernel that the peer has not acknowledged,
	// with one for an end of stream.
	Unsent() int
}

// nbConn is a connection in nbio's engine.
//
// nbio's Write closes the descriptor when the socket turns out to be broken, on
// the goroutine that wrote. Its poller may at that moment hold a batch of events
// with one for this descriptor, and if a new connection gets the same number
// before the batch is through, the old event hits the new connection and closes
// it. So descriptors are closed by nothing but their poller: we write to the
// socket ourselves, use nbio's queue for what did not fit, and answer an error
// with shutdown(2), upon which the poller sees the end of the stream and closes.
// (Queue is nbio's Write, which tries the socket once more before it queues. An
// error that comes in that instant, on a socket that was full, is all that is
// left of the danger. TestStaleEvent shows the rest of it.)
//
// Holding nbio's lock while the connection is not closed keeps the descriptor
// ours: nbio sets closed under the lock, before it closes.
type nbConn struct{ *nbio.Conn }

// fd is the descriptor, which nbio's Hash returns unchanged and, unlike
// SyscallConn, without an allocation (TestHashIsDescriptor).
func (c nbConn) fd() int { return c.Hash() }

// hold locks the descriptor. It reports false, and holds nothing, when it is closed.
func (c nbConn) hold() bool {
	c.Lock()
	if closed, _ := c.IsClosed(); closed {
		c.Unlock()
		return false
	}
	return true
}

func (c nbConn) TryWrite(b []byte) (int, error) {
	if !c.hold() {
		return 0, net.ErrClosed
	}
	defer c.Unlock()
	for {
		n, err := syscall.Write(c.fd(), b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		case !errors.Is(err, syscall.EINTR):
			return 0, err
		}
	}
}

func (c nbConn) Queue(b []byte) error {
	_, err := c.Conn.Write(b)
	return err
}

func (c nbConn) CloseWrite() { c.shutdown(unix.SHUT_WR) }
func (c nbConn) Hangup()     { c.shutdown(unix.SHUT_RDWR) }

// shutdown ignores errors: there is one kind, the stream has ended already.
func (c nbConn) shutdown(how int) {
	if c.hold() {
		_ = unix.Shutdown(c.fd(), how)
		c.Unlock()
	}
}

func (c nbConn) Unsent() int {
	if !c.hold() {
		return 0
	}
	defer c.Unlock()
	n, err := unix.IoctlGetInt(c.fd(), unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}

// ended tells whether the peer has ended its side, so that no more bytes than
// the kernel holds already can come.
func (c nbConn) ended() bool {
	if !c.hold() {
		return true
	}
	defer c.Unlock()
	fds := []unix.PollFd{{Fd: int32(c.fd()), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// earlyConn is a connection that the engine does not have yet. nbio can queue
// nothing for it, so what does not fit into the socket is kept here. The
// session's mutex guards it.
type earlyConn struct {
	conn
	queue  []byte
	code   int // of Session.Close, 0 before that
	reason string
}

func (c *earlyConn) Queue(b []byte) error {
	c.queue = append(c.queue, b...)
	return nil
}

// queueAllocator gives nbio the buffers for what did not fit into a socket.
// nbio's own pool takes buffers of up to 1 GB back and hands them out for a few
// bytes; this one keeps nothing over 64 KiB, which is where nbio begins a new buffer.
type queueAllocator struct{ pools [queueClasses]sync.Pool }

const (
	queueMinBits = 9 // 512 bytes
	queueClasses = 8 // up to 64 KiB
)

func queueClass(size int) int {
	class := 0
	for size > 1<<(queueMinBits+class) && class < queueClasses {
		class++
	}
	return class
}

// Malloc returns a buffer of size bytes.
func (a *queueAllocator) Malloc(size int) *[]byte {
	class := queueClass(size)
	if class == queueClasses {
		b := make([]byte, size)
		return &b
	}
	if b, ok := a.pools[class].Get().(*[]byte); ok {
		*b = (*b)[:size]
		return b
	}
	b := make([]byte, size, 1<<(queueMinBits+class))
	return &b
}

// Realloc is part of nbio's interface; nbio calls it nowhere in its core.
func (a *queueAllocator) Realloc(b *[]byte, size int) *[]byte {
	grown := a.Malloc(size)
	copy(*grown, *b)
	a.Free(b)
	return grown
}

// Append appends to b, whose room nbio has seen to.
func (a *queueAllocator) Append(b *[]byte, more ...byte) *[]byte {
	*b = append(*b, more...)
	return b
}

// AppendString is part of nbio's interface, like Realloc.
func (a *queueAllocator) AppendString(b *[]byte, more string) *[]byte {
	*b = append(*b, more...)
	return b
}

// Free takes b back.
func (a *queueAllocator) Free(b *[]byte) {
	class := queueClass(cap(*b))
	if class < queueClasses && cap(*b) == 1<<(queueMinBits+class) {
		a.pools[class].Put(b)
	}
}
