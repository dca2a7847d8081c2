package moderation

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"tavern/game"
)

// BenchmarkWho looks at 15,000 players; longest-ns is how long it held up the
// loop at most, of a tick of 50 ms.
func BenchmarkWho(b *testing.B) {
	v := newTavern(b)
	const players = 15000
	for i := range players {
		name := fmt.Sprintf("player-%05d", i)
		p := &visitor{v: v, name: name, addr: netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), changed: make(chan struct{})}
		v.loop.Enter(&p.Player, p, game.Account{ID: int64(i + 1), Name: name, X: float64(i % 4000), Y: float64(i / 4)}, nil)
	}
	v.inside(func(tx game.Tx) bool { return v.loop.Stats().Players.Load() == players })
	watched := &stopwatch{World: v.loop}
	d := must[*Desk](b)(New(b.Context(), Config{Store: v.store, World: watched}))
	for b.Loop() {
		if everybody, err := d.Who(b.Context()); err != nil || len(everybody) != players {
			b.Fatal(len(everybody), err)
		}
	}
	b.ReportMetric(float64(watched.took.Nanoseconds())/float64(b.N), "loop-ns/op")
	b.ReportMetric(float64(watched.longest.Nanoseconds()), "longest-ns")
}

// stopwatch is a World that measures what runs in it.
type stopwatch struct {
	World
	took, longest time.Duration // the loop's until the function has answered
}

func (s *stopwatch) Do(f func(game.Tx)) error {
	return s.World.Do(func(tx game.Tx) {
		start := time.Now()
		f(tx)
		took := time.Since(start)
		s.took += took
		s.longest = max(s.longest, took)
	})
}
