package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"tavern/codec"
)

// outcome is what the sender of something hostile gets. The zero value is: nothing.
type outcome struct {
	deny  string               // a Deny with this reason, or
	ok    bool                 // an Ok, or
	code  websocket.StatusCode // a close frame with this code, or
	chat  string               // nothing, but the others hear this from it, or
	walks bool                 // a walk
}

// hostile is every hostile step of the recording, in its order, and what our rules
// make of it.
var hostile = []struct {
	step string
	outcome
}{
	{"not JSON", outcome{deny: "This packet is not valid JSON"}},
	{"JSON but not an object", outcome{deny: "This packet is not a JSON object"}},
	{"empty object", outcome{deny: "This packet names no action"}},
	{"unknown action", outcome{deny: "This action is not known"}},
	{"Chat with no payload", outcome{deny: "This action takes another number of payloads"}},
	{"Chat with 5 payloads", outcome{deny: "This action takes another number of payloads"}},
	{"client sends Ok", outcome{deny: "Only the server may send this action"}},
	{"client sends Deny", outcome{deny: "Only the server may send this action"}},
	{"bad key p", outcome{chat: "y"}},               // an unknown key: ignored
	{"unknown key named 'pos'", outcome{chat: "b"}}, // likewise
	{"invalid utf-8 in a binary frame", outcome{deny: "This packet is not valid UTF-8"}},
	{"invalid utf-8 in a text frame", outcome{code: websocket.StatusInvalidFramePayloadData}},
	{`a=""`, outcome{deny: "This action is not known"}},
	{"text frame fragmented in 2", outcome{chat: "fragmented"}}, // which is no offence
	{`from_json class name trick a="" + Packet base`, outcome{deny: "This action is not known"}},
	{"Target with strings", outcome{deny: "A payload is of the wrong type"}},
	{"Target with one number", outcome{deny: "This action takes another number of payloads"}},
	{"Target null", outcome{deny: "A payload is of the wrong type"}},
	{"Target 1e308", outcome{walks: true}}, // to the border of the world
	{"Target NaN", outcome{deny: "This packet is not valid JSON"}},
	{"client sends ModelDelta itself", outcome{deny: "Only the server may send this action"}},
	{"client sends Disconnect itself", outcome{deny: "Only the server may send this action"}},
	{"client sends Disconnect for other", outcome{deny: "Only the server may send this action"}},
	{"login numbers", outcome{deny: "A payload is of the wrong type"}},
	{"register too long name", outcome{deny: "This username is too long"}},
	{"register null name", outcome{deny: "A payload is of the wrong type"}},
	{"register avatar as text", outcome{deny: "A payload is of the wrong type"}},
	{"register avatar 99", outcome{deny: "There is no such avatar"}},
	{"register avatar as float 3.0", outcome{ok: true}},
	{"register with 3 payloads / 2 payloads wrong count", outcome{deny: "This username is already taken"}}, // by the step before
}

// startHostile starts a server with fast ticks, so that bystanders prove quickly
// that they go on.
func startHostile(t *testing.T) (*testServer, *bystanders) {
	s := startServer(t, "-tick", "10ms", "-chat-rate", "0", "-max-per-ip", "0", "-max-message", "8192")
	return s, standBy(t, s)
}

// TestHostileTranscript replays what broke the recorded server, or somebody's
// client: here the sender gets what it deserves, and all others go on.
func TestHostileTranscript(t *testing.T) {
	t.Parallel()
	lines := transcript(t, "v1.0-hostile")
	s, others := startHostile(t)
	c := connect(t, s)
	for i, name := range []string{"alice", "bob"} {
		c.say(`{"a":"Register","p0":%q,"p1":"pw%d"}`, name, i+1)
		c.expect(`{"a":"Ok"}`)
	}
	var steps []string
	for heading, chunk := range stepsIn(lines) {
		step, ok := strings.CutPrefix(heading, "HOSTILE ")
		if !ok {
			t.Fatalf("%q is no hostile step", heading)
		}
		steps = append(steps, step)
		i := slices.IndexFunc(hostile, func(h struct {
			step string
			outcome
		}) bool {
			return h.step == step
		})
		if i < 0 {
			t.Errorf("the table does not say what is to come of %q", step)
			continue
		}
		replayHostile(t, s, step, chunk, hostile[i].outcome)
		others.goOn(step)
	}
	if len(steps) != len(hostile) {
		t.Errorf("the recording has %d hostile steps, the table %d", len(steps), len(hostile))
	}
}

