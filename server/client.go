package main

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tavern/codec"
	"tavern/game"
	"tavern/game/account"
	"tavern/server/moderation"
	"tavern/server/ws"
)

const (
	// maxWaiting is how many packets a client may send while its Login or
	// Register is under way. More are dropped and counted.
	maxWaiting = 8
	// maxStrikes malformed packets within a minute close the connection, as do
	// maxDropped packets dropped because the player's ring was full.
	maxStrikes = 10
	maxDropped = 64
	// maxRetries is how often a Login that finds its account taken is tried again
	// while somebody is just leaving.
	maxRetries = 3
)

// Refusals beside the accounts' own, in the register of PROTOCOL.md.
const (
	denyGuests   = "Log in to chat"
	denyInternal = "Something went wrong, try again in a moment"
)

// client is what the server keeps for one connection: its player, embedded, and
// where it stands on the way in.
//
// Packets come on the connection's poller, answers of the accounts on one of
// their workers. place says which: until the player is inside, both hold mu;
// from then on the poller is alone and needs no lock.
type client struct {
	game.Player
	session *ws.Session

	place atomic.Uint32 // outside, guest or inside; stored under mu

	mu      sync.Mutex
	closed  bool
	busy    bool           // a Register or Login is with the accounts
	waiting []codec.Packet // arrived meanwhile

	// The poller's own.
	strikes      uint8
	dropped      uint8
	strikeMinute uint16
}

const (
	outside uint32 = iota // nothing but answers is sent
	guest                 // hears the chat room
	inside                // logged in
)

// gate takes what the edge hears to the accounts and the loop. It implements
// ws.Handler.
type gate struct {
	loop     *game.Loop
	accounts *exits
	desk     *moderation.Desk
	greeter  *greeter
	guests   atomic.Pointer[guestMode]
	counts   counts
	limiter  *limiter
	limits   *limits
	trusted  prefixes // proxies
	start    time.Time
}

var _ ws.Handler = (*gate)(nil)

// Open greets a new connection. See ws.Handler.
func (g *gate) Open(s *ws.Session) {
	c := &client{session: s}
	s.Value = c
	if *g.guests.Load() == guestsOnConnect {
		g.enterGuest(c)
	}
}

// enterGuest lets c hear the chat room.
func (g *gate) enterGuest(c *client) {
	c.place.Store(guest)
	g.loop.EnterGuest(&c.Player, c.session)
	g.turnAway(c, 0)
}

// turnAway closes the connection of one who was banned while it came in, with the
// account id or, 0, without. It must be asked after the loop was told: see
// moderation.Desk. On any goroutine.
func (g *gate) turnAway(c *client, id int64) {
	why, banned := g.desk.BannedAddress(c.session.RemoteAddr())
	if !banned && id != 0 {
		why, banned = g.desk.Banned(id)
	}
	if banned {
		g.close(c, closeBanned, why)
	}
}

// Closed takes the player of a connection that has ended out of the world. See
// ws.Handler.
func (g *gate) Closed(s *ws.Session, code int, reason string) {
	c := s.Value.(*client)
	c.mu.Lock()
	c.closed = true
	c.waiting = nil
	place := c.place.Load()
	if c.busy || place == inside {
		g.accounts.begin()
	}
	c.mu.Unlock()
	g.limiter.release(s.RemoteAddr())
	if place != outside {
		g.loop.Leave(&c.Player)
	}
}

