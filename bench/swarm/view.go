package swarm

import (
	"slices"
	"time"
)

// view is what one observer has been told of the others, kept as a client would.
type view struct {
	owner *player
	known map[int64]*sighting

	unknown, doubled uint64
}

// sighting is the newest position of one actor that an observer knows.
type sighting struct {
	x, y float64
	at   int64 // when it came
}

// neighbour is a sighting at the moment of a look.
type neighbour struct {
	distance float64 // squared
	age      int64
	told     bool // the age is known
}

func newView(p *player) *view {
	return &view{owner: p, known: make(map[int64]*sighting)}
}

// heard takes a model of another actor.
func (v *view) heard(e *Engine, payload []byte, full bool) {
	m, ok := parseModel(payload)
	if !ok {
		e.odd++
		return
	}
	s := v.known[m.ID]
	switch {
	case full && s != nil:
		v.doubled++
	case full:
		s = &sighting{}
		v.known[m.ID] = s
	case s == nil:
		v.unknown++
		return
	}
	s.x, s.y, s.at = m.X, m.Y, e.now
	if w := v.owner.walker; w != nil {
		if other := w.task.byActor[m.ID]; other != nil {
			if d, on := other.now.along(m.X, m.Y); on && !other.ahead(e.now, d) {
				other.evidence(e.now, d)
			}
		}
	}
}

// forget takes a Disconnect or Despawn.
func (v *view) forget(payload []byte) {
	id, ok := idOf(payload)
	if _, known := v.known[id]; !ok || !known {
		v.unknown++
		return
	}
	delete(v.known, id)
}

// ahead reports whether d along the present leg is farther than the walker can have
// come: then the position is one of the leg before.
func (w *walker) ahead(now int64, d float64) bool {
	return now < w.now.sentAt+int64(d/w.task.speed)-int64(60*time.Millisecond)
}

// look records how old what one observer knows is, at a time of nobody's choosing.
func (t *walkTask) look(v *view, now int64) {
	t.distances = t.distances[:0]
	ownX, ownY := v.owner.x, v.owner.y
	if w := v.owner.walker; w != nil {
		ownX, ownY = w.place(now)
	}
	for id, s := range v.known {
		w := t.byActor[id]
		if w == nil {
			continue
		}
		// Whoever has just turned has an age that cannot be told, and its rank
		// among the neighbours all the same.
		age, ok := int64(0), w.sure(now)
		if ok {
			age, ok = w.age(s, now)
		}
		// Near is who is near now, not who was when the observer last heard of it.
		x, y := w.place(now)
		dx, dy := x-ownX, y-ownY
		t.distances = append(t.distances, neighbour{dx*dx + dy*dy, age, ok})
		if ok {
			t.result.Staleness.Record(nanos(age))
		}
	}
	t.result.Seen.add(float64(len(t.distances)))
	slices.SortFunc(t.distances, func(a, b neighbour) int {
		if a.distance < b.distance {
			return -1
		}
		return 1
	})
	for _, n := range t.distances[:min(t.nearest, len(t.distances))] {
		if n.told {
			t.result.Nearest.Record(nanos(n.age))
		}
	}
}

// place is where the walker is at a time, as far as its legs tell.
func (w *walker) place(now int64) (x, y float64) {
	l := &w.now
	if l.began == far {
		if l = &w.last; l.began == far {
			return w.now.fromX, w.now.fromY
		}
	}
	d := min(max(float64(now-l.began)*w.task.speed, 0), l.length)
	return l.fromX + d*l.ux, l.fromY + d*l.uy
}

// age returns how long ago the walker was where s says.
func (w *walker) age(s *sighting, now int64) (int64, bool) {
	if d, on := w.now.along(s.x, s.y); on && !w.ahead(s.at, d) {
		return now - w.now.began - int64(d/w.task.speed), true
	}
	if d, on := w.last.along(s.x, s.y); on && w.last.began != far {
		return now - w.last.began - int64(d/w.task.speed), true
	}
	return 0, false
}
