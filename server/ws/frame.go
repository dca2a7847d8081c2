package ws

import (
	"encoding/binary"
	"math/bits"
)

type opcode uint8

const (
	opContinuation opcode = 0
	opText         opcode = 1
	opBinary       opcode = 2
	opClose        opcode = 8
	opPing         opcode = 9
	opPong         opcode = 10
)

func (op opcode) control() bool { return op&8 != 0 }

const (
	maxHeaderBytes  = 14  // two bytes, eight of length, four of mask
	maxControlBytes = 125 // payload of a control frame
)

// Fault is a way to break RFC 6455. There is a fixed set of them.
type Fault struct {
	Label  string // in metrics
	Reason string // in the close frame
	Code   int    // of the close frame
	index  int    // in faults
}

func (f *Fault) Error() string { return f.Reason }

var (
	faultRSV         = newFault("rsv", CloseProtocol, "a reserved bit is set")
	faultOpcode      = newFault("opcode", CloseProtocol, "unknown opcode")
	faultUnmasked    = newFault("unmasked", CloseProtocol, "frame is not masked")
	faultControlFin  = newFault("control_fragment", CloseProtocol, "control frame is fragmented")
	faultControlLong = newFault("control_length", CloseProtocol, "control frame is longer than 125 bytes")
	faultNoMessage   = newFault("continuation", CloseProtocol, "continuation without a message")
	faultInMessage   = newFault("interleaved", CloseProtocol, "new message inside a fragmented one")
	faultLength      = newFault("length_encoding", CloseProtocol, "length is not minimally encoded")
	faultLengthTop   = newFault("length_top_bit", CloseProtocol, "top bit of the length is set")
	faultTooBig      = newFault("too_big", CloseTooBig, "message is too big")
	faultText        = newFault("utf8", CloseInvalid, "text is not UTF-8")
	faultCloseLength = newFault("close_length", CloseProtocol, "close frame has half a code")
	faultCloseCode   = newFault("close_code", CloseProtocol, "close code is not valid")
	faultCloseText   = newFault("close_utf8", CloseInvalid, "close reason is not UTF-8")
)

// faults is the fixed set, in the order of its declaration.
var faults []*Fault

const maxFaults = 16 // room in the counters for len(faults)

func newFault(label string, code int, reason string) *Fault {
	f := &Fault{Label: label, Reason: reason, Code: code, index: len(faults)}
	faults = append(faults, f)
	return f
}

// header is a frame's header, decoded and found in order.
type header struct {
	length int
	key    uint32 // little-endian, as unmask wants it
	op     opcode
	fin    bool
}

// decodeHeader decodes the header that b begins with, of a client's frame, and
// returns its length: 0 when b ends before the header does. open tells whether a
// fragmented message is being received and total how many bytes of it came
// before; limit bounds the whole of it.
//
// A fault is found with the first byte that shows it, even if the header is not
// complete, and depends on nothing behind that byte: so what is found does not
// depend on how the stream was cut into pieces.
func decodeHeader(h *header, b []byte, open bool, total, limit int) (n int, fault *Fault) {
	if len(b) == 0 {
		return 0, nil
	}
	if b[0]&0x70 != 0 {
		return 0, faultRSV
	}
	h.fin = b[0]&0x80 != 0
	h.op = opcode(b[0] & 0x0f)
	switch h.op {
	case opContinuation:
		if !open {
			return 0, faultNoMessage
		}
	case opText, opBinary:
		if open {
			return 0, faultInMessage
		}
	case opClose, opPing, opPong:
		if !h.fin {
			return 0, faultControlFin
		}
	default:
		return 0, faultOpcode
	}

	if len(b) < 2 {
		return 0, nil
	}
	if b[1]&0x80 == 0 {
		return 0, faultUnmasked
	}
	length := uint64(b[1] & 0x7f)
	n = 2
	switch {
	case h.op.control():
		if length > maxControlBytes {
			return 0, faultControlLong
		}
		if h.op == opClose && length == 1 {
			return 0, faultCloseLength
		}
	case length == 126:
		if len(b) < 4 {
			return 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(b[2:]))
		if length < 126 {
			return 0, faultLength
		}
		n = 4
	case length == 127:
		if len(b) < 10 {
			return 0, nil
		}
		length = binary.BigEndian.Uint64(b[2:])
		if length>>63 != 0 {
			return 0, faultLengthTop
		}
		if length < 1<<16 {
			return 0, faultLength
		}
		n = 10
	}
	if !h.op.control() && length > uint64(max(limit-total, 0)) { // the limit may have been lowered since the message began
		return 0, faultTooBig
	}

	if len(b) < n+4 {
		return 0, nil
	}
	h.length = int(length)
	h.key = binary.LittleEndian.Uint32(b[n:])
	return n + 4, nil
}

// unmask takes the mask off b, in place. b begins at byte pos of its frame's payload.
func unmask(b []byte, key uint32, pos int) {
	key = bits.RotateLeft32(key, -8*(pos&3))
	key64 := uint64(key)<<32 | uint64(key)
	for len(b) >= 32 {
		c := b[:32:32]
		binary.LittleEndian.PutUint64(c[0:], binary.LittleEndian.Uint64(c[0:])^key64)
		binary.LittleEndian.PutUint64(c[8:], binary.LittleEndian.Uint64(c[8:])^key64)
		binary.LittleEndian.PutUint64(c[16:], binary.LittleEndian.Uint64(c[16:])^key64)
		binary.LittleEndian.PutUint64(c[24:], binary.LittleEndian.Uint64(c[24:])^key64)
		b = b[32:]
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^key64)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(key64 >> (8 * i))
	}
}

// appendHeader appends the header of a server's frame: FIN set, no mask.
func appendHeader(dst []byte, op opcode, length int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 127), uint64(length))
	}
}

// AppendText appends payload as one text frame, for [Session.Write]. The payload
// must be UTF-8, which is not checked.
func AppendText(dst, payload []byte) []byte {
	return append(appendHeader(dst, opText, len(payload)), payload...)
}

// AppendBinary appends payload as one binary frame, for [Session.Write].
func AppendBinary(dst, payload []byte) []byte {
	return append(appendHeader(dst, opBinary, len(payload)), payload...)
}
