package game

import (
	"sync/atomic"
	"time"

	"tavern/codec"
	"tavern/game/ring"
	"tavern/game/stream"
)

// Conn is the connection of a player, as the loop and the writers see it.
type Conn = stream.Conn

// Player is a participant inside the loop: a guest, who only talks, or a
// logged-in player with an actor in the world. The edge embeds one in what it
// keeps for a connection and hands it to Loop.EnterGuest or Loop.Enter; until
// then the loop knows nothing of it. The zero value is ready.
//
// 15,000 idle ones are 15,000 of these, so every field is here for a reason.
type Player struct {
	stream.Listener // the loop and one writer, see there

	// Shared: the edge stores, the loop takes.
	in    ring.Lazy[codec.Packet] // pushed by this connection's poller only
	ready ring.Node[Player]
	entry atomic.Pointer[entry] // an entry that the loop has not seen yet
	left  atomic.Bool           // the connection is gone; nothing follows

	// offered counts what the poller has put into the ring, taken what the loop
	// has taken out of it: 0 <= offered-taken <= 32, so that eight bits are enough.
	offered uint8

	// The loop's own.
	taken   uint8
	gone    bool // left, and the loop has seen it
	warm    bool // stands in the loop's warm queue: its ring may exist
	inWorld bool // is an audience's listener

	toldTooFast bool   // since talk was last full
	toldHasty   bool   // since its actor's steer was last full
	lastInput   uint32 // tick of the last packet
	guest       uint32 // number of the guest's name; 0 for none
	talk        bucket // how much it may still say
	actor       *actor // nil for a guest
}

// entry is what the edge hands over when somebody comes in.
type entry struct {
	conn    Conn
	account Account        // the zero value for a guest
	before  uint8          // Player.offered at the login: what was said until then, a guest said
	first   []codec.Packet // what the client sent while its login was under way
}

// Account is what the loop needs to know of a logged-in account.
type Account struct {
	ID        int64 // > 0
	Name      string
	Avatar    uint8
	X, Y      float64   // last saved position
	Muted     time.Time // until when it may not talk; zero: it may
	Moderator bool      // its chat commands may kick, mute and ban
}

// EnterGuest lets p into the chat room as a guest. Any goroutine, once per
// player. It never blocks and cannot be refused.
func (l *Loop) EnterGuest(p *Player, conn Conn) {
	p.entry.CompareAndSwap(nil, &entry{conn: conn}) // a login that came first is more
	l.ready.Push(&p.ready, p)
}

// Enter lets p into the world with its account, which the caller has claimed:
// the loop releases it when the player has left. first are packets that the
// client sent between its Login and now; they count as sent at once, behind what
// a guest was offered for. Any goroutine, once per player and not at the same
// time as Offer. It never blocks and cannot be refused.
func (l *Loop) Enter(p *Player, conn Conn, a Account, first []codec.Packet) {
	p.entry.Store(&entry{conn: conn, account: a, before: p.offered, first: first})
	l.ready.Push(&p.ready, p)
}

// Leave tells the loop that p's connection is gone. Any goroutine, at any time,
// more than once does no harm. It can never be refused: it is a flag.
func (l *Loop) Leave(p *Player) {
	p.left.Store(true)
	l.ready.Push(&p.ready, p)
}

// Offer gives a packet of p to the loop. Only p's poller may call it, after
// EnterGuest or Enter. It answers false when the ring is full: the packet is
// dropped and counted, and who keeps doing it is flooding.
func (l *Loop) Offer(p *Player, packet codec.Packet) bool {
	if !p.in.Push(packet) {
		l.stats.RingFull.Add(1)
		return false
	}
	p.offered++
	l.ready.Push(&p.ready, p)
	return true
}

// full reports whether the bucket, of which a token was just taken, was full before.
func (b *bucket) full(burst float32) bool { return b.tokens >= burst-1 }

// bucket is a token bucket that fills with the loop's ticks.
type bucket struct {
	tokens float32
	filled uint32 // tick of the last refill
}

// take takes one token; rate is in tokens per tick, burst the most it holds.
func (b *bucket) take(now uint32, rate, burst float32) bool {
	if b.filled == 0 {
		b.tokens = burst
	} else {
		b.tokens = min(burst, b.tokens+float32(now-b.filled)*rate)
	}
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
