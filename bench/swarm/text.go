package swarm

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// The text of a measured chat has a fixed width and fixed places:
//
//	t1a2b3c 000001d2c3b4a596 0000002a abcdef…
//	0       8                25       34
//	marker  due, nanoseconds serial   filler
//
// The marker names the run, so that a straggler of an earlier one is never counted
// for this one. Due is the time at which the chat should have been sent, on the
// clock of Now. The serial counts the chats of the whole run: the receiver computes
// the sender and the sender's own sequence from it.
const (
	textDue    = 8
	textSerial = 25
	textFiller = 34

	// MinTextBytes is the shortest text that holds all of the above.
	MinTextBytes = textSerial + 8
	// MaxTextBytes keeps a frame's length in two bytes and under every server's limit.
	MaxTextBytes = 1000
)

const hexDigits = "0123456789abcdef"

// appendMarker appends the eight bytes that begin every text of run.
func appendMarker(dst []byte, run uint32) []byte {
	return fmt.Appendf(dst, "t%06x ", run&0xffffff)
}

// appendText appends a whole text of size bytes with zero due and serial.
func appendText(dst []byte, run uint32, size int) []byte {
	start := len(dst)
	dst = appendMarker(dst, run)
	dst = append(dst, "0000000000000000 00000000"...)
	for len(dst)-start < size {
		if i := len(dst) - start; i < textFiller {
			dst = append(dst, ' ')
		} else {
			dst = append(dst, 'a'+byte((i-textFiller)%26))
		}
	}
	return dst
}

// setText fills in the two changing fields of a text made by appendText.
func setText(text []byte, due int64, serial uint32) {
	putHex(text[textDue:textDue+16], uint64(due))
	putHex(text[textSerial:textSerial+8], uint64(serial))
}

// putHex writes v over all of dst, most significant digit first.
func putHex(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = hexDigits[v&15]
		v >>= 4
	}
}

// word loads eight bytes as the walker compares them.
func word(b []byte) uint64 {
	return binary.LittleEndian.Uint64(b)
}

// hex8 reads eight lower-case hexadecimal digits from a loaded word. Anything else
// gives some number: the fingerprint will not match.
func hex8(w uint64) uint32 {
	// A letter's low nibble counts from 1 and its bit 6 is set, a digit's is not.
	w = (w & 0x0f0f0f0f0f0f0f0f) + 9*(w>>6&0x0101010101010101)
	w = (w<<4 | w>>8) & 0x00ff00ff00ff00ff
	w = (w | w>>8) & 0x0000ffff0000ffff
	return bits.ReverseBytes32(uint32(w | w>>16))
}

// textTime returns the due time of a text.
func textTime(text []byte) int64 {
	high := hex8(word(text[textDue:]))
	low := hex8(word(text[textDue+8:]))
	return int64(uint64(high)<<32 | uint64(low))
}

// fingerprint turns a serial into a number whose sum over a set of serials tells the
// set: equal sums of equally many serials mean, but for a chance of 2^-64, that
// nothing was lost and nothing came twice.
func fingerprint(serial uint32) uint64 {
	x := (uint64(serial) + 1) * 0x9e3779b97f4a7c15
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}