// Message decodes one packet and sends it on its way. See ws.Handler.
func (g *gate) Message(s *ws.Session, data []byte, text bool) {
	c := s.Value.(*client)
	packet, err := codec.Decode(data)
	if err != nil {
		g.malformed(c, err)
		return
	}
	if c.place.Load() == inside {
		if packet.Action == codec.Chat || packet.Action == codec.Target {
			g.offer(c, packet)
		} else {
			g.counts.ignored.Add(1) // Login when logged in
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock() // also from a panic: Closed, which needs it, is everybody's
	g.notInside(c, packet)
}

// offer gives a packet to the loop. On the poller, or with c.mu held.
func (g *gate) offer(c *client, packet codec.Packet) {
	if g.loop.Offer(&c.Player, packet) {
		if c.dropped > 0 { // calm makes up for a burst
			c.dropped--
		}
		return
	}
	if c.dropped++; c.dropped >= maxDropped {
		g.counts.flooding.Add(1)
		g.close(c, closeFlooding, "You are sending too fast")
	}
}

// notInside handles a packet of one who is not logged in. c.mu is held.
func (g *gate) notInside(c *client, packet codec.Packet) {
	if c.busy {
		if len(c.waiting) == maxWaiting {
			g.counts.waitingFull.Add(1)
			return
		}
		c.waiting = append(c.waiting, packet)
		return
	}
	place := c.place.Load()
	switch {
	case packet.Action == codec.Register || packet.Action == codec.Login:
		g.ask(c, packet)
	case place == inside: // it was logged in while this packet waited for mu
		g.offer(c, packet)
	case place == guest:
		g.offer(c, packet)
	case packet.Action == codec.Chat && packet.N == 1 && *g.guests.Load() != guestsOff:
		g.enterGuest(c)
		g.offer(c, packet)
	case packet.Action == codec.Chat && packet.N == 1:
		g.deny(c, "guests", denyGuests)
	default: // Target or a player's Chat before login
		g.counts.ignored.Add(1)
	}
}

// ask hands a Register or Login to the accounts, whose worker answers. c.mu is
// held.
func (g *gate) ask(c *client, packet codec.Packet) {
	if c.place.Load() == inside {
		g.counts.ignored.Add(1)
		return
	}
	if why, banned := g.desk.BannedAddress(c.session.RemoteAddr()); banned { // since it connected
		g.deny(c, "banned", why)
		g.close(c, closeBanned, why)
		return
	}
	if label, why := g.held(c, packet); why != "" {
		g.deny(c, label, why)
		return
	}
	c.busy = true
	var err error
	if packet.Action == codec.Register {
		err = g.accounts.RegisterWhile(c.waits, packet.S0, packet.S1, packet.Avatar, func(err error) {
			g.answered(c, packet, err)
			g.registered(c, err)
		})
	} else {
		err = g.login(c, packet, 0)
	}
	if err != nil {
		g.answered(c, packet, err)
		c.busy = false
		g.refuse(c, err)
	}
}

// login asks for an account, and again when it is taken but whoever has it may
// just be leaving.
func (g *gate) login(c *client, packet codec.Packet, tries int) error {
	mark := g.accounts.mark()
	return g.accounts.LoginWhile(c.waits, packet.S0, packet.S1, func(a account.Account, err error) {
		if errors.Is(err, account.ErrLoggedIn) && tries < maxRetries && g.accounts.after(mark, func() {
			if err := g.login(c, packet, tries+1); err != nil {
				g.answered(c, packet, err)
				g.loggedIn(c, account.Account{}, err)
			}
		}) {
			return
		}
		g.answered(c, packet, err)
		g.loggedIn(c, a, err)
	})
}

// registered answers a Register. On a worker of the accounts.
func (g *gate) registered(c *client, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		g.counts.registered.Add(1)
	}
	switch {
	case c.closed:
		g.accounts.end()
		return
	case err != nil:
		g.refuse(c, err)
	default:
		c.send(codec.AppendOk(nil))
	}
	g.proceed(c)
}

// loggedIn answers a Login. On a worker of the accounts, or after others' exits.
// A granted account is claimed: either the loop gets it, or it is released here.
func (g *gate) loggedIn(c *client, a account.Account, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed && err == nil:
		g.accounts.Release(a.ID)
	case c.closed:
		g.accounts.end()
	case err != nil:
		g.refuse(c, err)
		g.proceed(c)
	default:
		if why, banned := g.desk.Banned(a.ID); banned {
			g.accounts.Store.Release(a.ID) // it was not in the world: no exit
			g.deny(c, "banned", why)
			g.proceed(c)
			return
		}
		g.counts.logins.Add(1)
		first := c.waiting
		c.waiting, c.busy = nil, false
		g.loop.Enter(&c.Player, c.session, game.Account{
			ID: a.ID, Name: a.Name, Avatar: a.Avatar, X: a.X, Y: a.Y,
			Muted: g.desk.MutedUntil(a.ID), Moderator: g.desk.Moderator(a.ID),
		}, first)
		// Only now: from here on the poller offers packets without the lock, and
		// none of them may reach the loop before the entry.
		c.place.Store(inside)
		g.turnAway(c, a.ID)
		g.greeter.greet(&c.Player)
	}
}

// waits tells whether the client is still there to hear an answer: nobody's
// password is hashed for those who have gone. On a worker of the accounts.
func (c *client) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closed
}

// proceed goes on with what the client sent while its request was under way.
// c.mu is held.
func (g *gate) proceed(c *client) {
	c.busy = false
	for len(c.waiting) > 0 && !c.busy {
		packet := c.waiting[0]
		waiting := c.waiting[1:]
		c.waiting = nil
		g.notInside(c, packet)
		c.waiting = append(waiting, c.waiting...)
	}
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
}

// malformed answers a packet that is none. On the poller.
func (g *gate) malformed(c *client, err error) {
	var bad *codec.Error
	if !errors.As(err, &bad) {
		bad = &codec.Error{Label: "other", Reason: denyInternal}
	}
	g.counts.malformed(bad.Label)
	if minute := uint16(time.Since(g.start) / time.Minute); minute != c.strikeMinute {
		c.strikeMinute, c.strikes = minute, 0
	}
	if c.strikes++; c.strikes >= maxStrikes {
		g.close(c, closeMalformed, "Too many malformed packets")
		return
	}
	g.deny(c, "malformed", bad.Reason)
}

// refuse answers a request that the accounts did not grant.
func (g *gate) refuse(c *client, err error) {
	var r *account.Refusal
	if errors.As(err, &r) {
		g.deny(c, refusalLabel(r), r.Reason)
		return
	}
	g.deny(c, "internal", denyInternal) // the accounts have logged the cause
}

// deny answers with a reason; label is what metrics call it.
func (g *gate) deny(c *client, label, reason string) {
	g.counts.denies.WithLabelValues(label).Inc()
	c.send(codec.AppendDeny(nil, reason))
}

// close ends a connection for breaking a rule; label is what metrics call it.
func (g *gate) close(c *client, label, reason string) {
	g.counts.closes.WithLabelValues(label).Inc()
	c.session.Close(ws.ClosePolicy, reason)
}

// send writes one packet past the loop: an answer to somebody who may not be in
// it. An error means that the connection is ending, which Closed will say.
func (c *client) send(packet []byte) {
	if err := c.session.Write(codec.AppendTextFrame(nil, packet)); err != nil {
		c.session.Close(ws.CloseTryLater, "You are reading too slowly")
	}
}
