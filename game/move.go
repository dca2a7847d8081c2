package game

import (
	"math"

	"tavern/codec"
)

// saveEveryTicks is how often a walking actor's position is kept: five seconds.
const saveEveryTicks = 100

const tooHasty = "You are sending targets too fast"

// limitTargets sets how often everybody may send its actor elsewhere: targets per
// second in the long run, 0 for no limit, and how many in a row.
func (w *world) limitTargets(perSecond float64, burst int) {
	w.targetPerTick = float32(perSecond * w.cfg.Tick.Seconds())
	w.targetBurst = float32(burst)
}

// steer is target for what a player sent, who may be too fast.
func (w *world) steer(p *Player, x, y float64) {
	a := p.actor
	if w.targetPerTick > 0 {
		if !a.steer.take(w.now, w.targetPerTick, w.targetBurst) {
			w.stats.TargetsTooFast.Add(1)
			if !p.toldHasty {
				p.toldHasty = true
				w.deny(p, TargetsTooFast, tooHasty)
			}
			return
		}
		if p.toldHasty && a.steer.full(w.targetBurst) {
			p.toldHasty = false
		}
	}
	w.target(a, x, y)
}

// target sends an actor on its way to a point, clamped to the world. A new target
// replaces the old one; where the actor stands already is no walk.
func (w *world) target(a *actor, x, y float64) {
	b := w.cfg.World
	a.tx = clamp(x, b.MinX, b.MaxX)
	a.ty = clamp(y, b.MinY, b.MaxY)
	w.stats.Targets.Add(1)
	w.stir(a)
	if a.walking < 0 {
		if a.tx == a.x && a.ty == a.y {
			return
		}
		a.walking = int32(len(w.walkers))
		a.saved = w.now
		w.walkers = append(w.walkers, a)
	}
}

// halt takes an actor from the walkers.
func (w *world) halt(a *actor) {
	if a.walking < 0 {
		return
	}
	last := len(w.walkers) - 1
	w.walkers[a.walking] = w.walkers[last]
	w.walkers[a.walking].walking = a.walking
	w.walkers[last] = nil
	w.walkers = w.walkers[:last]
	a.walking = -1
	w.halted = append(w.halted, a)
}

// walk moves every walking actor one step of fixed length, so that the same
// inputs in the same ticks give the same bytes. The last step ends exactly on
// the target.
func (w *world) walk() {
	for i := len(w.walkers) - 1; i >= 0; i-- { // downwards: arriving fills a gap from behind
		a := w.walkers[i]
		dx, dy := a.tx-a.x, a.ty-a.y
		dist := math.Hypot(dx, dy)
		a.active = w.now
		if dist <= w.step {
			a.x, a.y = a.tx, a.ty
			w.halt(a)
			w.cfg.Accounts.Save(a.id, a.x, a.y)
		} else {
			a.x += dx / dist * w.step
			a.y += dy / dist * w.step
			if w.now-a.saved >= saveEveryTicks {
				a.saved = w.now
				w.cfg.Accounts.Save(a.id, a.x, a.y)
			}
		}
		if c := w.grid.at(a.x, a.y); c != a.cell {
			w.cross(a, c)
		}
		w.moved(a)
	}
}

// moved notes where a is now for those who see it; its own player is told in any
// case.
func (w *world) moved(a *actor) {
	w.packet = codec.AppendDelta(w.packet[:0], a.id, a.id, a.x, a.y)
	w.frame = codec.AppendTextFrame(w.frame[:0], w.packet)
	a.pose = w.writers.NewPose(a.x, a.y, a.id, &a.player.Listener, w.frame)
	w.grid.around(a.cell, func(h *cell) {
		if a.seenFrom(h) {
			w.changed(h)
		}
	})
	if !a.seenFrom(a.cell) {
		w.writers.SendOwn(&a.player.Listener, a.pose)
	}
	w.stats.Deltas.Add(1)
}

func clamp(v, lo, hi float64) float64 { return min(max(v, lo), hi) }
