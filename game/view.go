package game

import (
	"slices"

	"tavern/codec"
	"tavern/game/stream"
)

// A cell's view is the set of actors shown to the players at home in it: all who
// stand in the nine cells around, or, in a crowd, Config.View of them. It is one
// set for all of them, so a crowd costs what its view costs and not what its
// members do. A player's own actor is known to it in any case.
//
//	a is in h's view  <=>  a.shown has bit(a.cell, h)
//	h.inView is their number, at most Config.View
//	h has a view and an area stream  <=>  h.homes > 0
//	h.inView < Config.View  =>  everybody in the nine cells is in it, or h is growing
//	h is growing  =>  h.crowd lists them
//	h.crowd, if not nil, lists them; without it they are all in the nine cells
//
// Only a crowded view needs a list: elsewhere it would cost each player 200 bytes.
//
// What a player knows is its own actor and its home's view as of its cursor in
// the home's area stream: every change of a view is said in that stream.

const (
	// calmTicks is how long an actor must have been still and silent before
	// another may take its place in a crowded view: five seconds, so that nobody
	// flickers.
	calmTicks = 100
	// swapTicks is the least time between two replacements in one view.
	swapTicks = 2
)

// seenFrom reports whether a is in h's view.
func (a *actor) seenFrom(h *cell) bool { return a.shown&bit(a.cell, h) != 0 }

// open makes sure that c has a view, an area stream and an audience, and counts
// one more player at home.
func (w *world) open(c *cell) {
	c.homes++
	if c.homes > 1 {
		return
	}
	c.area = stream.NewStream()
	c.aud = w.writers.NewAudience(c.area, w.playersChat)
	standing := 0
	w.grid.around(c, func(n *cell) { standing += len(n.actors) })
	if standing >= w.cfg.View {
		c.crowd = make([]*actor, 0, w.cfg.View)
	}
	// Those who do something first, in a crowd.
	for _, lively := range []bool{true, false} {
		w.admitFrom(c, c, lively)
		w.grid.around(c, func(n *cell) {
			if n != c {
				w.admitFrom(n, c, lively)
			}
		})
	}
}

// admitFrom puts actors of n into the view of h, which nobody hears yet.
func (w *world) admitFrom(n, h *cell, lively bool) {
	for _, a := range n.actors[:min(len(n.actors), 10*w.cfg.View)] {
		if h.inView >= w.cfg.View {
			return
		}
		if !a.seenFrom(h) && lively == (w.now-a.active < calmTicks) {
			w.add(h, a)
		}
	}
}

// close counts one player less at home in c; the last one takes the view along.
func (w *world) close(c *cell) {
	c.homes--
	if c.homes > 0 {
		return
	}
	w.eachShown(c, func(a *actor) { a.shown &^= bit(a.cell, c) })
	c.inView, c.crowd, c.area, c.aud = 0, nil, nil, nil
}

// eachShown calls f for every actor in h's view.
func (w *world) eachShown(h *cell, f func(*actor)) {
	if h.crowd != nil {
		for _, a := range h.crowd {
			f(a)
		}
		return
	}
	w.grid.around(h, func(n *cell) {
		for _, a := range n.actors {
			if a.seenFrom(h) {
				f(a)
			}
		}
	})
}

func (w *world) add(h *cell, a *actor) {
	a.shown |= bit(a.cell, h)
	h.inView++
	switch {
	case h.crowd != nil:
		h.crowd = append(h.crowd, a)
	case h.inView == w.cfg.View: // a crowd from now on
		crowd := make([]*actor, 0, w.cfg.View)
		w.eachShown(h, func(a *actor) { crowd = append(crowd, a) })
		h.crowd = crowd
	}
	w.changed(h)
}

func (w *world) drop(h *cell, a *actor) {
	a.shown &^= bit(a.cell, h)
	h.inView--
	if h.crowd != nil {
		i, last := slices.Index(h.crowd, a), len(h.crowd)-1
		h.crowd[i] = h.crowd[last]
		h.crowd[last] = nil
		h.crowd = h.crowd[:last]
	}
	w.changed(h)
}

// changed notes that the players at home in h are to be shown their view afresh
// at the end of the tick.
func (w *world) changed(h *cell) {
	if !h.stale {
		h.stale = true
		w.stale = append(w.stale, h)
	}
}

// showViews gives every audience in whose view somebody has come, gone or moved
// the latest pose of all in that view.
func (w *world) showViews() {
	for _, h := range w.stale {
		h.stale = false
		if h.homes == 0 { // its last player has gone since
			continue
		}
		w.poses = w.poses[:0]
		w.eachShown(h, func(a *actor) {
			if a.pose != nil {
				w.poses = append(w.poses, a.pose)
			}
		})
		poses := slices.Clone(w.poses)
		w.writers.Show(h.aud, poses)
	}
	clear(w.stale)
	w.stale = w.stale[:0]
}