// replayHostile does one step: B and perhaps A log in, A offends, B watches and D
// looks whether the server is still there.
func replayHostile(t *testing.T, s *testServer, step string, chunk []recorded, want outcome) {
	t.Helper()
	peers := make(map[string]*peer)
	in := false
	for _, line := range chunk {
		p := peers[line.Who]
		switch {
		case !line.sent():
		case line.Ev == "http_request":
			p = connect(t, s)
			p.name = line.Who
			peers[line.Who] = p
		case line.Who == "A" && !strings.Contains(line.Payload, `"alice","p1":"pw1"`):
			payload := line.Payload
			if line.PayloadHex != "" {
				raw, err := hex.DecodeString(line.PayloadHex)
				if err != nil {
					t.Fatal(err)
				}
				payload = string(raw)
			}
			first := line.Opcode
			if line.Fin {
				first |= final
			}
			p.raw(frame(first, payload))
		case line.Who == "D":
			p.send(websocket.MessageType(line.Opcode), line.Payload)
			p.expect(`{"a":"Deny","p0":"Username or password incorrect"}`)
		default:
			in = in || line.Who == "A"
			p.mu.Lock()
			p.sight.loggedIn = true
			p.mu.Unlock()
			p.send(websocket.MessageType(line.Opcode), line.Payload)
			p.expect(`{"a":"Ok"}`)
		}
	}
	a, b := peers["A"], peers["B"]
	judge(t, step, a, in, want)
	if want.chat != "" {
		b.awaitChat("alice: " + want.chat)
	}
	if want.code == 0 {
		id := a.ownID()
		a.close(websocket.StatusNormalClosure)
		if in {
			b.awaitGone(id)
		}
	}
	b.close(websocket.StatusNormalClosure)
}

// judge checks what came of a hostile packet to its sender, who is logged in or
// not. Of the world it may hear in any case.
func judge(t *testing.T, what string, p *peer, in bool, want outcome) {
	t.Helper()
	if want.code != 0 {
		if code := p.ended(); code != want.code {
			t.Errorf("%s: closed with %d, want %d", what, code, want.code)
		}
		return
	}
	answer := func(h *heard) bool { return h.action == "Deny" || h.action == "Ok" }
	switch {
	case want.deny != "":
		if h := p.await("a Deny", answer); h.action != "Deny" || text(h.p0) != want.deny {
			t.Errorf("%s: heard %s, want a Deny: %s", what, h.raw, want.deny)
		}
	case want.ok:
		if h := p.await("an Ok", answer); h.action != "Ok" {
			t.Errorf("%s: heard %s, want an Ok", what, h.raw)
		}
	case want.walks:
		p.await("a step", func(h *heard) bool { m, ok := h.model(); return ok && !m.full() && m.ID == p.ownID() })
	}
	p.ping() // it may stay
	if in {
		return
	}
	for _, h := range p.soFar()[p.read:] {
		t.Errorf("%s: heard %s too", what, h.raw)
	}
}

