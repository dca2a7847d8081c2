package codec

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// reference decodes a packet as WIRE.md says, in the plainest way, with
// encoding/json: what Decode is held against.
func reference(data []byte) (Packet, *Error) {
	switch {
	case len(data) > MaxPacketBytes:
		return Packet{}, ErrPacketTooLong
	case !utf8.Valid(data):
		return Packet{}, ErrUTF8
	case !json.Valid(data):
		return Packet{}, ErrNotJSON
	case bytes.TrimLeft(data, " \t\r\n")[0] != '{':
		return Packet{}, ErrNotObject
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		panic(err) // valid, and an object
	}
	var name *string
	if json.Unmarshal(object["a"], &name) != nil || name == nil {
		return Packet{}, ErrNoAction
	}
	p := Packet{}
	for a := Register; a <= Despawn; a++ {
		if a.String() == *name {
			p.Action = a
		}
	}
	least, most := 2, 2
	switch p.Action {
	case 0:
		return Packet{}, ErrUnknownAction
	case Chat:
		least = 1
	case Register:
		most = 3
	case Login, Target:
	default:
		return Packet{}, ErrUnexpectedAction
	}
	n := 0
	for key := range object {
		if payloadKey.MatchString(key) {
			n++
		}
	}
	var payload []json.RawMessage
	for i := range n {
		v, ok := object["p"+strconv.Itoa(i)]
		if !ok {
			return Packet{}, ErrPayloadCount
		}
		payload = append(payload, v)
	}
	if n < least || n > most {
		return Packet{}, ErrPayloadCount
	}
	p.N = uint8(n)
	switch p.Action {
	case Target:
		var err *Error
		if p.X, err = referenceFloat(payload[0]); err != nil {
			return Packet{}, err
		}
		if p.Y, err = referenceFloat(payload[1]); err != nil {
			return Packet{}, err
		}
	case Chat:
		words := make([]string, n)
		for i, v := range payload {
			if s, ok := referenceText(v); ok {
				words[i] = s
			} else if strings.IndexByte("-0123456789", v[0]) >= 0 {
				words[i] = string(v)
			} else {
				return Packet{}, ErrPayloadType
			}
		}
		said := &words[n-1]
		if len(*said) > MaxTextBytes {
			return Packet{}, ErrTooLong
		}
		*said = lineBreaks.ReplaceAllString(*said, " ")
		*said = unwanted.ReplaceAllString(*said, "")
		p.S0 = words[0]
		if n == 2 {
			p.S1 = words[1]
			if len(p.S0) > MaxNameBytes {
				p.S0 = ""
			}
		}
	default:
		var ok0, ok1 bool
		p.S0, ok0 = referenceText(payload[0])
		p.S1, ok1 = referenceText(payload[1])
		switch {
		case !ok0 || !ok1:
			return Packet{}, ErrPayloadType
		case len(p.S0) > MaxNameBytes:
			return Packet{}, ErrNameTooLong
		case len(p.S1) > MaxPasswordBytes:
			return Packet{}, ErrPasswordTooLong
		case n < 3:
			return p, nil
		}
		f, err := referenceFloat(payload[2])
		if err != nil {
			return Packet{}, err
		}
		p.Avatar = uint8(min(max(f, 0), 255))
		if float64(p.Avatar) != f || f > MaxAvatar {
			return Packet{}, ErrAvatar
		}
	}
	return p, nil
}

var (
	payloadKey = regexp.MustCompile(`^p(0|[1-9][0-9]*)$`)
	lineBreaks = regexp.MustCompile(`[\t\n\v\f\r\x{85}\x{2028}\x{2029}]`)
	unwanted   = regexp.MustCompile(`[\x{00}-\x{1f}\x{7f}-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}]`)
)

