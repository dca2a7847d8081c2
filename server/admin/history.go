package admin

import (
	"encoding/json"
	"math"
	"sync"
	"time"
)

// samples is how many are kept: an hour of them, some 400 KB.
const samples = 3600

// Reading is what the counters say at one moment.
type Reading struct {
	Players, Guests, Connections int64
	Queue                        int    // registrations and logins that wait
	Memory                       uint64 // bytes that the process holds

	// These only grow.
	Ticks, Messages, BytesIn, BytesOut, Chats uint64
	Work                                      time.Duration // of all ticks
	CPU                                       time.Duration // of the process
}

// Sample is what happened in one second. Rates are per second.
type Sample struct {
	At                           time.Time
	Players, Guests, Connections int64
	Queue                        int
	Memory                       uint64
	Work                         float64 // milliseconds of a tick, on average
	MaxWork, MaxLate             float64 // milliseconds
	Messages, BytesIn, BytesOut  float64
	Chats                        float64
	CPU                          float64 // cores
}

// history keeps the last hour. Any goroutine.
type history struct {
	mu     sync.Mutex
	ring   [samples]Sample
	taken  uint64 // how many ever
	last   Reading
	lastAt time.Time
}

// take adds a sample: the difference to the reading before, and the longest since.
// The first reading gives none.
func (h *history) take(now time.Time, r Reading, maxWork, maxLate time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, seconds := h.last, now.Sub(h.lastAt).Seconds()
	first := h.lastAt.IsZero()
	h.last, h.lastAt = r, now
	if first || seconds <= 0 {
		return
	}
	rate := func(now, before uint64) float64 { return float64(now-before) / seconds }
	s := Sample{
		At: now, Players: r.Players, Guests: r.Guests, Connections: r.Connections, Queue: r.Queue, Memory: r.Memory,
		MaxWork: milliseconds(maxWork), MaxLate: milliseconds(maxLate),
		Messages: rate(r.Messages, last.Messages), BytesIn: rate(r.BytesIn, last.BytesIn), BytesOut: rate(r.BytesOut, last.BytesOut),
		Chats: rate(r.Chats, last.Chats),
		CPU:   (r.CPU - last.CPU).Seconds() / seconds,
	}
	if ticks := r.Ticks - last.Ticks; ticks > 0 {
		s.Work = milliseconds(r.Work-last.Work) / float64(ticks)
	}
	h.ring[h.taken%samples] = s
	h.taken++
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// since returns the samples from number from on, as far as they are kept, and the
// number of the next one.
func (h *history) since(from uint64) (list []Sample, next uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taken > samples {
		from = max(from, h.taken-samples)
	}
	for i := from; i < h.taken; i++ {
		list = append(list, h.ring[i%samples])
	}
	return list, h.taken
}

// MarshalJSON writes a sample as a row of numbers, in the order of sampleFields:
// an hour of them is sent at once.
func (s Sample) MarshalJSON() ([]byte, error) {
	round := func(v float64) float64 { return math.Round(v*100) / 100 }
	return json.Marshal([...]any{
		s.At.UnixMilli(), s.Players, s.Guests, s.Connections, s.Queue, s.Memory,
		round(s.Work), round(s.MaxWork), round(s.MaxLate),
		round(s.Messages), round(s.BytesIn), round(s.BytesOut), round(s.Chats), round(s.CPU),
	})
}

// sampleFields names the columns of a sample, with their units where it has one.
var sampleFields = []string{
	"at_ms", "players", "guests", "connections", "queue", "memory_bytes",
	"tick_ms", "tick_max_ms", "late_max_ms",
	"messages_per_second", "bytes_in_per_second", "bytes_out_per_second", "chats_per_second", "cpu_cores",
}
