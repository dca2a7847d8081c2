package main

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"tavern/game"
	"tavern/server/moderation"
	"tavern/server/ws"
)

// goodbyes are the ways in which a client ends its connection.
var goodbyes = []struct {
	name     string
	answered bool // it has heard that the server knows, when end returns
	end      func(t *testing.T, p *peer)
}{
	{"close frame", true, func(t *testing.T, p *peer) { p.close(websocket.StatusNormalClosure) }},
	{"close frame 1001", true, func(t *testing.T, p *peer) { p.close(websocket.StatusGoingAway) }},
	{"TCP reset", false, func(t *testing.T, p *peer) {
		if err := p.tcp.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		if err := p.tcp.Close(); err != nil {
			t.Fatal(err)
		}
	}},
	{"end of stream", false, func(t *testing.T, p *peer) {
		if err := p.tcp.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}},
	{"end of stream inside a frame", false, func(t *testing.T, p *peer) {
		p.raw(frame(final|opText, "never to be finished")[:9])
		if err := p.tcp.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}},
	{"kick for a broken frame", true, func(t *testing.T, p *peer) {
		p.raw([]byte{0xff, 0xff})
		if code := p.ended(); code != websocket.StatusProtocolError {
			t.Errorf("closed with %d, want 1002", code)
		}
	}},
}

// TestLeaving ends connections in every way: the others hear of it, the account
// is free at once, and the next login starts where the last one ended.
func TestLeaving(t *testing.T) {
	t.Parallel()
	for _, goodbye := range goodbyes {
		t.Run(goodbye.name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			watcher, _ := enter(t, s, "watcher")
			ann, m := enter(t, s, "ann")

			// Standing: exactly there again.
			ann.say(`{"a":"Target","p0":-7.25,"p1":3.5}`)
			ann.awaitActor(m.ID, point{-7.25, 3.5})
			goodbye.end(t, ann)
			again := connect(t, s)
			if !goodbye.answered {
				watcher.awaitGone(m.ID)
			}
			if at := again.login("ann").at(); at != (point{-7.25, 3.5}) {
				t.Errorf("logged in again at %v, want -7.25,3.5", at)
			}
			if goodbye.answered {
				watcher.awaitGone(m.ID)
			}
			watcher.awaitActor(m.ID, point{-7.25, 3.5})

			// Walking: on the way, and no step is lost. What the watcher saw last may
			// be a step behind, as the last one is not shown with the Disconnect.
			again.say(`{"a":"Target","p0":-1000,"p1":3.5}`)
			for range 4 {
				watcher.await("a step", func(h *heard) bool { d, ok := h.model(); return ok && d.ID == m.ID && !d.full() })
			}
			goodbye.end(t, again)
			watcher.awaitGone(m.ID)
			last := lastSeen(watcher, m.ID)
			third := connect(t, s)
			if at := third.login("ann").at(); at.y != 3.5 || at.x > last.x || at.x < last.x-3*3.5 {
				t.Errorf("logged in again at %v, was last seen at %v on the way to -1000,3.5", at, last)
			}
		})
	}
}

// lastSeen is the last position of an actor that p has taken.
func lastSeen(p *peer, id int64) (at point) {
	for _, h := range p.soFar()[:p.read] {
		if m, ok := h.model(); ok && m.ID == id {
			at = m.at()
		}
	}
	return at
}

// TestComingAndGoing ends a connection and logs in again with the next packet,
// many times over: no login may find the account still taken.
func TestComingAndGoing(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-limits", "off")
	for _, goodbye := range goodbyes {
		if !goodbye.answered {
			continue
		}
		name := strings.ReplaceAll(goodbye.name, " ", "-")
		p := connect(t, s)
		p.register(name)
		for range 10 {
			p.login(name)
			next := connect(t, s)
			goodbye.end(t, p)
			p = next
		}
	}
}

// TestLeavingDuringLogin ends connections right behind their Login: however far
// that had come, the account is free afterwards.
func TestLeavingDuringLogin(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	first := connect(t, s)
	first.register("ann")
	for range 30 {
		p := connect(t, s)
		p.sendLogin("ann")
		if err := p.tcp.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		p.ended()
	}
	until(t, "nobody is in the world", func() bool { return s.metric(t, "game_players") == "0" && s.metric(t, "ws_connections") == "1" })
	first.login("ann")
}