// TestHostileFrames sends what breaks RFC 6455.
func TestHostileFrames(t *testing.T) {
	t.Parallel()
	s, others := startHostile(t)
	unmasked := append([]byte{final | opText, 5}, "hello"...)
	for _, c := range []struct {
		name  string
		bytes []byte
		code  websocket.StatusCode
	}{
		{"no mask", unmasked, websocket.StatusProtocolError},
		{"a reserved bit", frame(final|0x40|opText, "{}"), websocket.StatusProtocolError},
		{"a reserved opcode", frame(final|0x3, "{}"), websocket.StatusProtocolError},
		{"a reserved control opcode", frame(final|0xb, ""), websocket.StatusProtocolError},
		{"a ping in fragments", frame(opPing, "hey"), websocket.StatusProtocolError},
		{"a long ping", frame(final|opPing, strings.Repeat("x", 126)), websocket.StatusProtocolError},
		{"a continuation of nothing", frame(final|opContinue, "{}"), websocket.StatusProtocolError},
		{"a message inside a message", append(frame(opText, "{"), frame(final|opText, "{}")...), websocket.StatusProtocolError},
		{"a close frame of one byte", frame(final|opClose, "x"), websocket.StatusProtocolError},
		{"a close code that must not be sent", closing(1006), websocket.StatusProtocolError},
		{"a close reason that is no text", frame(final|opClose, "\x03\xe8\xff"), websocket.StatusInvalidFramePayloadData},
		{"text that is none, in fragments", append(frame(opText, "\xe2\x82"), frame(final|opContinue, "{")...), websocket.StatusInvalidFramePayloadData},
		{"text that ends too early", frame(final|opText, "\xe2\x82"), websocket.StatusInvalidFramePayloadData},
		{"an endless frame", []byte{final | opBinary, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, websocket.StatusMessageTooBig},
		{"a length with the highest bit", []byte{final | opBinary, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, websocket.StatusProtocolError},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connect(t, s)
			p.raw(c.bytes)
			if code := p.ended(); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
			others.goOn(c.name)
		})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		p := connect(t, s)
		garbage := make([]byte, 1+random.IntN(3000))
		for i := range garbage {
			garbage[i] = byte(random.Uint32())
		}
		_, _ = p.tcp.Write(garbage)
		_ = p.tcp.CloseWrite()
		p.ended()
		if i%8 == 0 {
			others.goOn("garbage")
		}
	}
}

// TestHostilePackets sends every malformed packet that the codec's tests know of,
// what their fuzzer has found, and many more that are made of them.
func TestHostilePackets(t *testing.T) {
	t.Parallel()
	s, others := startHostile(t)
	offender := connect(t, s)
	offender.register("offender")
	offender.close(websocket.StatusNormalClosure)

	packets := goldenPackets(t)
	if len(packets) < 100 {
		t.Fatalf("only %d packets in the golden files", len(packets))
	}
	packets = append(packets, corpus(t, filepath.Join("..", "codec"))...)
	random := rand.New(rand.NewPCG(3, 4))
	for _, p := range packets {
		for range 3 {
			packets = append(packets, mutate(random, p))
		}
	}
	// Not more at a time than one connection may send.
	for batch := range slices.Chunk(slices.DeleteFunc(packets, func(p string) bool { return refusal(p) == nil }), mostMalformed-1) {
		p := connect(t, s)
		p.login("offender")
		sent := batch[:0:0]
		for _, packet := range batch {
			why := refusal(packet)
			if why == codec.ErrPacketTooLong {
				other := connect(t, s)
				other.raw(frame(final|opBinary, packet))
				judge(t, "a packet too long", other, false, outcome{code: websocket.StatusMessageTooBig})
				continue
			}
			p.raw(frame(final|opBinary, packet))
			sent = append(sent, packet)
		}
		for _, packet := range sent {
			judge(t, fmt.Sprintf("%q", packet), p, true, outcome{deny: refusal(packet).Reason})
		}
		p.close(websocket.StatusNormalClosure)
		others.goOn(fmt.Sprintf("%q", batch))
	}
}

// TestHostileCorpus sends what the fuzzer of the frames has found.
func TestHostileCorpus(t *testing.T) {
	t.Parallel()
	s, others := startHostile(t)
	for i, bytes := range append(corpus(t, "ws"), string(frame(final|0x70|opText, "{}"))) {
		p := connect(t, s)
		_, _ = p.tcp.Write([]byte(bytes))
		_ = p.tcp.CloseWrite()
		p.ended()
		others.goOn(fmt.Sprintf("input %d of the corpus", i))
	}
}
