package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestChatCommands has a moderator and a player talk to the server from ordinary
// clients.
func TestChatCommands(t *testing.T) {
	t.Parallel()
	s := startOffice(t)
	ann, _ := enter(t, s.testServer, "ann")
	red, r := enter(t, s.testServer, "Red Baron")
	s.api("moderators", `{"name":"ann","moderator":true}`)
	ann.awaitChat("[Server]: You are a moderator now. /help tells what you can do")

	red.say(`{"a":"Chat","p0":"x","p1":"/help"}`)
	red.awaitChat("[Server]: /help - this list")
	red.say(`{"a":"Chat","p0":"x","p1":"/kick ann"}`)
	red.awaitChat("[Server]: Only moderators can do that")
	red.say(`{"a":"Chat","p0":"x","p1":"/nonsense"}`)
	red.awaitChat("[Server]: There is no command /nonsense: /help lists them")

	guest := connect(t, s.testServer)
	guest.say(`{"a":"Chat","p0":"/who"}`)
	guest.await("the names", func(h *heard) bool { return text(h.p0) == "[Server]: 2 players: ann, Red Baron; 1 guest" })

	ann.say(`{"a":"Chat","p0":"ann","p1":"/mute \"red baron\" 5 too loud"}`)
	ann.awaitChat("[Server]: Red Baron is muted for 5 minutes")
	red.awaitChat("[Server]: You are muted for 5 minutes: too loud")
	red.say(`{"a":"Chat","p0":"x","p1":"can you hear me?"}`)
	red.await("a Deny", func(h *heard) bool {
		return h.action == "Deny" && strings.HasPrefix(text(h.p0), "You are muted for another ")
	})
	ann.say(`{"a":"Chat","p0":"ann","p1":"/announce last round"}`)
	red.awaitChat("[Server]: last round")
	ann.say(`{"a":"Chat","p0":"ann","p1":"/kick “Red Baron” good night"}`)
	red.expectExpelled("You were kicked: good night")
	ann.awaitGone(r.ID)
	ann.say(`{"a":"Chat","p0":"ann","p1":"/kick guest-1"}`)
	if code, reason := guest.closedBy(); code != websocket.StatusPolicyViolation || reason != "You were kicked" {
		t.Errorf("the guest is closed with %d %q", code, reason)
	}
	for _, h := range ann.soFar() {
		if h.action == "Chat" && text(h.p0) != "[Server]" {
			t.Errorf("ann hears %s", h.raw)
		}
	}
	again := connect(t, s.testServer)
	again.login("Red Baron") // a kick is no ban
}

// TestBannedAccount: who is inside is closed, who comes hears why after the right
// password only, and the connection is as good as before.
func TestBannedAccount(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "tavern.db")
	s := startOffice(t, "-db", db)
	ann, _ := enter(t, s.testServer, "ann")
	bob, b := enter(t, s.testServer, "bob")
	s.api("ban", `{"name":"BOB","reason":"selling gold"}`)
	bob.expectExpelled("You are banned for good: selling gold")
	ann.awaitGone(b.ID)

	p := connect(t, s.testServer)
	p.say(`{"a":"Login","p0":"bob","p1":"wrong"}`)
	p.expectDenied("Username or password incorrect")
	p.say(`{"a":"Login","p0":"bob","p1":"pw of bob"}`)
	p.expectDenied("You are banned for good: selling gold")
	p.register("eve")
	p.login("eve")
	if n := s.metric(t, `gate_denies_total{reason="banned"}`); n != "1" {
		t.Errorf("%s Denies of the banned are counted, want 1", n)
	}
	s.stop()

	s = startOffice(t, "-db", db)
	p = connect(t, s.testServer)
	p.say(`{"a":"Login","p0":"bob","p1":"pw of bob"}`)
	p.expectDenied("You are banned for good: selling gold")
	s.api("unban", `{"name":"bob"}`)
	p.login("bob")
}