// TestResetBeforeTheAnswer resets connections that are owed an answer: they ended
// without a close frame, and nobody read too slowly.
func TestResetBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-limits", "off")
	const peers = 100
	for range peers {
		p := connect(t, s)
		p.raw(frame(final|opText, `{"a":`))
		if err := p.tcp.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		if err := p.tcp.Close(); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all have left", func() bool { return s.metric(t, "ws_connections") == "0" })
	if got := s.metric(t, `ws_closed_total{code="abnormal"}`); got != fmt.Sprint(peers) {
		t.Errorf("%s of %d connections ended without a close frame, %s for reading too slowly", got, peers, s.metric(t, `ws_closed_total{code="try_later"}`))
	}
}

// TestRestart stops the server and starts another on the same database: accounts,
// avatars and positions are there, also of those who were walking.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := connect(t, s)
	ann.say(`{"a":"Register","p0":"Ann","p1":"pw of Ann","p2":4}`)
	ann.expect(`{"a":"Ok"}`)
	m := ann.login("Ann")
	ann.say(`{"a":"Target","p0":12.34,"p1":-5}`)
	ann.awaitActor(m.ID, point{12.34, -5})
	ben, b := enter(t, s, "ben")
	ben.say(`{"a":"Target","p0":2000,"p1":0}`)
	ben.await("a step", func(h *heard) bool { d, ok := h.model(); return ok && d.ID == b.ID && !d.full() })
	s.stop()
	for _, p := range []*peer{ann, ben} {
		if code := p.ended(); code != websocket.StatusGoingAway {
			t.Errorf("%s: closed with %d, want 1001", p.name, code)
		}
	}
	last := point{}
	for _, h := range ben.soFar() {
		if d, ok := h.model(); ok && d.ID == b.ID {
			last = d.at()
		}
	}

	s = startServer(t, "-db", s.db)
	ann = connect(t, s)
	if m := ann.login("Ann"); m.at() != (point{12.34, -5}) || *m.Avatar != 4 {
		t.Errorf("Ann is back at %v with avatar %d, want 12.34,-5 and 4", m.at(), *m.Avatar)
	}
	ben = connect(t, s)
	if at := ben.login("ben").at(); at != last {
		t.Errorf("ben is back at %v, want %v, where he was last told to be", at, last)
	}
}

// TestWorldBounds sends players out of the world: they stop at its border.
func TestWorldBounds(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-world", "-10,-20,30,40")
	ann, m := enter(t, s, "ann")
	ann.say(`{"a":"Target","p0":1e308,"p1":%v}`, -math.MaxFloat64)
	ann.awaitActor(m.ID, point{30, -20})
	ann.close(websocket.StatusNormalClosure)
	s.stop()

	// A world that has become smaller takes them in at its border.
	s = startServer(t, "-db", s.db, "-world", "-10,-10,10,10")
	ann = connect(t, s)
	if at := ann.login("ann").at(); at != (point{10, -10}) {
		t.Errorf("ann is at %v, want 10,-10", at)
	}
}

// TestMessageBehindTheEnd hands the gate a chat of a connection that was closed from
// outside while it was on its way: nobody may come in behind his own end, for nobody
// would take him out again.
func TestMessageBehindTheEnd(t *testing.T) {
	t.Parallel()
	g := &gate{loop: game.New(game.Config{}), limiter: newLimiter(1, 1), desk: &moderation.Desk{}}
	mode := guestsOnChat
	g.guests.Store(&mode)
	s := &ws.Session{}
	g.Open(s)
	g.Closed(s, ws.CloseGoingAway, "no answer to pings")
	g.Message(s, []byte(`{"a":"Chat","p0":"hello"}`), true)
	if place := s.Value.(*client).place.Load(); place != outside || g.counts.abandoned.Load() != 1 {
		t.Errorf("place %d, %d packets abandoned; want outside, and 1", place, g.counts.abandoned.Load())
	}
}
