package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestMaxPlayers fills the server: newcomers hear 503 and when to come again.
func TestMaxPlayers(t *testing.T) {
	t.Parallel()
	testFull(t, "The server is full, try again in a moment\n", "connections", "-max-players", "3")
}

// TestMaxPerIP fills what one address may have.
func TestMaxPerIP(t *testing.T) {
	t.Parallel()
	testFull(t, "Too many connections from your address\n", "connections_of_address", "-max-per-ip", "3")
}

func testFull(t *testing.T, reason, limit string, args ...string) {
	s := startServer(t, args...)
	var peers []*peer
	for range 3 {
		peers = append(peers, connect(t, s))
	}
	// A handshake that comes to nothing takes no place.
	if status, _ := s.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("pages are for players only: %d", status)
	}
	for range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{
			"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}
		resp, err := webClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || string(body) != reason {
			t.Errorf("%d %q, Retry-After %q; want 503 %q and a time", resp.StatusCode, body, resp.Header.Get("Retry-After"), reason)
		}
	}
	s.counted(t, `limit_refused_total{limit="`+limit+`"}`, "2")
	// Each place becomes free with the end of its connection, however that comes.
	for i, p := range peers {
		goodbyes[i].end(t, p)
		until(t, "the place is free", func() bool {
			p, err := dial(t, s.addr)
			if err != nil {
				return false
			}
			peers[i] = p
			return true
		})
	}
	// And when an upgrade is refused for another reason.
	peers[0].close(websocket.StatusNormalClosure)
	for range 5 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Upgrade", "websocket")
		resp, err := webClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	until(t, "the place is free", func() bool {
		_, err := dial(t, s.addr)
		return err == nil
	})
}

// TestChatRate talks faster than -chat-rate allows.
func TestChatRate(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-chat-rate", "2", "-chat-burst", "4")
	ann, _ := enter(t, s, "ann")
	ben, _ := enter(t, s, "ben")
	for i := range 12 {
		ann.say(`{"a":"Chat","p0":"ann","p1":"%d"}`, i)
	}
	for i := range 4 {
		ben.awaitChat(fmt.Sprintf("ann: %d", i))
	}
	ann.await("a Deny", func(h *heard) bool { return h.action == "Deny" && text(h.p0) == "You are talking too fast" })
	// The others were dropped, and she was told so once. Who goes on all the same
	// is heard at the rate: here she says something in every tick of a walk.
	ann.say(`{"a":"Target","p0":2000,"p1":0}`)
	for n := 100; !heardAny(ben, "ann"); n++ {
		ann.say(`{"a":"Chat","p0":"ann","p1":"%d"}`, n)
		ann.await("a step", func(h *heard) bool { return h.action == "ModelDelta" })
	}
	for _, h := range ben.soFar()[ben.read:] {
		if n, err := strconv.Atoi(text(h.p1)); h.action == "Chat" && (err != nil || n < 100) {
			t.Errorf("ben hears %s, which was too fast", h.raw)
		}
	}
	denied := 0
	for _, h := range ann.soFar() {
		if h.action == "Deny" {
			denied++
		}
	}
	if denied != 1 {
		t.Errorf("told %d times that she talks too fast, want once", denied)
	}
	s.counted(t, `gate_denies_total{reason="talking_too_fast"}`, "1")
	if n := s.metric(t, "game_chats_too_fast_total"); n == "0" {
		t.Error("nothing is counted as too fast")
	}
}

// heardAny tells whether p has heard a chat of sender that the test has not taken.
func heardAny(p *peer, sender string) bool {
	return slices.ContainsFunc(p.soFar()[p.read:], func(h heard) bool { return h.action == "Chat" && text(h.p0) == sender })
}

// TestLimitsOff lifts what the tests above have shown.
func TestLimitsOff(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-limits", "off", "-max-per-ip", "1", "-chat-rate", "1", "-chat-burst", "1")
	ann, _ := enter(t, s, "ann")
	ben, _ := enter(t, s, "ben")
	ben.must() // ann's model
	for i := range 25 {
		ann.say(`{"a":"Chat","p0":"ann","p1":"%d"}`, i)
	}
	for i := range 25 {
		ben.expect(fmt.Sprintf(`{"a":"Chat","p0":"ann","p1":"%d"}`, i))
	}
}

