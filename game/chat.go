package game

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"tavern/codec"
	"tavern/game/stream"
)

const tooFast = "You are talking too fast"

// chat says text to everybody else in the room, each in the form that it
// understands: players get Chat(sender, text), guests get Chat(text).
func (w *world) chat(p *Player, text string) {
	if text == "" {
		w.stats.ChatsEmpty.Add(1)
		return
	}
	if w.chatPerTick > 0 && !p.talk.take(w.now, w.chatPerTick, w.chatBurst) {
		w.stats.ChatsTooFast.Add(1)
		if !p.toldTooFast {
			p.toldTooFast = true
			w.deny(p, TalkingTooFast, tooFast)
		}
		return
	}
	if p.toldTooFast && p.talk.full(w.chatBurst) {
		p.toldTooFast = false
	}
	if text[0] == '/' && w.cfg.Command != nil {
		w.command(p, text)
		return
	}
	if p.actor != nil && p.actor.muted != 0 && w.muted(p) {
		return
	}
	w.stats.Chats.Add(1)
	if p.actor != nil {
		w.stir(p.actor)
	}
	if w.cfg.ChatRange > 0 {
		w.chatNear(p, text)
		return
	}
	if w.players > 0 {
		w.packet = codec.AppendChat(w.packet[:0], p.name(w), text)
		w.say(w.playersChat, p, w.players)
	}
	if len(w.guests) > 0 {
		if p.actor == nil {
			w.packet = codec.AppendGuestChat(w.packet[:0], text)
		} else {
			w.packet = codec.AppendGuestChatFrom(w.packet[:0], p.actor.name, text)
		}
		w.say(w.guestsChat, p, len(w.guests))
	}
}

// limitChat sets how much everybody may say: messages per second in the long run,
// 0 for no limit, and how many in a row.
func (w *world) limitChat(perSecond float64, burst int) {
	w.chatPerTick = float32(perSecond * w.cfg.Tick.Seconds())
	w.chatBurst = float32(burst)
}

// command hands a chat that begins with a slash to whoever understands commands.
func (w *world) command(p *Player, text string) {
	w.stats.Commands.Add(1)
	c := Command{Player: p, Name: strings.Clone(p.name(w)), Text: text}
	if p.actor != nil {
		c.ID, c.Moderator = p.actor.id, p.actor.moderator
	}
	if !w.cfg.Command(c) {
		w.deny(p, CommandsFull, "The server is busy, try again in a moment")
	}
}

// muted reports whether p may not talk now, and tells it so.
func (w *world) muted(p *Player) bool {
	left := w.fromSteady(p.actor.muted).Sub(w.cfg.Now())
	if left <= 0 {
		p.actor.muted = 0
		return false
	}
	w.stats.Muted.Add(1)
	w.deny(p, IsMuted, "You are muted for another "+max(left.Round(time.Second), time.Second).String())
	return true
}

// chatNear says text to the players whose actor stands within Config.ChatRange of
// p's. Guests have no place in the world: they hear each other, and nobody else.
// The cost is that of the listeners, as each hears something else.
func (w *world) chatNear(p *Player, text string) {
	a := p.actor
	if a == nil {
		w.packet = codec.AppendGuestChat(w.packet[:0], text)
		w.say(w.guestsChat, p, len(w.guests))
		return
	}
	w.packet = codec.AppendChat(w.packet[:0], a.name, text)
	frames := w.writers.Keep(codec.AppendTextFrame(w.frame[:0], w.packet))
	r, sent := w.cfg.ChatRange, 0
	w.grid.within(a.x-r, a.y-r, a.x+r, a.y+r, func(c *cell) {
		for _, b := range c.actors {
			if b != a && math.Hypot(b.x-a.x, b.y-a.y) <= r {
				w.writers.SendKept(&b.player.Listener, frames)
				sent++
			}
		}
	})
	w.stats.ChatsSent.Add(uint64(sent))
}

// say appends the world's packet to a chat stream that so many hear, past its own
// sender.
func (w *world) say(s *stream.Stream, sender *Player, listeners int) {
	from := s.Position()
	w.frame = codec.AppendTextFrame(w.frame[:0], w.packet)
	w.writers.Append(s, w.frame)
	if sender.hears(s, w) {
		w.writers.Skip(&sender.Listener, s, from)
		listeners--
	}
	w.stats.ChatsSent.Add(uint64(listeners))
}

// hears reports whether p hears the chat stream s.
func (p *Player) hears(s *stream.Stream, w *world) bool {
	return (p.actor != nil) == (s == w.playersChat)
}

// name is what players read as the sender of p's chats. A guest's lives in the
// loop's scratch until the next one: saying something must not allocate.
func (p *Player) name(w *world) string {
	if p.actor != nil {
		return p.actor.name
	}
	w.guestName = strconv.AppendUint(append(w.guestName[:0], "guest-"...), uint64(p.guest), 10)
	return unsafe.String(unsafe.SliceData(w.guestName), len(w.guestName))
}
