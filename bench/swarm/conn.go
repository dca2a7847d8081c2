package swarm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

type phase uint8

const (
	closed     phase = iota
	connecting       // the request waits for the socket
	upgrading        // the request is out, the answer is not in
	open
)

// conn is one connection. Only its engine's thread touches it.
type conn struct {
	// What the walker counts of the running chat measurement. heard+said of every
	// connection of the room must come to the number of chats sent by all.
	heard, heardPrint uint64
	said, saidPrint   uint64
	worst             int64 // ns, of the sampled chats
	order             *orderCheck
	bytes             uint64 // received since the room was last marked

	bot       bot    // hears everything that is not a measured chat; nil for a plain guest
	carry     []byte // the beginning of a frame whose rest has not arrived
	out       []byte // what the kernel did not take
	fragments []byte // of a message that is not whole yet

	fd         int
	index      int32
	generation uint32 // of the index: events of an earlier connection are ignored
	phase      phase
	apart      bool // not of the room: its chats are nobody's business
	muted      bool // not watched: a reader that has stopped
	leaving    bool // we closed it
	began      int64
}

// bot is what reacts to a connection's events, on the engine's thread.
type bot interface {
	opened(e *Engine, c *conn)
	packet(e *Engine, c *conn, payload []byte) // payload dies with the call
	gone(e *Engine, c *conn, reason string)
}

var errDial = errors.New("swarm: cannot open a socket")

// ponged is a bot that sends pings, and hears of the answers.
type ponged interface{ pong(e *Engine, c *conn) }

// dial begins a new connection; b hears of the rest.
func (e *Engine) dial(b bot) (*conn, error) {
	return e.dialWith(b, e.request, e.cfg.ReceiveBufferBytes)
}

// dialWith is dial with another request, which is never written to, and another size
// of the receive buffer, 0 for the kernel's own.
func (e *Engine) dialWith(b bot, request []byte, receiveBytes int) (*conn, error) {
	fd, err := dial(e.target, source(e.cfg.Worker, e.dialled, e.cfg.Sources), receiveBytes)
	e.dialled++
	if err != nil {
		return nil, errors.Join(errDial, err)
	}
	c := &conn{fd: fd, bot: b, phase: connecting, began: Now()}
	if n := len(e.free); n > 0 {
		c.index = e.free[n-1]
		e.free = e.free[:n-1]
		c.generation = e.conns[c.index].generation + 1
		e.conns[c.index] = c
	} else {
		c.index = int32(len(e.conns))
		e.conns = append(e.conns, c)
	}
	c.out = request
	if !e.flush(c) {
		return c, nil
	}
	if err := e.poller.watch(fd, c.index, c.generation, len(c.out) > 0); err != nil {
		e.drop(c, "epoll")
	}
	return c, nil
}

// flush writes what waits in c.out; false when the connection is gone. The request
// of the handshake is shared by all and never written to.
func (e *Engine) flush(c *conn) bool {
	for len(c.out) > 0 {
		n, errno := write(c.fd, c.out)
		switch errno {
		case 0:
			c.out = c.out[n:]
		case unix.EAGAIN, unix.ENOTCONN:
			return true
		case unix.EINTR:
		default:
			e.drop(c, failure(errno))
			return false
		}
	}
	c.out = nil
	if c.phase == connecting {
		c.phase = upgrading
	}
	return true
}

// send writes one whole frame, or keeps what the kernel does not take.
func (e *Engine) send(c *conn, frame []byte) {
	if c.phase != open {
		return
	}
	if len(c.out) > 0 {
		c.out = append(c.out, frame...)
		return
	}
	n, errno := write(c.fd, frame)
	if errno != 0 {
		if errno != unix.EAGAIN && errno != unix.EINTR {
			e.drop(c, failure(errno))
			return
		}
		n = 0
	}
	if n < len(frame) {
		c.out = append([]byte(nil), frame[n:]...)
		if !c.muted {
			_ = e.poller.change(c.fd, c.index, c.generation, true)
		}
	}
}

// ready handles one event of c.
func (e *Engine) ready(c *conn, events uint32) {
	if events&unix.EPOLLOUT != 0 {
		if !e.flush(c) {
			return
		}
		if len(c.out) == 0 {
			_ = e.poller.change(c.fd, c.index, c.generation, false)
		}
	}
	if events&^unix.EPOLLOUT == 0 {
		return
	}
	// An edge is reported once. A read that was not full has emptied the socket, but
	// when the end has been seen it is still to be read.
	ended := events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
	for c.phase != closed {
		n := e.receive(c, e.cfg.ReadBytes)
		if n < e.cfg.ReadBytes && !(ended && n > 0) {
			return
		}
		if e.now >= e.due {
			e.step()
		}
	}
}

