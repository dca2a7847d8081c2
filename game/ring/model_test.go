package ring

import (
	"fmt"
	"testing"
)

// The tests in this file do not run the package's code but its argument: a model
// of each protocol in which every atomic operation is one step, explored through
// every interleaving of the two sides. Each is also run with one of its rules
// broken, and must then find the loss that the rule prevents.

// explore visits every state that can be reached from start and gives the first
// complaint of check, or "" and the number of states.
func explore[S comparable](start S, next func(S) []S, check func(S) string) (string, int) {
	seen := map[S]bool{start: true}
	for todo := []S{start}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if wrong := check(s); wrong != "" {
			return fmt.Sprintf("%s in %+v", wrong, s), len(seen)
		}
		for _, n := range next(s) {
			if !seen[n] {
				seen[n] = true
				todo = append(todo, n)
			}
		}
	}
	return "", len(seen)
}

const (
	modelPackets = 3
	modelSlots   = 2 // fewer than packets, so that Full happens too
	modelRings   = modelPackets
)

// modelRing is an SPSC with its two words.
type modelRing struct {
	write, read int
	closed      bool
	slots       [modelSlots]int
}

// ringState is a Lazy, its rings, and where both sides stand. pc names the next
// step of a side; r and word are what it has loaded.
type ringState struct {
	rings [modelRings]modelRing
	made  int // rings made so far
	held  int // the Lazy's pointer: number of the ring, 0 for nil

	producer   string
	packet     int // being pushed, from 1
	pr, pword  int
	pclosed    bool
	consumer   string
	cr, cword  int
	popped     int // packets 1..popped came out, in order
	outOfOrder bool
}

// broken names the rule that a run of the ring's model leaves out.
type broken struct{ publish, retire, drop bool }

// steps gives the states that one step of either side leads to.
func (b broken) steps(s ringState) []ringState {
	next := b.consume(s)
	if s.packet <= modelPackets {
		next = append(next, b.produce(s))
	}
	return next
}

// produce takes Lazy.Push and SPSC.Push one step further.
func (b broken) produce(s ringState) ringState {
	switch s.producer {
	case "load ring":
		s.pr = s.held
		s.producer = "load write"
		if s.pr == 0 {
			s.producer = "store ring"
		}
	case "load write":
		r := s.rings[s.pr-1]
		s.pword, s.pclosed = r.write, r.closed
		s.producer = "load read"
		if s.pclosed {
			s.producer = "store ring"
		}
	case "load read":
		s.producer = "fill slot"
		if s.pword-s.rings[s.pr-1].read == modelSlots {
			s.producer = "load ring" // Full: offer it again
		}
	case "fill slot":
		s.rings[s.pr-1].slots[s.pword%modelSlots] = s.packet
		s.producer = "swap write"
	case "swap write":
		r := &s.rings[s.pr-1]
		if !b.publish && (r.write != s.pword || r.closed) {
			s.producer = "store ring"
			break
		}
		r.write, r.closed = s.pword+1, false
		s.producer, s.packet = "load ring", s.packet+1
	case "store ring":
		s.rings[s.made] = modelRing{write: 1, slots: [modelSlots]int{s.packet}}
		s.made++
		s.held = s.made
		s.producer, s.packet = "load ring", s.packet+1
	}
	return s
}

// consume takes Lazy.Pop or Lazy.Retire one step further; at rest it may begin
// either.
func (b broken) consume(s ringState) []ringState {
	const rest = "rest"
	switch s.consumer {
	case rest:
		if s.held == 0 {
			return nil
		}
		pop, retire := s, s
		pop.cr, pop.consumer = s.held, "pop: load write"
		retire.cr, retire.consumer = s.held, "retire: load write"
		return []ringState{pop, retire}
	case "pop: load write":
		s.consumer = "pop: empty slot"
		if r := s.rings[s.cr-1]; r.write == r.read {
			s.consumer = rest
		}
	case "pop: empty slot":
		r := &s.rings[s.cr-1]
		slot := &r.slots[r.read%modelSlots]
		s.outOfOrder = s.outOfOrder || *slot != s.popped+1
		s.popped, *slot = *slot, 0
		s.consumer = "pop: store read"
	case "pop: store read":
		s.rings[s.cr-1].read++
		s.consumer = rest
	case "retire: load write":
		r := s.rings[s.cr-1]
		s.cword = r.write
		switch {
		case r.closed:
			s.consumer = "retire: swap ring"
		case r.write == r.read:
			s.consumer = "retire: swap write"
		default:
			s.consumer = rest
		}
	case "retire: swap write":
		r := &s.rings[s.cr-1]
		s.consumer = rest
		if b.retire || r.write == s.cword && !r.closed {
			r.write, r.closed = s.cword, true
			s.consumer = "retire: swap ring"
		}
	case "retire: swap ring":
		if b.drop || s.held == s.cr {
			s.held = 0
		}
		s.consumer = rest
	}
	return []ringState{s}
}

