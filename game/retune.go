package game

import (
	"slices"

	"tavern/game/stream"
)

// What a Config says may change while people play, from inside the loop.

// LimitChat changes Config.ChatRate and Config.ChatBurst.
func (tx Tx) LimitChat(perSecond float64, burst int) { tx.l.world.limitChat(perSecond, burst) }

// LimitTargets changes Config.TargetRate and Config.TargetBurst.
func (tx Tx) LimitTargets(perSecond float64, burst int) { tx.l.world.limitTargets(perSecond, burst) }

// LimitWriters changes the limits of Config.Writers.
func (tx Tx) LimitWriters(l stream.Limits) { tx.l.writers.Limit(l) }

// SetChatRange changes Config.ChatRange.
func (tx Tx) SetChatRange(pixels float64) { tx.l.cfg.ChatRange = pixels }

// SetView changes Config.View, at least 1.
func (tx Tx) SetView(most int) { tx.l.world.setView(max(most, 1)) }

// growth is how many actors come into a growing view in a tick. All at once would
// send a crowd as much as that many logins.
const growth = 5

// setView changes how many actors a view has at most. What is too much leaves at
// once; what there is room for comes in some ticks, see growViews.
func (w *world) setView(most int) {
	if most == w.cfg.View {
		return
	}
	w.cfg.View = most
	for _, h := range w.grid.cells {
		switch {
		case h == nil || h.homes == 0:
		case h.inView >= most:
			w.trim(h)
		case h.crowd != nil && !h.growing:
			h.growing = true
			w.growing = append(w.growing, h)
		}
	}
}

// trim brings a full view down to what it may have; those leave that have done
// nothing for longest.
func (w *world) trim(h *cell) {
	if h.crowd == nil {
		crowd := make([]*actor, 0, h.inView)
		w.eachShown(h, func(a *actor) { crowd = append(crowd, a) })
		h.crowd = crowd
	}
	byIdle := slices.Clone(h.crowd)
	slices.SortStableFunc(byIdle, func(a, b *actor) int { return int(w.now-a.active) - int(w.now-b.active) })
	for _, a := range byIdle[w.cfg.View:] {
		w.hide(h, a)
	}
}

// growViews brings some more actors into each view that has room since setView.
func (w *world) growViews() {
	kept := w.growing[:0]
	for _, h := range w.growing {
		if h.homes > 0 && w.grow(h) {
			kept = append(kept, h)
		} else {
			h.growing = false
		}
	}
	clear(w.growing[len(kept):])
	w.growing = kept
}

// grow brings some more actors into h's view and reports whether others wait.
func (w *world) grow(h *cell) bool {
	left := growth
	w.grid.around(h, func(n *cell) {
		for _, a := range n.actors {
			if left == 0 || h.inView >= w.cfg.View {
				return
			}
			if !a.seenFrom(h) {
				left--
				w.add(h, a)
				w.tell(h, a, w.appendModel(w.frame[:0], a))
			}
		}
	})
	switch {
	case h.inView >= w.cfg.View:
		return false
	case left > 0: // all are in it
		h.crowd = nil
		return false
	}
	return true
}
