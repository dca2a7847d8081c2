package stream

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// sampleEvery is how many writes there are to one whose frames are counted:
// counting looks at every frame, which would cost a busy writer some percents.
const sampleEvery = 64

// Frames says how many frames writes carried. Buckets[i] counts those of more
// than 1<<(i-1) and at most 1<<i, the last one all that are larger. Any goroutine.
type Frames struct {
	Buckets [14]atomic.Uint64
	Sum     atomic.Uint64
}

func (f *Frames) add(n int) {
	f.Buckets[min(bits.Len(uint(max(n, 1)-1)), len(f.Buckets)-1)].Add(1)
	f.Sum.Add(uint64(n))
}

// countFrames counts the frames in b, which are whole and unmasked.
func countFrames(b []byte) (n int) {
	for ; len(b) >= 2; n++ {
		head, size := 2, uint64(b[1]&0x7f)
		switch {
		case size == 126 && len(b) >= 4:
			head, size = 4, uint64(binary.BigEndian.Uint16(b[2:]))
		case size == 127 && len(b) >= 10:
			head, size = 10, binary.BigEndian.Uint64(b[2:])
		}
		if size >= uint64(len(b)-head) {
			return n + 1
		}
		b = b[uint64(head)+size:]
	}
	return n
}

// MaxLag is how many bytes the slowest listener is behind what was said, of those
// whose last write is not flushed; 0 when all are. Any goroutine.
func (s *Stats) MaxLag() int64 {
	most := int64(0)
	for _, lag := range s.lags {
		most = max(most, lag.Load())
	}
	return most
}