// forgetPoses lets go of the poses of those who stand, 224 bytes each, once every
// player has been shown them: who comes later gets a model.
func (w *world) forgetPoses() {
	shown := w.writers.CaughtUp()
	kept := w.halted[:0]
	for _, a := range w.halted {
		switch {
		case a.walking >= 0 || a.pose == nil || a.home == nil: // walks again, or has left
		case a.pose.Tick() > shown:
			kept = append(kept, a)
		default:
			a.pose = nil
			if !a.seenFrom(a.cell) {
				w.writers.ForgetOwn(&a.player.Listener)
			}
			w.grid.around(a.cell, func(h *cell) {
				if a.seenFrom(h) {
					w.changed(h)
				}
			})
		}
	}
	clear(w.halted[len(kept):])
	w.halted = kept
}

// show brings a into the view of h, if there is one and a is not in it: into an
// empty place, or, when a does something, into the place of the one that has
// done nothing for longest.
func (w *world) show(h *cell, a *actor) {
	if h.homes == 0 || a.seenFrom(h) {
		return
	}
	if h.inView >= w.cfg.View {
		victim := w.calmest(h)
		if victim == nil || a.active != w.now {
			return
		}
		h.swap = w.now
		w.hide(h, victim)
	}
	w.add(h, a)
	w.tell(h, a, w.appendModel(w.frame[:0], a))
}

// hide takes a out of the view of h without its having left.
func (w *world) hide(h *cell, a *actor) {
	w.drop(h, a)
	w.tell(h, a, frame(w.frame[:0], codec.AppendDespawn(w.packet[:0], a.id)))
}

// tell says something about a to the players at home in h, but not to a's own
// player, who always knows its actor.
func (w *world) tell(h *cell, a *actor, frames []byte) {
	w.frame = frames
	from := h.area.Position()
	w.writers.Append(h.area, frames)
	if a.home == h {
		w.writers.Skip(&a.player.Listener, h.area, from)
	}
}

// calmest returns the actor of a full view that may make room for another, nil
// when there is none now.
func (w *world) calmest(h *cell) *actor {
	if h.swap != 0 && w.now-h.swap < swapTicks {
		return nil
	}
	var victim *actor
	for _, v := range h.crowd {
		idle := w.now - v.active
		if idle >= calmTicks && (victim == nil || idle > w.now-victim.active) {
			victim = v
		}
	}
	if victim == nil {
		h.swap = w.now // do not look again at once
	}
	return victim
}

// stir notes that a does something: in a crowd that brings it into view.
func (w *world) stir(a *actor) {
	a.active = w.now
	w.grid.around(a.cell, func(h *cell) { w.show(h, a) })
}

// refill brings somebody into a place that has become free in h's view.
func (w *world) refill(h *cell) {
	if h.growing {
		return // it is being filled
	}
	for h.inView < w.cfg.View {
		var next *actor
		w.grid.around(h, func(n *cell) {
			for _, a := range n.actors {
				if next != nil {
					return
				}
				if !a.seenFrom(h) {
					next = a
				}
			}
		})
		if next == nil {
			h.crowd = nil // all are in it
			return
		}
		w.add(h, next)
		w.tell(h, next, w.appendModel(w.frame[:0], next))
	}
}

// cross moves a, who has just walked over a border, from its cell to c: into the
// views and out of those that the border separates, and its player from one
// audience to the next, with the difference of what the two are shown.
func (w *world) cross(a *actor, c *cell) {
	old := a.cell
	old.take(a)
	c.put(a)

	// Its place in the views. The bits are numbered from its cell, so they move.
	var left [9]*cell
	shown, nleft := uint16(0), 0
	w.grid.around(old, func(h *cell) {
		if !a.seenFrom(h) {
			return
		}
		if b := bit(c, h); b != 0 {
			shown |= b
			return
		}
		left[nleft] = h
		nleft++
	})
	for _, h := range left[:nleft] {
		w.hide(h, a)
	}
	a.cell, a.shown = c, shown
	for _, h := range left[:nleft] {
		w.refill(h)
	}
	w.open(c)
	w.grid.around(c, func(h *cell) { w.show(h, a) })

	// What its player sees.
	w.private = w.private[:0]
	w.eachShown(old, func(v *actor) {
		if v != a && !v.seenFrom(c) {
			w.private = frame(w.private, codec.AppendDespawn(w.packet[:0], v.id))
		}
	})
	w.eachShown(c, func(v *actor) {
		if v != a && !v.seenFrom(old) {
			w.private = w.appendModel(w.private, v)
		}
	})
	if len(w.private) > 0 {
		w.writers.Send(&a.player.Listener, w.private)
	}
	w.writers.Move(&a.player.Listener, c.aud)
	a.home = c
	w.close(old)
}
