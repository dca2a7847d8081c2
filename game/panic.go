package game

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// ErrBroken is what Run returns when the world could not go on.
var ErrBroken = errors.New("game: the world is broken")

const (
	// closeInternal is RFC 6455's code for a mistake of the server.
	closeInternal = 1011

	// mostPanics within panicTicks, a minute at 20 ticks a second, are too many to
	// be the fault of single packets.
	mostPanics = 20
	panicTicks = 1200
)

// surviveRequest, deferred, keeps a panic to the one player whose packet was being
// handled, or, with no player, to the function that somebody has asked for. The
// player is closed and its other packets are dropped. What is half done of one
// packet is a chat unsaid or a walk not begun; when it is more, taking the player
// out will panic too, and then, as everywhere else in a tick, the world ends.
func (l *Loop) surviveRequest(p *Player) {
	cause := recover()
	if cause == nil {
		return
	}
	l.panicked("a packet", cause)
	if l.now-l.panicSince >= panicTicks {
		l.panicSince, l.panics = l.now, 0
	}
	if l.panics++; l.panics > mostPanics {
		panic(fmt.Sprintf("more than %d panics in a minute, the last: %v", mostPanics, cause))
	}
	if p == nil {
		return
	}
	for range p.in.Len() {
		p.in.Pop()
		p.taken++
	}
	if conn := p.Conn(); conn != nil {
		conn.Close(closeInternal, "internal error")
	}
}

// tryTick is tick, of which a panic is an error: nobody knows what of the world
// still holds.
func (l *Loop) tryTick(start time.Time, late time.Duration) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			l.panicked("a tick", cause)
			err = fmt.Errorf("%w: panic: %v", ErrBroken, cause)
		}
	}()
	l.tick()
	l.cfg.Observe(time.Since(start), late)
	return nil
}

func (l *Loop) panicked(in string, cause any) {
	l.stats.Panics.Add(1)
	l.cfg.Logger.Error("panic in the loop", "in", in, "panic", cause, "stack", string(debug.Stack()))
}

// saveAll keeps everybody's position. One that cannot be kept does not cost the
// others theirs.
func (l *Loop) saveAll() {
	for _, a := range l.world.actors {
		l.save(a)
	}
}

func (l *Loop) save(a *actor) {
	defer func() {
		if cause := recover(); cause != nil {
			l.panicked("saving", cause)
		}
	}()
	l.cfg.Accounts.Save(a.id, a.x, a.y)
}
