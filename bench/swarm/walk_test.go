package swarm

import (
	"fmt"
	"math"
	"testing"
	"time"
)

func TestPlace(t *testing.T) {
	p := &Place{MinX: -1000, MinY: -500, MaxX: 1000, MaxY: 500, Total: 300, Seed: 4, Leg: 200}
	inside := func(x, y float64) bool { return x >= p.MinX && x <= p.MaxX && y >= p.MinY && y <= p.MaxY }
	var left, top int
	for number := range p.Total {
		x, y := p.HomeOf(number)
		if again, _ := p.HomeOf(number); again != x {
			t.Fatalf("player %d has two homes", number)
		}
		ax, ay := p.away(number)
		if !inside(x, y) || !inside(ax, ay) {
			t.Errorf("player %d lives at %v,%v and goes to %v,%v", number, x, y, ax, ay)
		}
		if d := math.Hypot(ax-x, ay-y); d < 0.49*p.Leg || d > 1.51*p.Leg {
			t.Errorf("player %d walks %v, want about %v", number, d, p.Leg)
		}
		if x < 0 {
			left++
		}
		if y > 0 {
			top++
		}
	}
	if left < 130 || left > 170 || top < 130 || top > 170 {
		t.Errorf("of 300 players %d live in the left half and %d in the upper", left, top)
	}
}

// TestStaleness lets a simulated server move one actor in ticks and deliver its deltas
// late, and compares the ages that the observer finds with the true ones.
func TestStaleness(t *testing.T) {
	const (
		ms    = int64(time.Millisecond)
		tick  = 50 * ms
		speed = 70e-9 // pixels per ns
	)
	for _, tc := range []struct {
		name     string
		every    int64 // deltas are sent each so many ticks
		delay    int64
		p50, max time.Duration
	}{
		// A position is between delay and delay + interval old, and so on average half
		// an interval more than the delay, of which the shortest is taken off.
		{"each tick, at once", 1, 0, 25 * time.Millisecond, 50 * time.Millisecond},
		{"each fourth tick", 4, 0, 100 * time.Millisecond, 200 * time.Millisecond},
		{"steady delay is in the response", 1, 30 * ms, 25 * time.Millisecond, 50 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := newEngine(Config{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer e.poller.close()
			task := &walkTask{e: e, result: newWalkResult(), speed: speed, nearest: 10, byActor: make(map[int64]*walker)}
			observer := &player{id: 1, conn: &conn{phase: closed}}
			observer.walker = &walker{task: task, player: observer}
			observer.view = newView(observer)
			actor := &player{id: 2, conn: &conn{phase: closed}, own: []byte("-")}
			w := &walker{task: task, player: actor}
			actor.walker = w
			w.ends = [2][2]float64{{0, 0}, {420, 560}} // ten seconds
			w.now.began, w.last.began = far, far
			task.byActor[2] = w

			e.now = 1000 * tick
			observer.view.heard(e, fmt.Appendf(nil, `{"a":"ModelDelta","p0":{"id":2,"instanced_entity":{"x":0,"y":0,"entity":{"name":"w"}}}}`), true)
			start := e.now + 20*ms
			e.now = start
			task.turn(w, e.now)
			for n := int64(1); n <= 180; n++ {
				at := 1000*tick + n*tick // the tick moves it by one step
				d := float64(n) * float64(tick) * speed
				if n%tc.every == 0 {
					e.now = at + tc.delay
					observer.view.heard(e, fmt.Appendf(nil, `{"a":"ModelDelta","p0":{"id":2,"model_type":"Actor","instanced_entity":{"x":%.2f,"y":%.2f}}}`, d*0.6, d*0.8), false)
				}
				for look := int64(0); look < tick; look += ms {
					if e.now <= at+tc.delay+look { // time does not run back
						e.now = at + tc.delay + look
						task.look(observer.view, e.now)
					}
				}
			}
			h := task.result.Staleness
			if h.Count() < 5000 {
				t.Fatalf("only %d looks", h.Count())
			}
			if got := h.Quantile(0.5); (got - tc.p50).Abs() > 3*time.Millisecond {
				t.Errorf("p50 is %v, want %v", got, tc.p50)
			}
			if got := h.Max(); (got - tc.max).Abs() > 3*time.Millisecond {
				t.Errorf("max is %v, want %v", got, tc.max)
			}
		})
	}
}

func TestViewCatchesBrokenAnnouncements(t *testing.T) {
	e, err := newEngine(Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.poller.close()
	v := newView(&player{id: 1})
	full := []byte(`{"a":"ModelDelta","p0":{"id":2,"instanced_entity":{"x":0,"y":0,"entity":{"name":"w"}}}}`)
	delta := []byte(`{"a":"ModelDelta","p0":{"id":2,"instanced_entity":{"x":0,"y":0}}}`)
	gone := []byte(`{"a":"Despawn","p0":2}`)
	v.heard(e, delta, false) // never announced
	v.heard(e, full, true)
	v.heard(e, delta, false)
	v.heard(e, full, true) // announced twice
	v.forget(gone)
	v.forget(gone) // left twice
	if v.unknown != 2 || v.doubled != 1 {
		t.Errorf("unknown %d, doubled %d; want 2, 1", v.unknown, v.doubled)
	}
}
