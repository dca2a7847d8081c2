package ws

import (
	"errors"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Handler is told what sessions do. No method may block.
//
// Open and Message of one session never overlap and come in order. The reason is
// nbio's: a connection belongs to one poller, which reads it, and no other
// goroutine does (net/http's, which runs Open, is done before the poller begins).
type Handler interface {
	// Open announces s, before its first message.
	Open(s *Session)
	// Message brings a message: text is UTF-8 if text is true. data may be
	// changed but dies when Message returns.
	Message(s *Session, data []byte, text bool)
	// Closed tells how s ended, exactly once, after Open has returned; no message
	// comes after it, though it may overlap the last one. code is what the peer
	// gave (1005: nothing), what Close was called with, what the peer's fault
	// deserved, or 1006 when the connection just ended. Any goroutine. The
	// socket may live a little longer, until the peer has heard of it.
	Closed(s *Session, code int, reason string)
}

// Errors of Write and Ping.
var (
	ErrClosed  = errors.New("ws: session is closed")
	ErrBacklog = errors.New("ws: session has too many bytes pending")
)

// Session is one connection's state at the edge. It is small, because most
// sessions are idle: TestSessionSize holds it to 96 bytes.
type Session struct {
	// Value is the handler's own, set in Open and not changed afterwards.
	Value any

	srv    *Server
	parser parser // the poller's (before that net/http's)

	// mu guards conn and orders writes: nothing follows a close frame.
	// It is taken before nbio's lock of the connection, never after.
	mu   sync.Mutex
	conn conn
	// records seals and opens what goes over TLS, nil where nothing does.
	records *records

	// pending counts the bytes queued behind a full socket; its top bit tells that
	// our close frame was written or queued, and that nothing may follow.
	//
	//	+---------+------------------------------------+
	//	| closing | bytes, at most MaxPendingBytes+127 |
	//	+---------+------------------------------------+
	//
	// Bytes are added, under mu, before they are queued, those of the close frame
	// together with the bit, and are taken off in flushed; so
	//
	//	0, under mu    nothing is queued, the socket may be written directly
	//	closing + 0    the close frame is with the kernel
	//
	// In one word, because whoever takes off the last bytes must know, of that
	// moment, whether they were the last of all.
	pending atomic.Uint32
	heard   atomic.Uint32 // second of the server's clock when bytes came last
	state   atomic.Uint32

	proxied  bool  // a proxy stands between: see Config.ClientAddr and FrontConfig.Proxy
	protocol uint8 // subprotocol: 1 + index in Config.Subprotocols, 0 for none
	addr     [16]byte
}

// Bits of Session.state. None is ever taken back.
const (
	stateFated uint32 = 1 << iota // how the session ends is decided: whoever sets it reports it
	stateShut                     // our side of the stream has ended, behind the close frame
	stateGone                     // the socket is closed
)

// closingBit is the top bit of Session.pending.
const closingBit = 1 << 31

// set sets bit and tells whether the caller was the first to.
func (s *Session) set(bit uint32) bool { return s.state.Or(bit)&bit == 0 }

func (s *Session) is(bit uint32) bool { return s.state.Load()&bit != 0 }

// mute tells whether nothing can be written any more.
func (s *Session) mute() bool { return s.pending.Load()&closingBit != 0 || s.is(stateGone) }

// Write sends frames: whole ones, any number, as [AppendText] makes them. What
// the socket has no room for is copied, so frames may be shared and reused. It
// returns ErrClosed, or, without having taken anything, ErrBacklog, when more than
// Config.MaxPendingBytes would be pending; then the session should be closed.
// Any goroutine; frames of one Write stay together.
func (s *Session) Write(frames []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mute() {
		return ErrClosed
	}
	if int64(s.Pending()+len(frames)) > s.srv.maxPending.Load() {
		s.srv.counters.overflows.Add(1)
		return ErrBacklog
	}
	return s.push(frames, false)
}

// Ping sends an empty ping. The pong shows in LastHeard. Errors as of Write.
func (s *Session) Ping() error { return s.Write(pingFrame) }

var pingFrame = appendHeader(nil, opPing, 0)

// push writes b; last means that it ends with the close frame. The caller holds mu.
func (s *Session) push(b []byte, last bool) error {
	if s.records != nil {
		return s.pushSealed(b, last)
	}
	return s.pushBytes(b, last)
}

// pushBytes is push for what the socket gets.
func (s *Session) pushBytes(b []byte, last bool) error {
	n := 0
	if s.pending.Load() == 0 {
		var err error
		if n, err = s.conn.TryWrite(b); err != nil {
			s.conn.Hangup()
			return ErrClosed
		}
		s.srv.counters.bytesOut.Add(uint64(n))
	}
	rest := b[n:]
	more := uint32(len(rest))
	if last {
		more |= closingBit
	}
	s.pending.Add(more)
	if len(rest) > 0 {
		if s.conn.Queue(rest) != nil {
			return ErrClosed
		}
	} else if last {
		s.state.Or(stateShut)
		s.conn.CloseWrite()
		s.srv.closer.linger(s)
	}
	return nil
}

// flushed notes that n queued bytes are with the kernel. It returns true once,
// when the last of them were the close frame: the caller, who holds the
// connection's lock, must then end our side of the stream.
func (s *Session) flushed(n int) bool {
	left := s.pending.Add(-uint32(n))
	s.srv.counters.bytesOut.Add(uint64(n))
	if left != closingBit {
		return false
	}
	s.state.Or(stateShut)
	s.srv.closer.linger(s)
	return true
}

// Pending is the number of bytes taken by Write that the kernel does not have
// yet. Any goroutine.
func (s *Session) Pending() int { return int(s.pending.Load() &^ closingBit) }

// Close ends the session: a close frame goes out behind all that was written, and
// when it has left, the socket closes, after a bounded wait for the peer
// (Config.DrainTimeout, Config.LingerTimeout). code is one of those that
// ValidCloseCode accepts (else 1011); of reason 123 bytes are sent. No message is
// delivered from now on, and Closed follows, on another goroutine. Any
// goroutine; only the first call counts, and none after the session has ended.
func (s *Session) Close(code int, reason string) { s.shut(code, reason) }

// shut is Close, and tells whether it is what ends the session.
func (s *Session) shut(code int, reason string) bool {
	if !s.set(stateFated) {
		return false
	}
	if !ValidCloseCode(code) {
		code = CloseInternal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if early, ok := s.conn.(*earlyConn); ok {
		early.code, early.reason = code, reason // attach passes it on
	} else {
		s.srv.closer.report(s, code, reason)
	}
	s.bye(code, reason)
	return true
}

// end is Close for what the peer did: it reports at once. Poller.
func (s *Session) end(code int, reason string, answer int, why string) {
	fated := s.set(stateFated)
	s.mu.Lock()
	s.bye(answer, why)
	s.mu.Unlock()
	if fated {
		s.report(code, reason)
	}
}

// bye writes the close frame, once. The caller holds mu.
func (s *Session) bye(code int, reason string) {
	if s.mute() {
		return
	}
	var frame [2 + maxControlBytes]byte
	if s.push(appendClose(frame[:0], code, reason), true) == nil && !s.is(stateShut) {
		s.srv.closer.drain(s)
	}
}

// attach tells the session that the engine has its connection now (or has closed
// it, if it could not take it).
func (s *Session) attach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	early := s.conn.(*earlyConn)
	s.conn = early.conn
	if early.code != 0 {
		s.srv.closer.report(s, early.code, early.reason)
	}
	if len(early.queue) > 0 {
		_ = s.conn.Queue(early.queue) // counted in pending already
	}
}

// feed takes bytes that the peer sent. Poller, and before that net/http.
func (s *Session) feed(data []byte) {
	defer s.surviveInput("Message")
	s.srv.counters.bytesIn.Add(uint64(len(data)))
	if now := s.srv.Clock(); s.heard.Load() != now {
		s.heard.Store(now)
	}
	var pongs *[]byte
	var ev event
	limit := int(s.srv.maxMessage.Load())
	for {
		data = s.parser.next(&ev, data, limit)
		switch ev.kind {
		case eventNone:
			s.pong(pongs)
			return
		case eventMessage:
			if s.is(stateFated) {
				continue // closing: only the peer's close frame is of interest
			}
			if pongs != nil {
				// What the handler answers must not overtake them.
				s.pong(pongs)
				pongs = nil
			}
			s.srv.counters.messages.Add(1)
			s.srv.handler.Message(s, ev.payload, ev.text)
		case eventPing:
			// Pongs in a row leave in one write: pings are cheap to send, and a
			// write for each would let one peer hold up the poller.
			if pongs == nil {
				pongs = pongBuffers.Get().(*[]byte)
			}
			*pongs = append(appendHeader(*pongs, opPong, len(ev.payload)), ev.payload...)
		case eventPong:
			s.srv.counters.pongs.Add(1)
		case eventClose:
			s.pong(pongs)
			s.peerClosed(ev.code, string(ev.payload))
			return
		case eventFault:
			s.pong(pongs)
			if !s.is(stateFated) {
				s.srv.counters.faults[ev.fault.index].Add(1)
			}
			s.end(ev.fault.Code, ev.fault.Reason, ev.fault.Code, ev.fault.Reason)
			return
		}
	}
}

// pongBuffers are for the answers to pings in a row.
var pongBuffers = sync.Pool{New: func() any { return new([]byte) }}

// pong sends the answers to pings, if there are any. A peer that keeps asking
// and does not read the answers is a slow consumer like any other.
func (s *Session) pong(frames *[]byte) {
	if frames == nil {
		return
	}
	if errors.Is(s.Write(*frames), ErrBacklog) {
		s.Close(CloseTryLater, "pongs are not read")
	}
	*frames = (*frames)[:0]
	pongBuffers.Put(frames)
}

// peerClosed answers the peer's close frame, if it is not an answer itself.
func (s *Session) peerClosed(code int, reason string) {
	answer := code
	if code == CloseNoStatus {
		answer = CloseNormal
	}
	// Under the lock: the peer may answer our close frame before push, which wrote
	// it, has noted so.
	s.mu.Lock()
	answered := s.is(stateShut)
	s.mu.Unlock()
	s.end(code, reason, answer, "")
	if answered {
		// Both close frames have arrived: nothing is left to wait for.
		s.mu.Lock()
		s.conn.Hangup()
		s.mu.Unlock()
	}
}

// gone notes that the socket is closed.
func (s *Session) gone() {
	if s.set(stateFated) {
		s.report(CloseAbnormal, "")
	}
}

// report tells the handler how the session ended. Who set stateFated calls it.
func (s *Session) report(code int, reason string) {
	s.srv.counters.closed[closedIndex(code)].Add(1)
	s.srv.counters.open.Add(-1)
	defer func() {
		if cause := recover(); cause != nil {
			s.panicked("Closed", cause)
		}
	}()
	s.srv.handler.Closed(s, code, reason)
}

// open tells the handler of the session.
func (s *Session) open() {
	defer s.surviveInput("Open")
	s.srv.counters.accepted.Add(1)
	s.srv.counters.open.Add(1)
	s.srv.handler.Open(s)
}

// surviveInput, deferred, keeps a panic of the handler to the session where it
// happened: that one ends. The goroutine that owns the parser calls it.
func (s *Session) surviveInput(where string) {
	if cause := recover(); cause != nil {
		s.parser.stop()
		s.Panicked(where, cause)
	}
}

// Panicked is for a handler that has recovered from a panic on a goroutine of its
// own: it is counted and logged like one in a call of the handler, and the session
// ends with 1011. Call it in the deferred function, for the stack. Any goroutine.
func (s *Session) Panicked(where string, cause any) {
	s.panicked(where, cause)
	s.Close(CloseInternal, "internal error")
}

func (s *Session) panicked(where string, cause any) {
	s.srv.counters.panics.Add(1)
	s.srv.log.Error("handler panicked", slog.String("in", where), slog.Any("panic", cause),
		slog.String("peer", s.RemoteAddr().String()), slog.String("stack", string(debug.Stack())))
}

// RemoteAddr is the peer's address, or what Config.ClientAddr made of it. Any goroutine.
func (s *Session) RemoteAddr() netip.Addr { return netip.AddrFrom16(s.addr).Unmap() }

// Subprotocol is the one agreed on in the handshake, or "". Any goroutine.
func (s *Session) Subprotocol() string {
	if s.protocol == 0 {
		return ""
	}
	return s.srv.cfg.Subprotocols[s.protocol-1]
}

// LastHeard is when bytes last came from the peer, on the clock of
// [Server.Clock], in seconds. Any goroutine.
func (s *Session) LastHeard() uint32 { return s.heard.Load() }
