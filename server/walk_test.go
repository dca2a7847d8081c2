package main

import (
	"fmt"
	"math"
	"testing"
)

// stepLength is how far an actor walks in a tick: 70 units per second, 20 ticks.
const stepLength = 3.5

// rounding is how far off a length can be between two points that are rounded to
// two decimals.
const rounding = 0.03

func (a point) to(b point) float64 { return math.Hypot(b.x-a.x, b.y-a.y) }

// walked tells whether going from a to b is one or more whole steps straight
// towards the target, or the last ones, which end exactly on it. Of steps that
// follow each other quickly a client may be told the last only.
func walked(a, b, target point) error {
	if b == target {
		return nil
	}
	far := a.to(b)
	steps := math.Round(far / stepLength)
	switch {
	case math.Abs(far+b.to(target)-a.to(target)) > rounding:
		return fmt.Errorf("from %v to %v is not on the way to %v", a, b, target)
	case steps < 1 || math.Abs(far-steps*stepLength) > rounding:
		return fmt.Errorf("from %v to %v are %.3f units, no whole steps of %v", a, b, far, stepLength)
	}
	return nil
}

// followed is walked for one who is sent from target to target: it tells how many
// of them it has left behind in between.
func followed(a, b point, targets []point) (passed int, err error) {
	err = fmt.Errorf("from %v to %v without a target", a, b)
	for len(targets) > 0 {
		if err = walked(a, b, targets[0]); err == nil || len(targets) == 1 {
			return passed, err
		}
		// It may have taken some steps, and then been told to go elsewhere.
		for at := a; at != targets[0]; at = stepTo(at, targets[0]) {
			if walked(at, b, targets[1]) == nil {
				return passed + 1, nil
			}
		}
		a, targets, passed = targets[0], targets[1:], passed+1
	}
	return passed, err
}

// stepTo is where one step towards the target ends.
func stepTo(a, target point) point {
	far := a.to(target)
	if far <= stepLength {
		return target
	}
	return point{a.x + (target.x-a.x)/far*stepLength, a.y + (target.y-a.y)/far*stepLength}
}

// awaitWalk watches an actor walk from where it was last said to be until it
// stands on the target.
func (p *peer) awaitWalk(id int64, from, target point) {
	p.t.Helper()
	for at := from; at != target; {
		h := p.await(fmt.Sprintf("a step of actor %d to %v", id, target), func(h *heard) bool {
			m, ok := h.model()
			return ok && m.ID == id
		})
		m, _ := h.model()
		if err := walked(at, m.at(), target); err != nil {
			p.t.Fatalf("%s hears %s: %v", p.name, h.raw, err)
		}
		at = m.at()
	}
}

// TestWalked makes sure that the check is one.
func TestWalked(t *testing.T) {
	for _, c := range []struct {
		name         string
		a, b, target point
		ok           bool
	}{
		{"one step", point{0, 0}, point{2.1, 2.8}, point{6, 8}, true},
		{"two steps", point{0, 0}, point{4.2, 5.6}, point{6, 8}, true},
		{"the end", point{4.2, 5.6}, point{6, 8}, point{6, 8}, true},
		{"nowhere", point{1, 1}, point{1, 1}, point{6, 8}, false},
		{"half a step", point{0, 0}, point{1.05, 1.4}, point{6, 8}, false},
		{"back", point{4.2, 5.6}, point{2.1, 2.8}, point{6, 8}, false},
		{"beside", point{0, 0}, point{3.5, 0}, point{6, 8}, false},
		{"beyond", point{4.2, 5.6}, point{6.3, 8.4}, point{6, 8}, false},
	} {
		if err := walked(c.a, c.b, c.target); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
