package ws

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// The reference model: RFC 6455 for a whole stream of bytes at once, one byte
// after the other, with nothing clever in it. The parser is judged by it.

// reference lists what a stream of a client's bytes means, as far as it goes.
func reference(stream []byte, limit int) []string {
	var (
		seen    []string
		at      int
		message []byte
		open    opcode
		broken  = func(f *Fault) []string { return append(seen, "fault "+f.Label) }
	)
	for {
		b := stream[at:]
		if len(b) < 1 {
			return seen
		}
		fin, op := b[0]&0x80 != 0, opcode(b[0]&0x0f)
		switch {
		case b[0]&0x70 != 0:
			return broken(faultRSV)
		case op == 0 && open == 0:
			return broken(faultNoMessage)
		case (op == 1 || op == 2) && open != 0:
			return broken(faultInMessage)
		case op >= 3 && op <= 7, op >= 11:
			return broken(faultOpcode)
		case op >= 8 && !fin:
			return broken(faultControlFin)
		}
		if len(b) < 2 {
			return seen
		}
		length, header := uint64(b[1]&0x7f), 2
		switch {
		case b[1]&0x80 == 0:
			return broken(faultUnmasked)
		case op >= 8 && length > 125:
			return broken(faultControlLong)
		case op == 8 && length == 1:
			return broken(faultCloseLength)
		case length == 126:
			if len(b) < 4 {
				return seen
			}
			length, header = uint64(binary.BigEndian.Uint16(b[2:4])), 4
			if length < 126 {
				return broken(faultLength)
			}
		case length == 127:
			if len(b) < 10 {
				return seen
			}
			length, header = binary.BigEndian.Uint64(b[2:10]), 10
			if length > 1<<63-1 {
				return broken(faultLengthTop)
			}
			if length < 65536 {
				return broken(faultLength)
			}
		}
		if op < 8 && length+uint64(len(message)) > uint64(limit) {
			return broken(faultTooBig)
		}
		if len(b) < header+4 {
			return seen
		}
		mask, b := b[header:header+4], b[header+4:]
		at += header + 4

		if op == 1 || op == 2 {
			open, message = op, nil
		}
		var control []byte
		for i := uint64(0); i < length; i++ {
			if i == uint64(len(b)) {
				return seen
			}
			c := b[i] ^ mask[i%4]
			at++
			if op >= 8 {
				control = append(control, c)
				continue
			}
			message = append(message, c)
			if open == opText && !possible(message) {
				return broken(faultText)
			}
		}
		switch op {
		case 8:
			if length == 0 {
				return append(seen, "close 1005 ")
			}
			code := int(binary.BigEndian.Uint16(control))
			switch {
			case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
			default:
				return broken(faultCloseCode)
			}
			if !utf8.Valid(control[2:]) {
				return broken(faultCloseText)
			}
			return append(seen, fmt.Sprintf("close %d %s", code, control[2:]))
		case 9:
			seen = append(seen, fmt.Sprintf("ping %x", control))
		case 10:
			seen = append(seen, fmt.Sprintf("pong %x", control))
		default:
			if !fin {
				continue
			}
			if open == opText && !utf8.Valid(message) {
				return broken(faultText)
			}
			seen = append(seen, fmt.Sprintf("message %v %x", open == opText, message))
			open, message = 0, nil
		}
	}
}

// possible tells whether some text begins with b.
func possible(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

// run feeds the pieces of a stream to a parser and lists what it says of each.
func run(pieces [][]byte, limit int) (seen []string) {
	var p parser
	for _, piece := range pieces {
		seen = append(seen, feedOnce(&p, piece, limit)...)
	}
	return seen
}

// feedOnce feeds one piece, of which it leaves the caller's copy alone.
func feedOnce(p *parser, piece []byte, limit int) (seen []string) {
	data := append([]byte(nil), piece...)
	var ev event
	for {
		data = p.next(&ev, data, limit)
		switch ev.kind {
		case eventNone:
			return seen
		case eventMessage:
			seen = append(seen, fmt.Sprintf("message %v %x", ev.text, ev.payload))
		case eventPing:
			seen = append(seen, fmt.Sprintf("ping %x", ev.payload))
		case eventPong:
			seen = append(seen, fmt.Sprintf("pong %x", ev.payload))
		case eventClose:
			seen = append(seen, fmt.Sprintf("close %d %s", ev.code, ev.payload))
		case eventFault:
			seen = append(seen, "fault "+ev.fault.Label)
		}
	}
}

// frame makes a client's frame, masked with a key that is not zero anywhere.
func frame(first byte, payload string) []byte {
	return frameKey(first, payload, [4]byte{0x12, 0xfe, 0x80, 0x7f})
}

func frameKey(first byte, payload string, key [4]byte) []byte {
	b := appendHeader(nil, opcode(first), len(payload))
	b[0] = first
	b[1] |= 0x80
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

// join makes one stream of frames.
func join(frames ...[]byte) (stream []byte) {
	for _, f := range frames {
		stream = append(stream, f...)
	}
	return stream
}

// First bytes of frames.
const (
	fin = 0x80

	text    = byte(opText)
	blob    = byte(opBinary)
	more    = byte(opContinuation)
	closing = fin | byte(opClose)
	ping    = fin | byte(opPing)
	pong    = fin | byte(opPong)
)

// closeFrame makes a client's close frame.
func closeFrame(code uint16, reason string) []byte {
	return frame(closing, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}
