package stream

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// crowd is one area whose audience is shown actors as they move.
type crowd struct {
	*stage
	rng    *rand.Rand
	poses  []*Pose
	places [][2]float64
	last   []string // the newest frame of each actor
	tick   int
}

func newCrowd(actors int, cfg Config, seed uint64) *crowd {
	return &crowd{
		stage: newStage(cfg), rng: rand.New(rand.NewPCG(seed, 1)),
		poses: make([]*Pose, actors), places: make([][2]float64, actors), last: make([]string, actors),
	}
}

// poseFrame is as long as a delta is.
func poseFrame(actor, tick int) string {
	return fmt.Sprintf("<%d @%d%s>", actor, tick, strings.Repeat(".", 120))
}

// move gives an actor a new pose in this tick.
func (c *crowd) move(i int, of *Listener) {
	c.places[i][0] += c.rng.Float64() * 10
	c.places[i][1] -= c.rng.Float64() * 10
	c.last[i] = poseFrame(i, c.tick)
	c.poses[i] = c.NewPose(c.places[i][0], c.places[i][1], int64(i+1), of, []byte(c.last[i]))
}

// show ends the tick, with everybody's newest pose when show is set.
func (c *crowd) endTick(show bool) {
	if show {
		shown := slices.DeleteFunc(slices.Clone(c.poses), func(p *Pose) bool { return p == nil })
		c.Show(c.hereAud, shown)
	}
	c.stage.tick()
	c.tick++
}

// lastPoses is the newest frame of each actor that was sent in log, and fails the
// test when an older one follows a newer.
func lastPoses(t *testing.T, log []byte, actors int) []string {
	t.Helper()
	last, ticks := make([]string, actors), make([]int, actors)
	for i := range ticks {
		ticks[i] = -1
	}
	for frame := range strings.SplitAfterSeq(string(log), ">") {
		if frame == "" {
			continue
		}
		var actor, tick int
		if _, err := fmt.Sscanf(frame, "<%d @%d", &actor, &tick); err != nil {
			t.Fatalf("not a pose: %q", frame)
		}
		if tick < ticks[actor] {
			t.Fatalf("actor %d: the pose of tick %d follows that of tick %d", actor, tick, ticks[actor])
		}
		ticks[actor], last[actor] = tick, frame
	}
	return last
}

// TestPosesArriveAtLast: in a crowd poses are left out, but when everybody stands
// still each listener has been sent where, though nothing more is shown.
func TestPosesArriveAtLast(t *testing.T) {
	for _, tc := range []struct {
		name           string
		actors, moving int  // ticks
		gap            int  // ticks between two steps of the writers
		fade           bool // fewer and fewer move
	}{
		{"all once", 100, 1, 1, false},
		{"all for long", 100, 150, 1, false},
		{"slow passes", 100, 150, 7, false},
		{"a few", 5, 30, 1, false},
		{"very many", 1500, 30, 1, false},
		{"one stops after the other", 300, 40, 1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const perSecond = 8000
			c := newCrowd(tc.actors, Config{BytesPerSecond: perSecond}, 1)
			conn, stuck := newConn(t), newSlowConn(t, 10)
			me := c.enter(conn, c.hereAud)
			c.enter(stuck, c.hereAud)
			c.endTick(false)
			settle := maxPeriod + 2
			for tick := range tc.moving + settle {
				moving := tick < tc.moving
				for i := range c.poses {
					if tc.fade && i > tc.actors*(tc.moving-tick)/tc.moving {
						continue
					}
					if moving && c.rng.IntN(4) > 0 || tick == 0 {
						var of *Listener
						if i == 0 {
							of = me
						}
						c.move(i, of)
					}
				}
				if moving {
					c.Show(c.hereAud, slices.DeleteFunc(slices.Clone(c.poses), func(p *Pose) bool { return p == nil }))
				}
				before := len(conn.bytes())
				c.Publish()
				c.tick++
				if tick%tc.gap == 0 {
					c.Step()
					c.Step() // the clock has not moved on
					if got, most := len(conn.bytes())-before, 2*tc.gap*perSecond/20+12*190; tc.actors < 1000 && got > most {
						t.Errorf("tick %d: %d bytes of poses, want at most %d", tick, got, most)
					}
				}
			}
			stuck.bounded = false
			stuck.readAll()
			for range settle {
				c.endTick(false)
			}
			for _, conn := range []*fakeConn{conn, stuck} {
				if got := lastPoses(t, conn.bytes(), tc.actors); !slices.Equal(got, c.last) {
					missing := 0
					for i := range got {
						if got[i] != c.last[i] {
							missing++
						}
					}
					t.Errorf("%d of %d actors stand elsewhere than a listener was told", missing, tc.actors)
				}
			}
			if me.period != 0 {
				t.Error("everything has been sent, and the listener is still owed something")
			}
			visits := c.Stats().Visits.Load()
			for range 3 {
				c.endTick(false)
			}
			if got := c.Stats().Visits.Load(); got != visits {
				t.Errorf("%d visits while nobody is owed anything", got-visits)
			}
		})
	}
}