// TestBannedAddress: nobody gets in from there, neither by WebSocket nor to the
// page, but machines may still ask how the server is.
func TestBannedAddress(t *testing.T) {
	t.Parallel()
	s := startOffice(t)
	ann, _ := enter(t, s.testServer, "ann") // from 127.0.0.1
	from := clientFrom("127.0.0.9")
	dialFrom := func() (*websocket.Conn, *http.Response, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		return websocket.Dial(ctx, "ws://"+s.addr+"/", &websocket.DialOptions{HTTPClient: from})
	}
	inside, _, err := dialFrom()
	if err != nil {
		t.Fatal(err)
	}
	defer inside.CloseNow()
	waiting, _, err := dialFrom() // at the login screen
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.CloseNow()
	say := func(c *websocket.Conn, packet string) {
		t.Helper()
		if err := c.Write(t.Context(), websocket.MessageText, []byte(packet)); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(c *websocket.Conn) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, data, err := c.Read(ctx)
		return string(data), err
	}
	say(inside, `{"a":"Chat","p0":"hello"}`) // a guest
	ann.awaitChat("guest-1: hello")

	const why = "You are banned for good: raid"
	if done := s.api("ban", `{"address":"127.0.0.8/31","reason":"raid"}`); done != "127.0.0.8/31 is banned for good; 1 connection closed" {
		t.Errorf("done: %s", done)
	}
	for {
		if _, err = hear(inside); err != nil {
			break
		}
	}
	var end websocket.CloseError
	if !errors.As(err, &end) || end.Code != websocket.StatusPolicyViolation || end.Reason != why {
		t.Errorf("who was inside is closed with %v", err)
	}
	say(waiting, `{"a":"Register","p0":"eve","p1":"x"}`)
	if packet, err := hear(waiting); err != nil || packet != `{"a":"Deny","p0":"`+why+`"}` {
		t.Errorf("who waited hears %s, %v", packet, err)
	}
	if _, err := hear(waiting); !errors.As(err, &end) || end.Code != websocket.StatusPolicyViolation {
		t.Errorf("who waited is closed with %v", err)
	}

	_, resp, err := dialFrom()
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("a new connection: %v", err)
	}
	for path, want := range map[string]int{"/": http.StatusForbidden, "/healthz": http.StatusOK, "/readyz": http.StatusOK, "/metrics": http.StatusOK} {
		resp, err := from.Get("http://" + s.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want || want == http.StatusForbidden && strings.TrimSpace(string(body)) != why {
			t.Errorf("%s: %s %.80s", path, resp.Status, body)
		}
	}
	connect(t, s.testServer).register("ben") // from elsewhere
	s.api("unban", `{"address":"127.0.0.8/31"}`)
	c, _, err := dialFrom()
	if err != nil {
		t.Fatalf("after the ban: %v", err)
	}
	_ = c.CloseNow()
}

// TestMuteOutlastsARestart: who comes back is still muted.
func TestMuteOutlastsARestart(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "tavern.db")
	s := startOffice(t, "-db", db)
	bob, _ := enter(t, s.testServer, "bob")
	s.api("mute", `{"name":"bob","for":"1h"}`)
	bob.awaitChat("[Server]: You are muted for 1 hour")
	s.stop()
	s = startOffice(t, "-db", db)
	bob = connect(t, s.testServer)
	bob.login("bob")
	bob.say(`{"a":"Chat","p0":"bob","p1":"and now?"}`)
	bob.await("a Deny", func(h *heard) bool {
		return h.action == "Deny" && strings.HasPrefix(text(h.p0), "You are muted for another ")
	})
	if n := s.metric(t, "game_chats_muted_total"); n != "1" {
		t.Errorf("%s chats of the muted are counted, want 1", n)
	}
}

// TestMotd: everybody who logs in hears the announcement of the day once, after
// its own model.
func TestMotd(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-motd", "Quiz night\n on Friday")
	var all []*peer
	for i := range 20 {
		p := connect(t, s)
		p.register(fmt.Sprint("p", i))
		all = append(all, p)
	}
	for i, p := range all {
		p.sendLogin(fmt.Sprint("p", i))
	}
	for _, p := range all {
		p.expect(`{"a":"Ok"}`)
		p.ownModel()
		p.awaitChat("[Server]: Quiz night on Friday")
	}
	all[0].say(`{"a":"Chat","p0":"p0","p1":"hello"}`)
	for _, p := range all[1:] {
		p.awaitChat("p0: hello")
		told := 0
		for _, h := range p.soFar() {
			if strings.HasPrefix(h.chat(), "[Server]: ") {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s was told %d times", p.name, told)
		}
	}
}
