package swarm

import (
	"encoding/binary"
	"math/rand/v2"
)

const (
	opMore   = 0x0 // a further fragment
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xa

	fin     = 0x80
	finText = fin | opText
	masked  = 0x80

	maxFrameBytes  = 256 << 10 // of one frame from the server
	maxAnswerBytes = 16 << 10  // of its answer to the handshake
)

// appendFrame appends one masked client frame; payload is not changed.
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst = append(dst, fin|opcode)
	if n := len(payload); n < 126 {
		dst = append(dst, masked|byte(n))
	} else {
		dst = append(dst, masked|126, byte(n>>8), byte(n))
	}
	key := rand.Uint32()
	dst = binary.LittleEndian.AppendUint32(dst, key)
	start := len(dst)
	dst = append(dst, payload...)
	body := dst[start:]
	wide := uint64(key)<<32 | uint64(key)
	for len(body) >= 8 {
		binary.LittleEndian.PutUint64(body, binary.LittleEndian.Uint64(body)^wide)
		body = body[8:]
	}
	for i := range body {
		body[i] ^= byte(key >> (8 * (i & 3)))
	}
	return dst
}

// hearing is what the walker must know of the running chat measurement; see deaf for
// when none runs.
type hearing struct {
	marker     uint64 // the first eight bytes of each text
	textBytes  int
	guestBytes int // the whole packet in the lesson-1 form

	sampleEvery int // of so many chats one has its latency taken
	left        int // until the next
	from, to    int64
	latency     *Histogram
	heard       uint64 // by all of the room
}

// textTail is what follows the text in its frame: the end of the JSON string and
// object. It holds in every form of a Chat, for guests and for players.
const textTail = 2

// guestHead is what precedes the text in the lesson-1 form.
const guestHead = len(`{"a":"Chat","p0":"`)

// walk goes over the whole frames that data begins with and returns their length.
// It looks at headers, and at each measured chat's serial.
func (e *Engine) walk(c *conn, data []byte) int {
	frames := 0
	p := 0
	for len(data)-p >= 2 {
		size, head := int(data[p+1]), 2
		if size >= 126 {
			if size == 126 && len(data)-p >= 4 {
				size, head = int(binary.BigEndian.Uint16(data[p+2:])), 4
			} else if size == 127 && len(data)-p >= 10 {
				size, head = int(min(binary.BigEndian.Uint64(data[p+2:]), 1<<40)), 10
			} else if size > 127 {
				e.drop(c, "masked frame")
				return len(data)
			} else {
				break
			}
			if size > maxFrameBytes {
				e.drop(c, "frame too big")
				return len(data)
			}
		}
		end := p + head + size
		if end > len(data) {
			break
		}
		frame := data[p+head : end]
		if data[p] == finText {
			frames++
			e.text(c, frame)
		} else {
			e.rare(c, data[p], frame)
		}
		p = end
		if c.phase == closed {
			return len(data)
		}
	}
	e.frames += uint64(frames)
	return p
}

// text looks at one whole text message: mostly a chat of the measurement, whose text is
// at a fixed distance from the end, whatever the server put before it.
func (e *Engine) text(c *conn, message []byte) {
	h := &e.hearing
	size := len(message)
	if size < h.guestBytes || word(message[size-textTail-h.textBytes:]) != h.marker {
		e.packet(c, message)
	} else if size > h.guestBytes && message[h.guestBytes] == '\n' {
		e.joined(c, message)
	} else {
		e.hear(c, message[size-textTail-h.textBytes:])
	}
}

// rare handles every frame that is not a whole text message.
func (e *Engine) rare(c *conn, first byte, payload []byte) {
	switch first {
	case opText:
		c.fragments = append(c.fragments[:0], payload...)
	case opMore, fin | opMore:
		c.fragments = append(c.fragments, payload...)
		if len(c.fragments) > maxFrameBytes {
			e.drop(c, "message too big")
		} else if first == fin|opMore {
			e.frames++
			e.text(c, c.fragments)
		}
	case fin | opPing, fin | opPong, fin | opClose:
		e.control(c, first&0xf, payload)
	default:
		e.odd++
	}
}

// hear counts one measured chat; text may be longer than the text is.
func (e *Engine) hear(c *conn, text []byte) {
	h := &e.hearing
	serial := hex8(word(text[textSerial:]))
	c.heard++
	c.heardPrint += fingerprint(serial)
	if c.apart {
		return
	}
	h.heard++
	if c.order != nil {
		c.order.see(serial)
	}
	if h.left--; h.left <= 0 {
		h.left = h.sampleEvery
		if due := textTime(text); due >= h.from && due < h.to {
			age := e.now - due
			h.latency.Record(nanos(age))
			c.worst = max(c.worst, age)
		}
	}
}

// joined counts a frame into which the server put several lesson-1 packets,
// separated by newlines.
func (e *Engine) joined(c *conn, payload []byte) {
	h := &e.hearing
	for {
		if len(payload) < h.guestBytes || word(payload[guestHead:]) != h.marker {
			e.odd++
			return
		}
		e.hear(c, payload[guestHead:])
		if len(payload) == h.guestBytes {
			return
		}
		payload = payload[h.guestBytes+1:]
	}
}

// packet passes on what is no chat of the running measurement.
func (e *Engine) packet(c *conn, payload []byte) {
	e.others++
	if c.bot != nil {
		c.bot.packet(e, c, payload)
	}
}
