package stream

import (
	"bytes"
	"testing"
)

// segments is the sizes of the stream's segments from c on.
func segments(c Cursor) (sizes []int) {
	for seg := c.seg; seg != nil; seg = seg.next.Load() {
		if seg.buf != nil {
			sizes = append(sizes, len(seg.buf))
		}
	}
	return sizes
}

func TestStreamPositions(t *testing.T) {
	s := NewStream()
	if s.Position() != 0 || s.tail.buf != nil {
		t.Fatalf("a new stream stands at %d with %d bytes allocated, want 0 and none", s.Position(), len(s.tail.buf))
	}
	c := s.here()
	var all []byte
	for i := range 100 {
		frame := bytes.Repeat([]byte{byte(i)}, 1+i*7)
		s.append(frame, 1)
		all = append(all, frame...)
		if got := s.Position(); got != uint64(len(all)) {
			t.Fatalf("after %d frames the position is %d, want %d", i+1, got, len(all))
		}
		if s.head.Load() != 0 {
			t.Fatal("bytes are published before publish")
		}
	}
	s.publish()
	var got []byte
	for p := c.read(s.head.Load()); p != nil; p = c.read(s.head.Load()) {
		got = append(got, p...)
	}
	if !bytes.Equal(got, all) || c.pos != s.Position() {
		t.Fatalf("read %d bytes up to %d, want %d, all the same", len(got), c.pos, len(all))
	}
	if c.seg != s.tail {
		t.Error("a cursor at the head keeps an older segment")
	}
}

// TestFramesKeepWhole: no frame lies in two segments, also one that is larger
// than any segment.
func TestFramesKeepWhole(t *testing.T) {
	s := NewStream()
	c := s.here()
	sizes := []int{1000, 24, 1, 2047, 1, minSegmentBytes, maxSegmentBytes + 1, 5, maxSegmentBytes, 1, 3 * maxSegmentBytes}
	for i, n := range sizes {
		from := s.end
		s.append(bytes.Repeat([]byte{byte(i)}, n), 1)
		if from < s.tail.base {
			t.Fatalf("frame %d of %d bytes begins at %d, and its segment at %d", i, n, from, s.tail.base)
		}
	}
	if got := segments(c); got[0] != 1024 || got[1] != 2048 || c.seg.next.Load().next.Load().base != 1024 {
		t.Errorf("segments of %v, the first not filled to its last byte", got)
	}
	s.publish()
	i := 0
	for p := c.read(s.end); len(p) > 0; {
		for n := sizes[i]; n > 0; n-- {
			if p[0] != byte(i) {
				t.Fatalf("frame %d is cut or altered", i)
			}
			p = p[1:]
		}
		if i++; len(p) == 0 {
			p = c.read(s.end)
		}
	}
	if i != len(sizes) {
		t.Errorf("read %d frames, want %d", i, len(sizes))
	}
}

func TestSegmentsFollowTheRate(t *testing.T) {
	frame := make([]byte, 100)
	s := NewStream()
	c := s.here()
	tick := uint32(1)
	run := func(ticks, perTick int) (last int) {
		for range ticks {
			for range perTick {
				s.append(frame, tick)
			}
			tick++
		}
		return len(s.tail.buf)
	}
	if got := run(1000, 1000); got != maxSegmentBytes {
		t.Errorf("at 2 MB/s a segment is %d bytes, want %d", got, maxSegmentBytes)
	}
	for i, n := range segments(c)[:9] {
		if n != minSegmentBytes<<i {
			t.Errorf("segment %d is %d bytes, want %d", i, n, minSegmentBytes<<i)
		}
	}
	if got := run(200_000, 1); got > longSegment*len(frame) {
		t.Errorf("at 2 kB/s a segment still is %d bytes", got)
	}
	if got := run(20_000, 1); got < shortSegment*len(frame) {
		t.Errorf("at 2 kB/s a segment is %d bytes, which is less than a second", got)
	}
	if got := run(20_000, 0); got > longSegment*len(frame) {
		t.Errorf("a silent stream's segment has become %d bytes", got)
	}
	big := make([]byte, 5*maxSegmentBytes)
	s.append(big, tick)
	tick++
	if s.append(frame, tick); len(s.tail.buf) != maxSegmentBytes {
		t.Errorf("after one long frame a segment is %d bytes, want %d", len(s.tail.buf), maxSegmentBytes)
	}
}