// check tells what is wrong with a state: a packet out of order, or, when both
// sides are at rest, one that no Pop will ever give.
func check(s ringState) string {
	if s.outOfOrder {
		return "packet out of order"
	}
	if s.packet > modelPackets && s.consumer == "rest" {
		waiting := 0
		if s.held != 0 {
			waiting = s.rings[s.held-1].write - s.rings[s.held-1].read
		}
		if s.popped+waiting != modelPackets {
			return "packet lost"
		}
	}
	return ""
}

func TestRingModel(t *testing.T) {
	for _, c := range []struct {
		name string
		rule broken
		fine bool
	}{
		{"as written", broken{}, true},
		{"push published without comparing", broken{publish: true}, false},
		{"retired without comparing", broken{retire: true}, false},
		{"holder emptied without comparing", broken{drop: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := ringState{producer: "load ring", consumer: "rest", packet: 1}
			wrong, states := explore(start, c.rule.steps, check)
			if (wrong == "") != c.fine {
				t.Fatalf("%d states, complaint %q", states, wrong)
			}
			t.Logf("%d states, complaint %q", states, wrong)
		})
	}
}

// wakeState is one player, its ready bit and the list, a producer and the loop.
type wakeState struct {
	ring           int // packets waiting
	ready, listed  bool
	sent, drained  int
	producer, loop string
}

// wakeup steps the wakeup protocol, in the right order or with one side's two
// actions exchanged.
type wakeup struct{ announceFirst, drainFirst bool }

func (w wakeup) steps(s wakeState) []wakeState {
	var next []wakeState
	// The producer: ring, bit, link; or, exchanged, bit, link, ring.
	p := s
	switch s.producer {
	case "ring":
		p.ring++
		p.producer = "bit"
		if w.announceFirst {
			p.sent++
		}
	case "bit":
		p.producer = "link"
		if s.ready {
			p.producer = "ring"
			if !w.announceFirst {
				p.sent++
			}
		}
		p.ready = true
	case "link":
		p.listed = true
		p.producer = "ring"
		if !w.announceFirst {
			p.sent++
		}
	}
	if s.sent < modelPackets {
		next = append(next, p)
	}
	// The loop: take, clear, drain; or, exchanged, take, drain, clear.
	l := s
	order := map[string]string{"take": "clear", "clear": "drain", "drain": "take"}
	if w.drainFirst {
		order = map[string]string{"take": "drain", "drain": "clear", "clear": "take"}
	}
	l.loop = order[s.loop]
	switch s.loop {
	case "take":
		if !s.listed {
			return next
		}
		l.listed = false
	case "clear":
		l.ready = false
	case "drain":
		l.drained += s.ring
		l.ring = 0
	}
	return append(next, l)
}

func TestWakeupModel(t *testing.T) {
	check := func(s wakeState) string {
		if s.sent == modelPackets && s.loop == "take" && !s.listed && s.drained != modelPackets {
			return "packet without a wakeup"
		}
		return ""
	}
	for _, c := range []struct {
		name  string
		order wakeup
		first string // where the producer begins
		fine  bool
	}{
		{"as written", wakeup{}, "ring", true},
		{"drained before cleared", wakeup{drainFirst: true}, "ring", false},
		{"announced before pushed", wakeup{announceFirst: true}, "bit", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrong, states := explore(wakeState{producer: c.first, loop: "take"}, c.order.steps, check)
			if (wrong == "") != c.fine {
				t.Fatalf("%d states, complaint %q", states, wrong)
			}
			t.Logf("%d states, complaint %q", states, wrong)
		})
	}
}
