// Package stream carries what many players hear. A Stream is an append-only log
// of encoded frames; a Listener is one player's place in the streams it hears;
// Writers bring every listener from its cursors to the heads, one write each.
//
// Saying something costs the loop one append, however many listen. The package
// knows no packet, no rule of the game and no socket: bytes and a small Conn.
//
// Streams, audiences and the exported methods of Writers belong to the loop;
// cursors and member lists belong to one writer goroutine each. What passes
// between them is a batch of operations per tick and one published head per
// stream.
package stream

import "sync/atomic"

// A stream in a quiet cell must stay small and a busy room must not chain a
// segment per tick, so segments follow the rate of what is said: one that was
// full within shortSegment ticks is followed by one twice the size, one that
// lasted longer than longSegment by one of half.
const (
	minSegmentBytes = 1 << 10
	maxSegmentBytes = 512 << 10
	shortSegment    = 20
	longSegment     = 160
	restTicks       = 40 // a stream that was silent for so long lets its buffer go
)

// Stream is an append-only log of frames. The loop appends and publishes; the
// writers read what is published.
//
// Positions count bytes since the stream began and never wrap in practice.
//
//	tail.base <= end           end is where the next frame goes (loop only)
//	head <= end                bytes below head are published and never change
//
// Only the loop stores head. Storing it hands the bytes below it to the readers,
// so it is the last thing a tick does.
type Stream struct {
	head atomic.Uint64
	end  uint64
	tail *segment
	born uint32 // tick in which the tail was begun (loop only)

	// only is the one audience that hears this stream, nil when several do.
	only  *Audience
	dirty bool   // has news for its audiences since the last publish (loop only)
	awake bool   // stands in Writers.awake: its tail has a buffer (loop only)
	last  uint32 // tick of the last append (loop only)
}

// segment holds the bytes [base, base+len) of a stream, len being next.base-base
// once next is set and whatever is published before that. A cursor keeps its
// segment alive, the collector frees it after the last cursor has gone on.
type segment struct {
	base uint64
	buf  []byte // full length from the start; filled from the front by the loop
	next atomic.Pointer[segment]
}

// Cursor is a place in a stream: everything before it has been sent.
type Cursor struct {
	seg *segment
	pos uint64
}

// NewStream returns an empty stream. It allocates its first segment with the
// first frame.
func NewStream() *Stream { return &Stream{tail: &segment{}} }

// append copies one or more whole frames to the end, in the given tick. A frame
// never straddles two segments. Loop only.
func (s *Stream) append(frames []byte, tick uint32) {
	used := int(s.end - s.tail.base)
	if used+len(frames) > len(s.tail.buf) {
		s.grow(len(frames), tick)
		used = 0
	}
	copy(s.tail.buf[used:], frames)
	s.end += uint64(len(frames))
	s.last = tick
}

// rest chains a segment without a buffer, for the cursors to stand in while
// nothing is said: in a wide world most cells are silent. Loop only.
func (s *Stream) rest() {
	next := &segment{base: s.end}
	s.tail.next.Store(next)
	s.tail = next
}

// grow seals the tail and chains a segment with room for n bytes.
func (s *Stream) grow(n int, tick uint32) {
	size := len(s.tail.buf)
	switch lasted := tick - s.born; {
	case lasted <= shortSegment:
		size *= 2
	case lasted > longSegment:
		size /= 2
	}
	size = max(minSegmentBytes, min(size, maxSegmentBytes), n)
	next := &segment{base: s.end, buf: make([]byte, size)}
	s.tail.next.Store(next) // seals the tail: its length is now next.base-base
	s.tail, s.born = next, tick
}

// publish hands everything appended so far to the readers. Loop only.
func (s *Stream) publish() { s.head.Store(s.end) }

// here is the cursor of one who hears what is appended from now on. Loop only.
func (s *Stream) here() Cursor { return Cursor{s.tail, s.end} }

// Position is where the next frame will stand, in bytes since the stream began.
// Loop only.
func (s *Stream) Position() uint64 { return s.end }

// settle moves a cursor that has read a sealed segment to its end on to the next
// one, so that it keeps no buffer alive that it does not need.
func (c *Cursor) settle() {
	for {
		next := c.seg.next.Load()
		if next == nil || next.base > c.pos {
			return
		}
		c.seg = next
	}
}

// read returns the bytes between the cursor and limit that lie in one segment
// and moves the cursor past them; nothing is left when it returns none. The
// bytes are shared and must not be changed.
func (c *Cursor) read(limit uint64) []byte {
	for c.pos < limit {
		end := limit
		next := c.seg.next.Load()
		if next != nil && next.base < end {
			end = next.base
		}
		if c.pos == end {
			c.seg = next // this segment is read to its end and sealed
			continue
		}
		from := c.pos - c.seg.base
		c.pos = end
		return c.seg.buf[from : end-c.seg.base]
	}
	return nil
}
