package stream

import (
	"encoding/binary"
	"strings"
	"testing"
)

// textFrame is a frame of size bytes, RFC 6455 section 5.2.
func textFrame(size int) []byte {
	b := []byte{0x81}
	switch {
	case size < 126:
		b = append(b, byte(size))
	case size < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(size))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(size))
	}
	return append(b, make([]byte, size)...)
}

func TestCountFrames(t *testing.T) {
	var b []byte
	for i, size := range []int{0, 1, 125, 126, 65535, 65536, 3} {
		b = append(b, textFrame(size)...)
		if n := countFrames(b); n != i+1 {
			t.Errorf("after a packet of %d bytes: %d frames, want %d", size, n, i+1)
		}
	}
	if n := countFrames(nil); n != 0 {
		t.Errorf("nothing has %d frames", n)
	}
}

func TestFramesBuckets(t *testing.T) {
	var f Frames
	for _, n := range []int{1, 2, 3, 4, 5, 4096, 4097, 1 << 20} {
		f.add(n)
	}
	want := map[int]uint64{0: 1, 1: 1, 2: 2, 3: 1, 12: 1, 13: 2}
	for i := range f.Buckets {
		if got := f.Buckets[i].Load(); got != want[i] {
			t.Errorf("bucket %d holds %d, want %d", i, got, want[i])
		}
	}
	if got := f.Sum.Load(); got != 15+4096+4097+1<<20 {
		t.Errorf("the sum is %d", got)
	}
}

// TestMaxLag: the slowest of those who do not read counts, and nobody once it has
// read.
func TestMaxLag(t *testing.T) {
	s := newStage(Config{Writers: 2})
	quick, slow, slower := newConn(t), newSlowConn(t, 1000), newSlowConn(t, 1000)
	s.enter(quick, s.hereAud)
	s.enter(slow, s.hereAud)
	l := s.enter(slower, s.hereAud)
	s.tick()
	s.say(s.here, strings.Repeat("x", 1500))
	s.tick()
	if got := s.Stats().MaxLag(); got != 0 {
		t.Errorf("nothing was said behind the last write, and the lag is %d", got)
	}
	s.say(s.here, strings.Repeat("y", 300))
	s.send(l, "private ")
	s.tick()
	if got, want := s.Stats().MaxLag(), int64(308+opBytes); got != want {
		t.Errorf("the lag is %d, want %d", got, want)
	}
	slower.read(1 << 20)
	s.tick()
	if got := s.Stats().MaxLag(); got != 300 {
		t.Errorf("with one that has read the lag is %d, want 300", got)
	}
	slow.read(1 << 20)
	s.tick()
	s.tick()
	if got := s.Stats().MaxLag(); got != 0 {
		t.Errorf("all have read, and the lag is %d", got)
	}
}