// receive reads once, at most limit bytes, walks what there is, and returns how much
// it read. The clock is read after the system call: a chat has arrived when the client
// can see it.
func (e *Engine) receive(c *conn, limit int) int {
	kept := copy(e.buffer, c.carry)
	n, errno := receive(c.fd, e.buffer[kept:kept+limit])
	e.now = Now()
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return 0
	case errno != 0:
		e.drop(c, failure(errno))
		return 0
	case n == 0:
		e.drop(c, "eof")
		return 0
	}
	e.reads++
	e.bytes += uint64(n)
	c.bytes += uint64(n)
	data := e.buffer[:kept+n]
	if c.phase != open {
		if data = e.upgraded(c, data); data == nil {
			return n
		}
	}
	rest := data[e.walk(c, data):]
	if c.phase == closed {
		return n
	}
	if len(rest) > maxFrameBytes {
		e.drop(c, "frame too big")
		return n
	}
	if len(rest) > 0 || len(c.carry) > 0 {
		c.carry = append(c.carry[:0], rest...)
	}
	return n
}

// upgraded looks for the end of the server's answer in data, which begins with it.
// It returns what follows, or nil when there is nothing to walk.
func (e *Engine) upgraded(c *conn, data []byte) []byte {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		if len(data) > maxAnswerBytes {
			e.drop(c, "no handshake")
			return nil
		}
		c.carry = append(c.carry[:0], data...)
		return nil
	}
	answer := data[:end]
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101 ")) || !bytes.Contains(answer, handshakeProof) {
		e.drop(c, "refused "+statusOf(answer))
		return nil
	}
	c.phase = open
	c.carry = nil
	e.open++
	if c.bot != nil {
		c.bot.opened(e, c)
	}
	if c.phase != open {
		return nil
	}
	return data[end+4:]
}

// statusOf returns the status code of an HTTP answer.
func statusOf(answer []byte) string {
	fields := bytes.Fields(answer)
	if len(fields) < 2 || len(fields[1]) != 3 {
		return "by no HTTP"
	}
	return string(fields[1])
}

// control answers a control frame and counts a close.
func (e *Engine) control(c *conn, opcode byte, payload []byte) {
	switch opcode {
	case opPing:
		e.send(c, appendFrame(nil, opPong, payload))
	case opPong:
		if b, asks := c.bot.(ponged); asks {
			b.pong(e, c)
		}
	case opClose:
		code := "1005"
		if len(payload) >= 2 {
			code = strconv.Itoa(int(binary.BigEndian.Uint16(payload)))
		}
		if !c.leaving {
			e.send(c, appendFrame(nil, opClose, payload[:min(2, len(payload))]))
		}
		e.drop(c, code)
	}
}

// leave says goodbye; the connection ends with the server's answer. Nobody counts it
// as a loss.
func (e *Engine) leave(c *conn) {
	if c.phase != open {
		e.abort(c)
		return
	}
	c.leaving = true
	e.send(c, appendFrame(nil, opClose, []byte{0x03, 0xe8})) // 1000
}

// endStream ends our side of the TCP stream without a goodbye, as the kernel does for
// a client that was killed, and reads on until the server ends its side.
func (e *Engine) endStream(c *conn) {
	if c.phase != closed {
		_ = unix.Shutdown(c.fd, unix.SHUT_WR)
	}
	c.leaving = true
}

// ping asks for a pong, which comes when the server has taken everything before it.
func (e *Engine) ping(c *conn) { e.send(c, appendFrame(nil, opPing, nil)) }

// abort ends the connection with a TCP reset, as a killed client does.
func (e *Engine) abort(c *conn) {
	if c.phase != closed {
		reset(c.fd)
	}
	c.leaving = true
	e.drop(c, "")
}

// drop closes the socket and tells the bot; once, however often it is asked. reason
// is the server's close code, or what else ended the connection.
func (e *Engine) drop(c *conn, reason string) {
	if c.phase == closed {
		return
	}
	if c.phase == open {
		e.open--
		if !c.leaving && !c.apart {
			e.closes[reason]++
		}
	}
	c.phase = closed
	c.carry, c.out, c.fragments = nil, nil, nil
	unix.Close(c.fd)
	e.free = append(e.free, c.index)
	if c.bot != nil {
		c.bot.gone(e, c, reason)
	}
}

// failure names a socket error in a word.
func failure(errno unix.Errno) string {
	switch errno {
	case unix.ECONNRESET:
		return "reset"
	case unix.EPIPE:
		return "broken pipe"
	case unix.ECONNREFUSED:
		return "connection refused"
	case unix.ETIMEDOUT:
		return "timed out"
	}
	return errno.Error()
}
