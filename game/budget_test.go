package game

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"tavern/codec"
)

// throng is a crowd of walkers on one spot, and what one of them was sent.
func throng(t *testing.T, walkers, ticks int, each func(tick int, me *actor, deltas map[int64]bool, bytes int)) {
	t.Helper()
	s := newStage(t, Config{Speed: 70})
	names := make([]string, walkers)
	for i := range names {
		names[i] = fmt.Sprint("w", i)
		s.join(names[i], float64(i%10)*30-150, float64(i/10)*30-150)
	}
	s.tick(1)
	for tick := range ticks {
		if tick%40 == 0 { // everybody always on the way
			for i, name := range names {
				x, y := math.Sincos(float64(i*7 + tick))
				s.offer(name, fmt.Sprintf(`{"a":"Target","p0":%f,"p1":%f}`, x*250, y*250))
			}
		}
		s.tick(1)
		for i, name := range names {
			packets := s.conns[name].take()
			if i > 0 || tick == 0 {
				continue
			}
			deltas, bytes := map[int64]bool{}, 0
			for _, p := range packets {
				var m struct {
					A  string `json:"a"`
					P0 struct {
						ID   int64
						User *int64
					} `json:"p0"`
				}
				if err := json.Unmarshal([]byte(p), &m); err != nil {
					t.Fatal(err)
				}
				if m.A == "ModelDelta" && m.P0.User == nil {
					if deltas[m.P0.ID] {
						t.Fatalf("tick %d: two deltas of actor %d", tick, m.P0.ID)
					}
					deltas[m.P0.ID] = true
					bytes += len(codec.AppendTextFrame(nil, []byte(p)))
				}
			}
			each(tick, s.players[name].actor, deltas, bytes)
		}
	}
}

// TestBandwidth: in a crowd a client is sent no more positions than its budget,
// in even writes; its own actor and the nearest ten at the full rate, and nobody
// is forgotten.
func TestBandwidth(t *testing.T) {
	const walkers, ticks = 100, 200
	total, most, late := 0, 0, 0
	last := map[int64]int{}
	throng(t, walkers, ticks, func(tick int, me *actor, deltas map[int64]bool, bytes int) {
		total += bytes
		most = max(most, bytes)
		for id := range deltas {
			last[id] = tick
		}
		if !deltas[me.id] {
			t.Errorf("tick %d: no delta of its own actor", tick)
		}
		near := slices.Clone(me.cell.crowd)
		slices.SortFunc(near, func(a, b *actor) int {
			return int(math.Copysign(1, math.Hypot(a.x-me.x, a.y-me.y)-math.Hypot(b.x-me.x, b.y-me.y)))
		})
		for _, a := range near[:min(11, len(near))] {
			if a.pose != nil && !deltas[a.id] {
				late++
			}
		}
		if tick < 64 {
			return
		}
		for id := int64(1); id <= walkers; id++ {
			if tick-last[id] > 16 {
				t.Errorf("tick %d: nothing of actor %d for %d ticks", tick, id, tick-last[id])
			}
		}
	})
	seconds := float64(ticks-1) / 20
	if perSecond := float64(total) / seconds; perSecond > 64000 || perSecond < 48000 {
		t.Errorf("%.0f bytes of positions a second, want nearly 64000 and no more", perSecond)
	}
	if most > 64000/20*3/2 {
		t.Errorf("%d bytes in one tick, want even writes of about %d", most, 64000/20)
	}
	if late > ticks/10 { // two that are as near as each other may change places
		t.Errorf("%d times in %d ticks one of the nearest was left out", late, ticks)
	}
}

// TestSmallCompanyIsNotThrottled: whoever sees few sees every step of all.
func TestSmallCompanyIsNotThrottled(t *testing.T) {
	const walkers = 20
	throng(t, walkers, 30, func(tick int, me *actor, deltas map[int64]bool, bytes int) {
		if len(deltas) != walkers {
			t.Errorf("tick %d: %d deltas of %d walkers", tick, len(deltas), walkers)
		}
	})
}

// TestSameInputsSameBytes: a scenario is the same bytes every time.
func TestSameInputsSameBytes(t *testing.T) {
	play := func() (all []string) {
		d := newDrama(t, 42, Config{Cell: 200, Speed: 800, View: 6}, 900)
		for range 150 {
			d.step(25)
			for _, name := range d.names {
				if w := d.witnesses[name]; w != nil {
					all = append(all, fmt.Sprint(name, w.own, len(w.known), w.chats))
				}
			}
			for _, a := range d.loop.world.actors {
				all = append(all, fmt.Sprint(a.id, a.x, a.y))
			}
		}
		return append(all, fmt.Sprint(d.loop.WriterStats().Bytes.Load()))
	}
	if one, two := play(), play(); !slices.Equal(one, two) {
		t.Error("the same inputs gave different outputs")
	}
}

// BenchmarkWalkers is the cost of a world of walkers for one tick: the loop's
// work, and the writers' without the kernel's.
func BenchmarkWalkers(b *testing.B) {
	for _, neighbours := range []float64{30, 100} {
		for _, part := range []string{"loop", "writers"} {
			b.Run(fmt.Sprintf("walkers=3000/neighbours=%.0f/%s", neighbours, part), func(b *testing.B) {
				l, ps := crowdOf(b, 3000, neighbours)
				timed := func(mine string, f func()) {
					if part == mine {
						b.StartTimer()
					} else {
						b.StopTimer()
					}
					f()
				}
				for n := 0; b.Loop(); n++ {
					b.StopTimer()
					if n%100 == 0 {
						for i, p := range ps {
							x, y := float64((i*7919+n)%4000-2000), float64((i*104729+n)%4000-2000)
							l.Offer(p, codec.Packet{Action: codec.Target, N: 2, X: x, Y: y})
						}
					}
					timed("loop", l.tick)
					timed("writers", l.writers.Step)
					b.StartTimer()
				}
			})
		}
	}
}

// TestPosesAreForgotten: who has arrived costs no pose any more once everybody has
// been shown it; while one player is behind it is kept for that one.
func TestPosesAreForgotten(t *testing.T) {
	s := newStage(t, Config{})
	s.join("ann", 0, 0)
	s.join("bob", 0, 0)
	s.tick(1)
	walk := func(x string) *actor {
		s.offer("ann", `{"a":"Target","p0":`+x+`,"p1":0}`)
		s.tick(3)
		return s.players["ann"].actor
	}
	if a := walk("5"); a.pose == nil || a.walking >= 0 {
		t.Fatal("ann has not walked and arrived")
	}
	s.tick(2 * forgetTicks)
	if a := s.players["ann"].actor; a.pose != nil {
		t.Error("ann stands and still has a pose")
	}
	s.told()

	slow := s.conns["bob"]
	slow.pending = 1
	walk("10")
	s.tick(2 * forgetTicks)
	if a := s.players["ann"].actor; a.pose == nil {
		t.Error("ann's last pose was forgotten though bob has not seen it")
	}
	slow.take()
	slow.pending = 0
	s.tick(1)
	if got := slow.take(); len(got) != 1 || !strings.Contains(got[0], `"x":10.0`) {
		t.Errorf("bob came back and was sent %q, want ann's last position", got)
	}
	s.tick(2 * forgetTicks)
	if a := s.players["ann"].actor; a.pose != nil {
		t.Error("everybody has seen ann's last pose, and it is kept")
	}
}