func referenceText(v json.RawMessage) (string, bool) {
	var s *string
	if json.Unmarshal(v, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

func referenceFloat(v json.RawMessage) (float64, *Error) {
	if strings.IndexByte("-0123456789", v[0]) < 0 {
		return 0, ErrPayloadType
	}
	var f float64
	if json.Unmarshal(v, &f) != nil {
		return 0, ErrNumber
	}
	return f, nil
}

func FuzzDecode(f *testing.F) {
	for _, file := range golden(f) {
		for _, c := range file.Cases {
			// The fuzzer spends a minute on making each long input shorter.
			if data := c.data(f); len(data) < 500 {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sent := bytes.Clone(data)
		p, err := Decode(data)
		if !bytes.Equal(data, sent) {
			t.Fatalf("changed its input to %q", data)
		}
		if err == ErrTooDeep {
			if opened := bytes.Count(data, []byte("{")) + bytes.Count(data, []byte("[")); opened <= MaxDepth {
				t.Fatalf("too deep with %d brackets", opened)
			}
			return
		}
		want, wantErr := reference(data)
		if got, _ := err.(*Error); got != wantErr || p != want {
			t.Fatalf("%q\ngot  %+v, %v\nwant %+v, %v", data, p, err, want, wantErr)
		}
		if err != nil {
			return
		}
		clear(data)
		if p != want {
			t.Fatalf("changed with its input to %+v", p)
		}
		checkRoundTrip(t, p)
	})
}

// checkRoundTrip sends what was decoded out again and back in.
func checkRoundTrip(t *testing.T, p Packet) {
	t.Helper()
	if len(p.S0) > MaxTextBytes || len(p.S1) > MaxTextBytes || !utf8.ValidString(p.S0) || !utf8.ValidString(p.S1) {
		t.Fatalf("%+v: strings beyond the limits", p)
	}
	var packet []byte
	switch {
	case p.Action == Chat && p.N == 1:
		packet = AppendGuestChat(nil, p.S0)
	case p.Action == Chat:
		packet = AppendChat(nil, p.S0, p.S1)
	case p.Action == Target:
		if math.IsNaN(p.X-p.X) || math.IsNaN(p.Y-p.Y) {
			t.Fatalf("%+v: not finite", p)
		}
		packet = AppendDelta(nil, 1, 2, p.X, p.Y)
		var m struct {
			P0 struct {
				E struct{ X, Y float64 } `json:"instanced_entity"`
			}
		}
		if err := json.Unmarshal(packet, &m); err != nil {
			t.Fatalf("%s: %v", packet, err)
		}
		for _, c := range []struct{ sent, got float64 }{{p.X, m.P0.E.X}, {p.Y, m.P0.E.Y}} {
			if math.Abs(c.sent) < 1e9 && math.Abs(c.sent-c.got) > 0.0050001 {
				t.Fatalf("%v became %v", c.sent, c.got)
			}
		}
		return
	default:
		return // nothing sends these back
	}
	if again, err := Decode(packet); err != nil || again != p {
		t.Fatalf("%s\ngot  %+v, %v\nwant %+v", packet, again, err, p)
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("alice", "hello", int64(1), int64(1), 0.0, 2.8, uint8(3))
	f.Add("a\"\\\x00\xff", "\u2028\n\t😀\xed\xa0\x80", int64(math.MinInt64), int64(math.MaxInt64), -0.004, math.Inf(-1), uint8(255))
	f.Add("", "", int64(0), int64(-1), math.NaN(), 1e300, uint8(0))
	f.Fuzz(func(t *testing.T, s0, s1 string, id0, id1 int64, x, y float64, avatar uint8) {
		read := func(action string, packet []byte, grows int, want goldenFields) {
			t.Helper()
			if !utf8.Valid(packet) || !json.Valid(packet) || bytes.ContainsAny(packet, "\n\t\x00") {
				t.Fatalf("%q is not one line of JSON in UTF-8", packet)
			}
			if most := 300 + 6*grows; len(packet) > most {
				t.Fatalf("%d bytes, want at most %d: %s", len(packet), most, packet)
			}
			if got, f := clientReads(t, packet); got != action || f != want {
				t.Fatalf("%s\ngot  %s %+v\nwant %s %+v", packet, got, f, action, want)
			}
		}
		w0, w1 := sanitized(s0), sanitized(s1)
		wx, wy := coordinateValue(t, x), coordinateValue(t, y)
		read("Deny", AppendDeny(nil, s0), len(s0), goldenFields{Reason: w0})
		read("Chat", AppendChat(nil, s0, s1), len(s0)+len(s1), goldenFields{Sender: w0, Text: w1})
		read("Chat", AppendGuestChat(nil, s1), len(s1), goldenFields{Text: w1})
		read("Chat", AppendGuestChatFrom(nil, s0, s1), len(s0)+len(s1), goldenFields{Text: w0 + ": " + w1})
		read("Disconnect", AppendDisconnect(nil, id0), 0, goldenFields{ID: id0})
		read("Despawn", AppendDespawn(nil, id0), 0, goldenFields{ID: id0})
		read("ModelDelta", AppendDelta(nil, id0, id1, x, y), 0, goldenFields{ID: id0, InstanceID: id1, X: wx, Y: wy})
		m := Model{ID: id0, User: id1, InstanceID: id1, EntityID: id0, X: x, Y: y, Name: s0, Avatar: avatar}
		read("ModelDelta", AppendModel(nil, m), len(s0), goldenFields{
			ID: id0, User: id1, InstanceID: id1, EntityID: id0, X: wx, Y: wy, Name: w0, Avatar: avatar,
		})
	})
}

// sanitized is s with each byte that is not UTF-8 replaced.
func sanitized(s string) string { return string([]rune(s)) }

// coordinateValue is what a client reads where v was sent.
func coordinateValue(t *testing.T, v float64) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(wantCoordinate(v), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
