package game

import "tavern/codec"

// ringIdleTicks is how long a ring outlives the last packet: two seconds at 20
// ticks a second, so that a player who talks keeps it and one who has stopped
// gives its 1.8 KB back.
const ringIdleTicks = 40

// input takes everybody for whom something has happened since the last tick:
// who came in, who sent packets, who left.
func (l *Loop) input() {
	batch := l.ready.Take()
	for p := batch.Next(); p != nil; p = batch.Next() {
		if p.gone {
			continue
		}
		if e := p.entry.Swap(nil); e != nil {
			l.enter(p, e)
		}
		if p.inWorld {
			l.drain(p)
		}
		if p.left.Load() {
			l.leave(p)
		}
	}
}

func (l *Loop) enter(p *Player, e *entry) {
	left, asGuest := p.left.Load(), int(e.before-p.taken) // of the packets in its ring
	switch gone := left && p.in.Len() <= asGuest && len(e.first) == 0; {
	case gone && e.account.ID != 0: // before we could greet it, and without a word
		l.cfg.Accounts.Release(e.account.ID)
		l.saidAsGuest(p, e)
	case gone:
	case e.account.ID != 0:
		l.saidAsGuest(p, e)
		l.world.enter(p, e.conn, e.account)
	case !p.inWorld:
		l.world.enterGuest(p, e.conn)
	}
	if len(e.first) > 0 {
		l.takeFirst(p, e.first)
	}
}

// takeFirst hands on what p sent while its Login was under way.
func (l *Loop) takeFirst(p *Player, first []codec.Packet) {
	defer l.surviveRequest(p)
	for i := range first {
		l.dispatch(p, &first[i])
	}
}

// saidAsGuest hands on what p said before its Login. It was a guest then, though
// perhaps for less than a tick.
func (l *Loop) saidAsGuest(p *Player, e *entry) {
	n := e.before - p.taken
	if n == 0 {
		return
	}
	if !p.inWorld {
		l.world.enterGuest(p, e.conn)
	}
	l.take(p, int(n))
}

func (l *Loop) leave(p *Player) {
	p.gone = true
	if p.inWorld {
		l.world.leave(p)
	}
}

// drain hands on what stood in p's ring when the loop came to it; what arrives
// meanwhile has set the ready bit again and waits for the next tick, so a
// flooding player costs a tick at most one ring.
func (l *Loop) drain(p *Player) {
	if n := p.in.Len(); n > 0 {
		l.take(p, n)
	}
}

// take hands on the next n packets of p's ring.
func (l *Loop) take(p *Player, n int) {
	defer l.surviveRequest(p)
	p.lastInput = l.now
	if !p.warm {
		p.warm = true
		l.warm.push(p, l.now)
	}
	for range n {
		packet, ok := p.in.Pop()
		if !ok {
			return
		}
		p.taken++
		l.dispatch(p, &packet)
	}
}

// dispatch is the one switch over what a player may do. What makes no sense in
// the player's state is ignored and counted.
func (l *Loop) dispatch(p *Player, packet *codec.Packet) {
	l.stats.Packets.Add(1)
	switch {
	case !p.inWorld:
		l.stats.Ignored.Add(1)
	case packet.Action == codec.Chat && packet.N == 1:
		l.world.chat(p, packet.S0)
	case packet.Action == codec.Chat && p.actor != nil:
		l.world.chat(p, packet.S1)
	case packet.Action == codec.Target && p.actor != nil:
		l.world.steer(p, packet.X, packet.Y)
	default:
		l.stats.Ignored.Add(1)
	}
}

// warmQueue holds the players whose ring may exist, each once, in the order in
// which they will have been silent long enough. Its cost follows activity: the
// idle are not in it.
type warmQueue struct {
	players []warmPlayer
	head    int
}

type warmPlayer struct {
	p     *Player
	since uint32 // tick
}

func (q *warmQueue) push(p *Player, now uint32) {
	if q.head > 64 && q.head > len(q.players)/2 {
		n := copy(q.players, q.players[q.head:])
		clear(q.players[n:])
		q.players, q.head = q.players[:n], 0
	}
	q.players = append(q.players, warmPlayer{p, now})
}

// retireRings gives back the rings of those who have been silent for a while.
func (l *Loop) retireRings() {
	q := &l.warm
	for n := len(q.players) - q.head; n > 0; n-- {
		w := q.players[q.head]
		if l.now-w.since < ringIdleTicks {
			return
		}
		q.players[q.head] = warmPlayer{}
		q.head++
		switch {
		case w.p.gone:
		case l.now-w.p.lastInput < ringIdleTicks:
			q.push(w.p, w.p.lastInput)
		case w.p.in.Retire():
			w.p.warm = false
		default: // a packet arrived just now
			q.push(w.p, l.now)
		}
	}
	if q.head == len(q.players) {
		q.players, q.head = q.players[:0], 0
	}
}