// TestPosesAfterTheirModel: a pose is never sent before what the area said in the
// same tick, nor to one who joined after it was made.
func TestPosesAfterTheirModel(t *testing.T) {
	c := newCrowd(1, Config{}, 1)
	conn, late := newConn(t), newConn(t)
	c.enter(conn, c.hereAud)
	c.move(0, nil)
	c.Show(c.hereAud, c.poses)
	c.say(c.here, "model ")
	c.say(c.chat, "chat ")
	c.endTick(false)
	conn.want("model ", c.last[0], "chat ")
	c.enter(late, c.hereAud)
	c.send(c.enter(late, c.thereAud), "private ")
	c.endTick(false)
	late.want("private ")
}

// TestTwoWaves: those who moved while the period was long get their turn also when
// the crowd that made it so long has been told of.
func TestTwoWaves(t *testing.T) {
	c := newCrowd(80, Config{BytesPerSecond: 8000}, 1)
	conn := newConn(t)
	c.enter(conn, c.hereAud)
	c.endTick(false)
	for tick := range 200 {
		for i := range c.poses {
			if tick == 0 || tick == 20 && i >= 60 {
				c.move(i, nil)
			}
		}
		c.endTick(tick == 0 || tick == 20)
	}
	if got := lastPoses(t, conn.bytes(), len(c.poses)); !slices.Equal(got, c.last) {
		t.Errorf("listener was told %v, want %v", got, c.last)
	}
}

// TestBandwidthIsSavedUp: a listener that was shown nothing new for a while may be
// sent more at once, though it has been visited.
func TestBandwidthIsSavedUp(t *testing.T) {
	c := newCrowd(40, Config{BytesPerSecond: 8000}, 1)
	conn := newConn(t)
	c.enter(conn, c.hereAud)
	c.endTick(true)
	var want []string
	for range 20 {
		c.say(c.chat, "chat ")
		want = append(want, "chat ")
		c.endTick(false)
	}
	for i := range c.poses {
		c.move(i, nil)
	}
	c.endTick(true)
	conn.want(append(want, c.last...)...)
}

func TestNearestFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	w := newWriter(0, &Config{Tick: 1}, new(Stats), new(atomic.Uint32))
	for range 2000 {
		n, k := rng.IntN(40), rng.IntN(near+1)
		own := &Pose{x: rng.Float32(), y: rng.Float32()}
		w.pending = w.pending[:0]
		for range n {
			w.pending = append(w.pending, &Pose{x: float32(rng.IntN(8)), y: float32(rng.IntN(8))})
		}
		all := slices.Clone(w.pending)
		found := w.nearestFirst(own, k)
		if found != min(n, k) {
			t.Fatalf("nearest %d of %d found %d", k, n, found)
		}
		dist := func(p *Pose) float32 {
			dx, dy := p.x-own.x, p.y-own.y
			return dx*dx + dy*dy
		}
		var got, want []float32
		for _, p := range w.pending {
			got = append(got, dist(p))
		}
		slices.SortFunc(all, func(a, b *Pose) int { return cmp.Compare(dist(a), dist(b)) })
		for _, p := range all {
			want = append(want, dist(p))
		}
		if !slices.Equal(got[:found], want[:found]) {
			t.Fatalf("the nearest %d are at %v, want %v", k, got[:found], want[:found])
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatal("a pose was lost or doubled")
		}
	}
}
