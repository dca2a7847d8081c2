package swarm

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A histogram holds microseconds from 1 to a minute in three significant digits;
// what lies outside is recorded as the nearer end.
const (
	minLatency = 1
	maxLatency = int64(time.Minute / time.Microsecond)
)

// Histogram holds durations and travels between processes. The zero value is not
// usable; see [NewHistogram]. It has one owner at a time.
type Histogram struct {
	hdr *hdrhistogram.Histogram
	top time.Duration // the longest, exactly
}

// NewHistogram returns an empty histogram.
func NewHistogram() *Histogram {
	return &Histogram{hdr: hdrhistogram.New(minLatency, maxLatency, 3)}
}

// Record adds one duration.
func (h *Histogram) Record(d time.Duration) {
	us := min(max(int64(d/time.Microsecond), minLatency), maxLatency)
	_ = h.hdr.RecordValue(us) // cannot fail inside the range
	h.top = max(h.top, d)
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() int64 {
	if h == nil {
		return 0
	}
	return h.hdr.TotalCount()
}

// Quantile returns the duration that the share q (0 to 1) of the recorded ones does
// not exceed; 0 when nothing was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h == nil {
		return 0
	}
	return time.Duration(h.hdr.ValueAtQuantile(q*100)) * time.Microsecond
}

// Max returns the longest duration.
func (h *Histogram) Max() time.Duration {
	if h == nil {
		return 0
	}
	return h.top
}

// Merge adds what other holds; other may be nil.
func (h *Histogram) Merge(other *Histogram) {
	if other == nil {
		return
	}
	h.hdr.Merge(other.hdr)
	h.top = max(h.top, other.top)
}

// mergeHistograms adds b to a; either may be nil.
func mergeHistograms(a, b *Histogram) *Histogram {
	if a == nil {
		return b
	}
	a.Merge(b)
	return a
}

// Shifted returns a copy with d added to every duration.
func (h *Histogram) Shifted(d time.Duration) *Histogram {
	moved := NewHistogram()
	for _, bar := range h.hdr.Distribution() {
		if bar.Count > 0 {
			us := bar.From + int64(d/time.Microsecond)
			_ = moved.hdr.RecordValues(min(max(us, minLatency), maxLatency), bar.Count)
		}
	}
	moved.top = h.top + d
	return moved
}

// MarshalText writes the longest duration in nanoseconds and the packed counts.
func (h *Histogram) MarshalText() ([]byte, error) {
	packed, err := h.hdr.EncodeV2()
	if err != nil {
		return nil, fmt.Errorf("swarm: histogram: %w", err)
	}
	return fmt.Appendf(nil, "%d %s", int64(h.top), packed), nil
}

// UnmarshalText reads what MarshalText wrote.
func (h *Histogram) UnmarshalText(text []byte) error {
	number, packed, _ := bytes.Cut(text, []byte{' '})
	top, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return fmt.Errorf("swarm: histogram: %w", err)
	}
	if h.hdr, err = hdrhistogram.Decode(packed); err != nil {
		return fmt.Errorf("swarm: histogram: %w", err)
	}
	h.top = time.Duration(top)
	return nil
}
