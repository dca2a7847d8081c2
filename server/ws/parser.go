package ws

import (
	"sync"
	"unicode/utf8"
)

// parser turns the bytes of one client into events: a pure function of those
// bytes, without I/O. However the bytes are cut into pieces, the events are the
// same.
//
// While nothing is incomplete it is one nil pointer and payloads are handed out
// where they lie. What is incomplete at the end of a piece is kept in a partial.
//
//	part == nil    between two messages
//	part == deaf   over: a close frame or a fault was seen, nothing counts any more
//	otherwise      inside a frame, a header or a fragmented message
//
// Only the session's poller may call it.
type parser struct {
	part *partial
}

// partial is what a parser keeps of an incomplete message.
type partial struct {
	msg  []byte // payload of the open message so far, unmasked
	h    header // of the frame being received, when inFrame
	got  int    // payload bytes of that frame so far
	open opcode // opText or opBinary of the open message, opContinuation when there is none

	text    utf8Check // of msg, when open is opText
	inFrame bool      // the header of a frame is complete, its payload is not
	spent   bool      // msg was handed out and is free at the next call
	headed  uint8     // header bytes of the next frame in head, when not inFrame

	head    [maxHeaderBytes]byte
	control [maxControlBytes]byte // payload of a control frame so far, unmasked
}

// deaf marks a parser that is over. Nobody reads or writes the value.
var deaf = new(partial)

var partials = sync.Pool{New: func() any { return new(partial) }}

// keepMessageBytes is the largest message buffer that a pooled partial keeps.
const keepMessageBytes = 4 << 10

type eventKind uint8

const (
	eventNone    eventKind = iota // all bytes are used up
	eventMessage                  // payload is a message
	eventPing                     // payload is what the pong must carry
	eventPong
	eventClose // code, payload is the reason
	eventFault // fault
)

// event is one thing that a peer did.
type event struct {
	kind    eventKind
	text    bool
	code    int
	fault   *Fault
	payload []byte // dies with the next call of the parser
}

// next takes bytes from data until they make an event and returns the bytes
// behind it. It unmasks in place. limit bounds the size of a message.
func (p *parser) next(ev *event, data []byte, limit int) (rest []byte) {
	if p.part == nil {
		if len(data) == 0 {
			ev.kind = eventNone
			return nil
		}
		// The whole frame of a whole message or a control frame: nearly always.
		var h header
		n, fault := decodeHeader(&h, data, false, 0, limit)
		if fault != nil {
			return p.fail(ev, fault)
		}
		if n > 0 && h.fin && len(data)-n >= h.length {
			payload := data[n : n+h.length : n+h.length]
			rest = data[n+h.length:]
			unmask(payload, h.key, 0)
			if h.op.control() {
				p.take(ev, h.op, payload)
				return rest
			}
			if h.op == opText && !utf8.Valid(payload) {
				return p.fail(ev, faultText)
			}
			ev.kind, ev.text, ev.payload = eventMessage, h.op == opText, payload
			return rest
		}
		p.part = partials.Get().(*partial)
	}
	return p.resume(ev, data, limit)
}

// resume is next with a partial.
func (p *parser) resume(ev *event, data []byte, limit int) (rest []byte) {
	q := p.part
	if q == deaf {
		ev.kind = eventNone
		return nil
	}
	if q.spent {
		q.msg, q.open, q.spent = q.msg[:0], opContinuation, false
	}
	for {
		if !q.inFrame {
			if len(data) == 0 {
				if q.open == opContinuation && q.headed == 0 {
					p.release()
				}
				ev.kind = eventNone
				return nil
			}
			n, fault := q.header(data, limit)
			if fault != nil {
				return p.fail(ev, fault)
			}
			data = data[n:]
			if !q.inFrame {
				continue // data is used up
			}
		}

		n := min(len(data), q.h.length-q.got)
		chunk := data[:n:n]
		data = data[n:]
		unmask(chunk, q.h.key, q.got)
		whole := n == q.h.length
		q.got += n
		q.inFrame = q.got < q.h.length

		if q.h.op.control() {
			if !whole {
				copy(q.control[q.got-n:], chunk)
				chunk = q.control[:q.got]
			}
			if q.inFrame {
				ev.kind = eventNone
				return nil
			}
			p.take(ev, q.h.op, chunk)
			return data
		}

		if q.open == opText && !q.text.write(chunk) {
			return p.fail(ev, faultText)
		}
		q.keep(chunk)
		if q.inFrame {
			ev.kind = eventNone
			return nil
		}
		if q.h.fin {
			if q.open == opText && !q.text.complete() {
				return p.fail(ev, faultText)
			}
			q.spent = true
			ev.kind, ev.text, ev.payload = eventMessage, q.open == opText, q.msg
			return data
		}
	}
}

// header takes the bytes of a header from data, or what there is of one, and
// begins the frame when it is complete. It returns how many bytes it took: all,
// when the header is not complete.
func (q *partial) header(data []byte, limit int) (n int, fault *Fault) {
	had := int(q.headed)
	b := data
	if had > 0 {
		b = q.head[:had+copy(q.head[had:], data)]
	}
	n, fault = decodeHeader(&q.h, b, q.open != opContinuation, len(q.msg), limit)
	if fault != nil {
		return 0, fault
	}
	if n == 0 {
		q.headed = uint8(had + copy(q.head[had:], data))
		return len(data), nil
	}
	q.headed, q.got, q.inFrame = 0, 0, true
	if q.h.op == opText || q.h.op == opBinary {
		q.open, q.text = q.h.op, utf8Check{}
	}
	return n - had, nil
}

// keep appends a piece of the open message. The buffer follows what has arrived
// and not what was announced: a header alone must not cost a megabyte.
func (q *partial) keep(chunk []byte) {
	if need := len(q.msg) + len(chunk); need > cap(q.msg) {
		size := max(2*need, 256)
		if q.h.fin {
			size = min(size, need+q.h.length-q.got)
		}
		q.msg = append(make([]byte, 0, size), q.msg...)
	}
	q.msg = append(q.msg, chunk...)
}

// take makes the event of a control frame.
func (p *parser) take(ev *event, op opcode, payload []byte) {
	switch op {
	case opPing:
		ev.kind, ev.payload = eventPing, payload
	case opPong:
		ev.kind, ev.payload = eventPong, payload
	case opClose:
		code, reason, fault := parseClose(payload)
		if fault != nil {
			p.fail(ev, fault)
			return
		}
		p.stop()
		ev.kind, ev.code, ev.payload = eventClose, code, reason
	}
}

func (p *parser) fail(ev *event, fault *Fault) (rest []byte) {
	p.stop()
	ev.kind, ev.fault = eventFault, fault
	return nil
}

// stop makes the parser deaf. The partial is left to the garbage collector: an
// event may still point into it.
func (p *parser) stop() { p.part = deaf }

// release gives the partial back to its pool.
func (p *parser) release() {
	q := p.part
	p.part = nil
	if cap(q.msg) > keepMessageBytes {
		q.msg = nil
	}
	partials.Put(q)
}
