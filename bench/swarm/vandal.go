package swarm

import (
	"bytes"
	"encoding/binary"
	"strings"

	"tavern/codec"
)

// rubbish is something that a server must answer with a Deny, or end the connection for.
type rubbish struct {
	kind   string
	want   string // the reason of a Deny, or how the connection ends
	frames func() []byte
}

const (
	protocol = "1002"
	invalid  = "1007"
	policy   = "1008"
	tooBig   = "1009"
	noHTTP   = "refused 400"

	flood = "flood"
)

// FloodFrames are the packets of a flood: more than a server takes within a few ticks.
const FloodFrames = 400

// rubbishes are all kinds, in turns. What is wrong with a packet gets a Deny, what is
// wrong with a frame ends the connection.
var rubbishes = [...]rubbish{
	{"no JSON", codec.ErrNotJSON.Reason, packet(`{"a":"Chat","p0":`)},
	{"no object", codec.ErrNotObject.Reason, packet(`["Chat","hello"]`)},
	{"no action", codec.ErrNoAction.Reason, packet(`{"p0":"hello"}`)},
	{"unknown action", codec.ErrUnknownAction.Reason, packet(`{"a":"Foo"}`)},
	{"the server's action", codec.ErrUnexpectedAction.Reason, packet(`{"a":"ModelDelta","p0":{"id":1}}`)},
	{"payload missing", codec.ErrPayloadCount.Reason, packet(`{"a":"Chat"}`)},
	{"payload of another type", codec.ErrPayloadType.Reason, packet(`{"a":"Target","p0":"here","p1":[1]}`)},
	{"number out of range", codec.ErrNumber.Reason, packet(`{"a":"Target","p0":1e999,"p1":1}`)},
	{"nested too deeply", codec.ErrTooDeep.Reason, packet(strings.Repeat(`{"a":`, 200))},
	{"text too long", codec.ErrTooLong.Reason, packet(`{"a":"Chat","p0":"` + strings.Repeat("x", 2000) + `"}`)},
	{"no UTF-8 in a binary frame", codec.ErrUTF8.Reason, frame(opBinary, "{\"a\":\"Chat\",\"p0\":\"\xff\"}")},
	{"no UTF-8 in a text frame", invalid, frame(opText, "{\"a\":\"Chat\",\"p0\":\"\xff\"}")},
	{"half a rune in fragments", invalid, func() []byte {
		first := appendFrame(nil, opText, []byte("\xe2\x82"))
		first[0] = opText
		return append(first, appendFrame(nil, opMore, []byte("x"))...)
	}},
	{"message too big", tooBig, frame(opText, strings.Repeat("x", 20000))},
	{"message too big in fragments", tooBig, func() (b []byte) {
		for i := range 10 {
			at := len(b)
			b = appendFrame(b, opMore, bytes.Repeat([]byte("x"), 1000))
			b[at] = opMore
			if i == 0 {
				b[at] = opText
			}
		}
		return b
	}},
	{"a gigabyte announced", tooBig, func() []byte {
		return append(binary.BigEndian.AppendUint64([]byte{finText, masked | 127}, 1<<30), 1, 2, 3, 4)
	}},
	{"not masked", protocol, raw(finText, 2, '{', '}')},
	{"reserved bit", protocol, first(0x40|finText, opText)},
	{"unknown opcode", protocol, first(fin|0x3, opText)},
	{"unknown control opcode", protocol, first(fin|0xb, opText)},
	{"ping in fragments", protocol, first(opPing, opText)},
	{"ping too long", protocol, frame(opPing, strings.Repeat("x", 126))},
	{"continuation of nothing", protocol, frame(opMore, "x")},
	{"message inside a message", protocol, func() []byte {
		b := appendFrame(nil, opText, []byte("x"))
		b[0] = opText
		return append(b, appendFrame(nil, opText, []byte("x"))...)
	}},
	{"length in too many bytes", protocol, raw(finText, masked|126, 0, 1, 1, 2, 3, 4, 'x')},
	{"half a close code", protocol, frame(opClose, "\x03")},
	{"close code that must not be sent", protocol, frame(opClose, "\x03\xed")},
	{"packet after packet", policy, packet(`{"a":`)}, // and again, until it is thrown out
	{flood, policy, func() []byte {
		one := appendFrame(nil, opText, appendTarget(nil, 1, 1))
		return bytes.Repeat(one, FloodFrames)
	}},
	{"no HTTP", noHTTP, nil},
}

func raw(b ...byte) func() []byte { return func() []byte { return b } }

func frame(opcode byte, payload string) func() []byte {
	return func() []byte { return appendFrame(nil, opcode, []byte(payload)) }
}

func packet(text string) func() []byte { return frame(opText, text) }

// first is a short frame with another first byte.
func first(b, opcode byte) func() []byte {
	return func() []byte {
		f := appendFrame(nil, opcode, []byte("x"))
		f[0] = b
		return f
	}
}

// vandal is the bot of one who sends a piece of rubbish and checks the answer.
type vandal struct {
	call
	rubbish *rubbish
	answer  string // the Deny's reason
	sent    uint64 // malformed packets that were not answered yet
}

func newVandal(t *churnTask, number int) *vandal {
	return &vandal{call: call{task: t}, rubbish: &rubbishes[number/t.e.cfg.Workers%len(rubbishes)]}
}

func (v *vandal) request(e *Engine) ([]byte, int) {
	if v.rubbish.frames == nil { // what a TLS client says first
		return []byte("\x16\x03\x01\x00\x05hello\r\n\r\n"), 0
	}
	return v.call.request(e)
}

func (v *vandal) opened(e *Engine, c *conn) {
	v.call.opened(e, c)
	v.send(e)
}

func (v *vandal) send(e *Engine) {
	if v.malforms() {
		v.sent++
	}
	e.send(v.conn, v.rubbish.frames())
}

// malforms tells whether what it sends is counted as malformed packets.
func (v *vandal) malforms() bool {
	switch v.rubbish.want {
	case protocol, invalid, tooBig, noHTTP:
		return false
	}
	return v.rubbish.kind != flood
}

func (v *vandal) packet(e *Engine, c *conn, payload []byte) {
	if actionOf(payload) != actDeny || !v.malforms() || v.left {
		return
	}
	v.task.result.Sent.Malformed.Sure += v.sent
	v.sent = 0
	if v.rubbish.want == policy {
		v.send(e)
		return
	}
	v.answer, v.left = reasonOf(payload), true
	e.leave(c)
}

// leave is called when no answer has come.
func (v *vandal) leave(e *Engine) { e.abort(v.conn) }

func (v *vandal) gone(_ *Engine, _ *conn, reason string) {
	r := v.task.result
	kind := v.rubbish.kind
	if v.rubbish.want == noHTTP {
		v.away = true
		r.expect(r.Garbage, kind, reason, noHTTP)
		return
	}
	if !v.ended(reason) {
		return
	}
	want := v.rubbish.want
	if v.answer != "" && reason == "1000" { // to our goodbye
		reason = v.answer
	}
	r.expect(r.Garbage, kind, reason, want)
	t, n := &r.Sent.Faults, uint64(1)
	switch {
	case v.malforms():
		t, n = &r.Sent.Malformed, v.sent
	case kind == flood:
		t = &r.Sent.Floods
	}
	if reason == want {
		t.Sure += n
	} else {
		t.Perhaps += n
	}
}
