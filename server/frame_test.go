package main

import (
	"encoding/binary"
)

// Opcodes of RFC 6455.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
)

const final = 0x80 // the FIN bit, beside the opcode in a frame's first byte

// frame is a client's frame, masked: first is FIN, RSV and opcode.
func frame(first byte, payload string) []byte {
	const mask = 0x80
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, mask|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
	}
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

// texts is each packet in a text frame of its own, in one piece.
func texts(packets ...string) (b []byte) {
	for _, p := range packets {
		b = append(b, frame(final|opText, p)...)
	}
	return b
}

// closing is a close frame.
func closing(code int) []byte {
	return frame(final|opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code))))
}
