package main

import (
	"testing"

	"github.com/coder/websocket"
)

// TestGuestsOff refuses the lesson-1 Chat before login.
func TestGuestsOff(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-guests", "off")
	ann, _ := enter(t, s, "ann")
	gus := connect(t, s)
	gus.sayBinary(`{"a":"Chat","p0":"hello"}`)
	gus.expect(`{"a":"Deny","p0":"Log in to chat"}`)
	gus.say(`{"a":"Chat","p0":"gus","p1":"two payloads"}`) // ignored, without a word
	ann.say(`{"a":"Chat","p0":"ann","p1":"for players"}`)
	ann.ping()
	gus.register("gus")
	gus.login("gus")
	gus.say(`{"a":"Chat","p0":"one payload"}`) // logged in, it is a chat like any other
	ann.awaitChat("gus: one payload")
	for _, p := range []*peer{ann, gus} {
		for _, h := range p.soFar() {
			if h.action == "Chat" && h.chat() != "gus: one payload" {
				t.Errorf("%s hears %s", p.name, h.raw)
			}
		}
	}
}

// TestGuestsOnChat makes a guest of whoever says something.
func TestGuestsOnChat(t *testing.T) {
	t.Parallel()
	s := startServer(t) // the default
	gus, gil := connect(t, s), connect(t, s)
	ann, _ := enter(t, s, "ann")
	ann.say(`{"a":"Chat","p0":"ann","p1":"nobody but gus is here"}`)
	ann.ping()
	gus.say(`{"a":"Chat","p0":"gus","p1":"no guest"}`) // two payloads make none
	gus.sayBinary(`{"a":"Chat","p0":"hello"}`)
	ann.expect(`{"a":"Chat","p0":"guest-1","p1":"hello"}`)
	gil.say(`{"a":"Chat","p0":"hi"}`)
	ann.expect(`{"a":"Chat","p0":"guest-2","p1":"hi"}`)
	gus.expect(`{"a":"Chat","p0":"hi"}`) // as it came; and gil was no guest to hear hello
	ann.say(`{"a":"Chat","p0":"x","p1":"hi both"}`)
	gus.expect(`{"a":"Chat","p0":"ann: hi both"}`)
	gil.expect(`{"a":"Chat","p0":"ann: hi both"}`)

	// What guests do not see: a player walk, come and go.
	ann.say(`{"a":"Target","p0":3,"p1":0}`)
	ann.awaitActor(ann.sight.own, point{3, 0})
	ben, b := enter(t, s, "ben")
	ben.close(websocket.StatusNormalClosure)
	ann.awaitGone(b.ID)
	gil.say(`{"a":"Chat","p0":"still here"}`)
	gus.expect(`{"a":"Chat","p0":"still here"}`)
	ann.awaitChat("guest-2: still here")
	gil.close(websocket.StatusNormalClosure) // and nobody hears of a guest's leaving
	gus.say(`{"a":"Target","p0":3,"p1":0}`)  // makes no sense
	gus.say(`{"a":"Chat","p0":"alone?"}`)
	ann.expect(`{"a":"Chat","p0":"guest-1","p1":"alone?"}`)
}

// TestGuestsOnConnect makes a guest of every connection, precisely as the server
// of lesson 1 did.
func TestGuestsOnConnect(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-guests", "on-connect")
	gus, gil := connect(t, s), connect(t, s)
	until(t, "both are guests", func() bool { return s.metric(t, "game_guests") == "2" })
	gus.say(`{"a":"Chat","p0":"gus","p1":"two payloads"}`)
	gus.sayBinary(`{"a":"Chat","p0":"hello"}`)
	gil.expect(`{"a":"Chat","p0":"hello"}`)
	gil.say(`{"a":"Chat","p0":"hi"}`)
	gus.expect(`{"a":"Chat","p0":"hi"}`)
	ann := connect(t, s)
	ann.say(`{"a":"Register","p0":"ann","p1":"pw of ann"}`)
	ann.expect(`{"a":"Ok"}`)
	ann.login("ann")
	ann.say(`{"a":"Chat","p0":"ann","p1":"I have a name"}`)
	gus.expect(`{"a":"Chat","p0":"ann: I have a name"}`)
	gil.expect(`{"a":"Chat","p0":"ann: I have a name"}`)
}

// TestGuestLogsIn lets a guest log in on the same connection: it keeps its place
// in the order of things and hears as a player from then on.
func TestGuestLogsIn(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, _ := enter(t, s, "ann")
	gil := connect(t, s)
	gil.say(`{"a":"Chat","p0":"gil is here"}`)
	ann.expect(`{"a":"Chat","p0":"guest-1","p1":"gil is here"}`)
	gus := connect(t, s)
	gus.say(`{"a":"Chat","p0":"before"}`)
	ann.expect(`{"a":"Chat","p0":"guest-2","p1":"before"}`)
	gil.expect(`{"a":"Chat","p0":"before"}`)
	gus.register("gus")
	gus.say(`{"a":"Login","p0":"gus","p1":"wrong"}`)
	gus.expect(`{"a":"Deny","p0":"Username or password incorrect"}`)
	gus.say(`{"a":"Chat","p0":"still a guest"}`)
	ann.expect(`{"a":"Chat","p0":"guest-2","p1":"still a guest"}`)
	gil.expect(`{"a":"Chat","p0":"still a guest"}`)
	gus.login("gus")
	gus.say(`{"a":"Chat","p0":"gus","p1":"a player"}`)
	ann.awaitChat("gus: a player")
	gil.expect(`{"a":"Chat","p0":"gus: a player"}`)
	ann.say(`{"a":"Chat","p0":"ann","p1":"welcome"}`)
	gus.awaitChat("ann: welcome")
	gil.expect(`{"a":"Chat","p0":"ann: welcome"}`)
	for _, h := range gus.soFar() {
		if h.action == "Chat" && h.n != 2 {
			t.Errorf("gus hears %s", h.raw)
		}
	}
}

// TestGuestLogsInPipelined sends what a guest says and its Login in one segment:
// it says the first as a guest and the rest as a player, in this order.
func TestGuestLogsInPipelined(t *testing.T) {
	t.Parallel()
	for range 5 { // where in a tick the packets come is chance
		s := startServer(t)
		ann, _ := enter(t, s, "ann")
		gus := connect(t, s)
		gus.register("gus")
		gus.mu.Lock()
		gus.name, gus.sight.loggedIn = "gus", true
		gus.mu.Unlock()
		gus.raw(texts(
			`{"a":"Chat","p0":"one"}`,
			`{"a":"Chat","p0":"two"}`,
			`{"a":"Login","p0":"gus","p1":"pw of gus"}`,
			`{"a":"Chat","p0":"gus","p1":"three"}`,
			`{"a":"Chat","p0":"gus","p1":"four"}`,
		))
		for _, want := range []string{"guest-1: one", "guest-1: two", "gus: three", "gus: four"} {
			if h := ann.await("a chat", func(h *heard) bool { return h.action == "Chat" }); h.chat() != want {
				t.Errorf("ann hears %q, want %q", h.chat(), want)
			}
		}
		gus.expect(`{"a":"Ok"}`)
		gus.ownModel()
		s.stop()
	}
}
