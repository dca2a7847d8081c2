package game

import (
	"errors"
	"strings"
	"time"

	"tavern/codec"
)

// maxAsked is how many functions may wait for the loop at a time.
const maxAsked = 256

// ErrBusy is the answer of Do when too many functions wait for the loop already.
var ErrBusy = errors.New("game: too many requests wait for the loop")

// Herald is the sender of what the server itself says in the chat. No account can
// have this name: brackets are not allowed in one.
const Herald = "[Server]"

// Do has the loop run f at its next tick, between two players' packets. Any
// goroutine; it does not wait. f must not block, and tx is valid only inside it.
// With ErrBusy f will not run.
func (l *Loop) Do(f func(tx Tx)) error {
	select {
	case l.asked <- f:
		return nil
	default:
		l.stats.AskedFull.Add(1)
		return ErrBusy
	}
}

// runAsked runs what others asked for, as much as waited when it began.
func (l *Loop) runAsked() {
	for n := len(l.asked); n > 0; n-- {
		l.runOne(<-l.asked)
	}
}

func (l *Loop) runOne(f func(Tx)) {
	defer l.surviveRequest(nil)
	f(Tx{l})
}

// Tx is the world as one sees it from inside a function given to Loop.Do.
type Tx struct{ l *Loop }

// Info is what an operator may know of one player.
type Info struct {
	ID        int64 // of the account, 0 for a guest
	Name      string
	X, Y      float64 // pixels
	Since     time.Time
	Muted     time.Time // until when, zero while it may talk
	Moderator bool
	Player    *Player
}

// Players calls f for every logged-in player, in no particular order. It takes the
// loop's time, up to a microsecond for each: of many, better some at a time.
func (tx Tx) Players(f func(Info)) { tx.PlayersFrom(0, len(tx.l.world.actors), f) }

// PlayersFrom calls f for at most n players from a place in the loop's list on, and
// returns the next place, -1 at the end. When some leave between two calls one
// who is there may be passed over.
func (tx Tx) PlayersFrom(from, n int, f func(Info)) (next int) {
	actors := tx.l.world.actors
	from = min(from, len(actors))
	to := min(from+n, len(actors))
	for _, a := range actors[from:to] {
		f(Info{ID: a.id, Name: a.name, X: a.x, Y: a.y, Since: tx.l.world.fromSteady(a.since), Muted: tx.l.world.fromSteady(a.muted),
			Moderator: a.moderator, Player: a.player})
	}
	if to == len(actors) {
		return -1
	}
	return to
}

// Guests calls f for every guest, in no particular order and until f returns
// false, with its name and nothing else beside the Player.
func (tx Tx) Guests(f func(Info) bool) {
	for _, p := range tx.l.world.guests {
		if !f(Info{Name: strings.Clone(p.name(tx.l.world)), Player: p}) {
			return
		}
	}
}

// Guest returns the guest whose name has this number, nil when there is none.
func (tx Tx) Guest(number uint32) *Player { return tx.l.world.guests[number] }

// Announce says text to everybody, players and guests, in the server's name.
func (tx Tx) Announce(text string) {
	w := tx.l.world
	if w.players > 0 {
		w.packet = codec.AppendChat(w.packet[:0], Herald, text)
		w.frame = frame(w.frame[:0], w.packet)
		w.writers.Append(w.playersChat, w.frame)
	}
	if len(w.guests) > 0 {
		w.packet = codec.AppendGuestChatFrom(w.packet[:0], Herald, text)
		w.frame = frame(w.frame[:0], w.packet)
		w.writers.Append(w.guestsChat, w.frame)
	}
}

// Tell says text to one player or guest in the server's name. It does nothing
// when p has left.
func (tx Tx) Tell(p *Player, text string) {
	if !p.inWorld {
		return
	}
	w := tx.l.world
	if p.actor != nil {
		w.packet = codec.AppendChat(w.packet[:0], Herald, text)
	} else {
		w.packet = codec.AppendGuestChatFrom(w.packet[:0], Herald, text)
	}
	w.private = frame(w.private[:0], w.packet)
	w.writers.Send(&p.Listener, w.private)
}

// Find returns the player of an account, nil when it is not in the world.
func (tx Tx) Find(id int64) *Player {
	for _, a := range tx.l.world.actors {
		if a.id == id {
			return a.player
		}
	}
	return nil
}

// Kick closes p's connection with a code of RFC 6455 and a reason for its player.
// The leave follows as always.
func (tx Tx) Kick(p *Player, code int, reason string) {
	if p.inWorld {
		p.Conn().Close(code, reason)
	}
}

// Mute keeps a logged-in player from talking until a time; one that has passed
// lets it talk again.
func (tx Tx) Mute(p *Player, until time.Time) {
	if p.actor != nil {
		p.actor.muted = tx.l.world.steady(until)
	}
}

// SetModerator says whether the chat commands of a logged-in player may kick, mute
// and ban.
func (tx Tx) SetModerator(p *Player, is bool) {
	if p.actor != nil {
		p.actor.moderator = is
	}
}

// Command is a chat that begins with a slash, on its way to Config.Command.
type Command struct {
	Player    *Player // to answer with Tx.Tell
	ID        int64   // of the account, 0 for a guest
	Name      string
	Moderator bool
	Text      string // with the slash
}