// TestFlooding sends faster than a ring takes: the flooding player is closed
// with 1008, and nobody else notices.
func TestFlooding(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, _ := enter(t, s, "ann")
	ben, b := enter(t, s, "ben")
	var flood []string
	for i := range 2000 {
		flood = append(flood, fmt.Sprintf(`{"a":"Target","p0":%d,"p1":0}`, i))
	}
	_, _ = ben.tcp.Write(texts(flood...))
	if code := ben.ended(); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d, want 1008", code)
	}
	ann.awaitGone(b.ID)
	if n := s.metric(t, "gate_flooding_total"); n != "1" {
		t.Errorf("gate_flooding_total is %s, want 1", n)
	}
	s.counted(t, `gate_closes_total{reason="flooding"}`, "1")
}

// TestManyPacketsDuringLogin sends more than may wait for a login: what is too
// much is dropped and counted, what waits counts.
func TestManyPacketsDuringLogin(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-hash-memory", "65536", "-limits", "off") // some time to wait for
	ann, _ := enter(t, s, "ann")
	ben := connect(t, s)
	ben.register("ben")
	ben.mu.Lock()
	ben.name, ben.sight.loggedIn = "ben", true
	ben.mu.Unlock()
	packets := []string{`{"a":"Login","p0":"ben","p1":"pw of ben"}`}
	for i := range 30 {
		packets = append(packets, fmt.Sprintf(`{"a":"Chat","p0":"ben","p1":"%d"}`, i))
	}
	ben.raw(texts(packets...))
	for i := range maxWaiting {
		if h := ann.await("a chat", func(h *heard) bool { return h.action == "Chat" }); h.chat() != fmt.Sprintf("ben: %d", i) {
			t.Errorf("ann hears %s, want number %d", h.raw, i)
		}
	}
	if n := s.metric(t, "gate_waiting_full_total"); n == "0" {
		t.Error("gate_waiting_full_total is 0")
	}
}

// mostMalformed is the default of -malformed-per-minute.
const mostMalformed = 10

// TestMalformed sends one broken packet too many: 1008.
func TestMalformed(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := connect(t, s)
	for range mostMalformed - 1 {
		p.say(`{"a":"Chat",`)
		p.expect(`{"a":"Deny","p0":"This packet is not valid JSON"}`)
	}
	p.register("ann") // a good one in between is answered, and forgives nothing
	p.say(`nonsense`)
	if code := p.ended(); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d, want 1008", code)
	}
	s.counted(t, `gate_denies_total{reason="malformed"}`, "9")
	s.counted(t, `gate_closes_total{reason="malformed"}`, "1")
}

// TestTooBig sends messages as long as allowed, and longer: 1009.
func TestTooBig(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, _ := enter(t, s, "ann")
	for _, c := range []struct {
		name  string
		bytes []byte
		ok    bool
	}{
		{"the longest", frame(final|opText, padded(maxMessageBytes)), true},
		{"one byte more", frame(final|opText, padded(maxMessageBytes+1)), false},
		{"the length alone", frame(final|opBinary, strings.Repeat(" ", 1<<20))[:14], false},
		{"in fragments", append(frame(opText, padded(maxMessageBytes)), frame(final|opContinue, " ")...), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := enter(t, s, strings.ReplaceAll(c.name, " ", "-"))
			p.raw(c.bytes)
			if c.ok {
				ann.awaitChat(p.name + ": long")
				return
			}
			if code := p.ended(); code != websocket.StatusMessageTooBig {
				t.Errorf("closed with %d, want 1009", code)
			}
		})
	}
	s.counted(t, `ws_faults_total{rule="too_big"}`, "3")
	s.counted(t, `gate_closes_total{reason="protocol"}`, "3")
}
