package codec

import (
	"errors"
	"strings"
	"testing"
)

func TestDecodeCopies(t *testing.T) {
	tests := map[string]string{
		"guest chat":     `{"a":"Chat","p0":"hello"}`,
		"chat":           `{"a":"Chat","p0":"alice","p1":"hello"}`,
		"escaped chat":   `{"a":"Chat","p0":"al\u0069ce","p1":"h\u00e9llo"}`,
		"number as text": `{"a":"Chat","p0":12345}`,
		"login":          `{"a":"Login","p0":"alice","p1":"secret"}`,
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			data := []byte(raw)
			p, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			before0, before1 := strings.Clone(p.S0), strings.Clone(p.S1)
			clear(data)
			if p.S0 != before0 || p.S1 != before1 {
				t.Errorf("strings changed with the data to %q, %q", p.S0, p.S1)
			}
		})
	}
}

func TestDecodeAllocations(t *testing.T) {
	tests := []struct {
		name, raw string
		most      float64
	}{
		{"chat", `{"a":"Chat","p0":"alice","p1":"hello there"}`, 1},
		{"guest chat", `{"a":"Chat","p0":"hello there"}`, 1},
		{"escaped chat", `{"a":"Chat","p0":"al\u0069ce","p1":"\ud83d\ude00\n"}`, 1},
		{"long chat", `{"a":"Chat","p0":"alice","p1":"` + strings.Repeat("é", MaxTextBytes/2) + `"}`, 1},
		{"chat of a number", `{"a":"Chat","p0":"alice","p1":12345}`, 1},
		{"sender left out", `{"a":"Chat","p0":"` + strings.Repeat("x", 500) + `","p1":"hi"}`, 1},
		{"empty chat", `{"a":"Chat","p0":""}`, 0},
		{"login", `{"a":"Login","p0":"alice","p1":"secret"}`, 1},
		{"register", `{"a":"Register","p0":"alice","p1":"secret","p2":5}`, 1},
		{"target", `{"a":"Target","p0":-1203.1415926535897,"p1":60}`, 0},
		{"unknown keys", `{"x":{"y":[1,{"z":"\u0041"}]},"a":"Target","p0":1,"p1":2}`, 0},
		{"not JSON", `{"a":"Chat","p0":"hello}`, 0},
		{"wrong count", `{"a":"Chat"}`, 0},
		{"escaped action", `{"a":"Tar\u0067et","p0":1,"p1":2}`, 0},
		{"unknown action", `{"a":"A\u0041AAAAAAAAAAAAAA","p0":1,"p1":2}`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := []byte(tt.raw)
			if got := testing.AllocsPerRun(100, func() { _, _ = Decode(data) }); got > tt.most {
				t.Errorf("got %v allocations, want at most %v", got, tt.most)
			}
		})
	}
}

// A packet that is wrong in several ways gets the error that stands first in
// the list of packet.go.
func TestDecodeFirstError(t *testing.T) {
	tests := []struct {
		name, raw string
		want      *Error
	}{
		{"too long and not UTF-8", strings.Repeat("\xff", MaxPacketBytes+1), ErrPacketTooLong},
		{"not UTF-8 and not JSON", "hello\xff", ErrUTF8},
		{"too deep and not JSON", strings.Repeat("[", MaxDepth+1), ErrTooDeep},
		{"not JSON and no action", `{"a":1`, ErrNotJSON},
		{"not JSON and not an object", `[1`, ErrNotJSON},
		{"no action and too many payloads", `{"p9":1}`, ErrNoAction},
		{"unknown action and too many payloads", `{"a":"Foo","p9":1}`, ErrUnknownAction},
		{"server's action and too many payloads", `{"a":"Ok","p9":1}`, ErrUnexpectedAction},
		{"count and type", `{"a":"Target","p0":"x"}`, ErrPayloadCount},
		{"type and number", `{"a":"Target","p0":"x","p1":1e999}`, ErrPayloadType},
		{"number and type", `{"a":"Target","p0":1e999,"p1":"x"}`, ErrNumber},
		{"type and length", `{"a":"Login","p0":"` + strings.Repeat("x", 500) + `","p1":1}`, ErrPayloadType},
		{"name and password", `{"a":"Login","p0":"` + strings.Repeat("x", 500) + `","p1":"` + strings.Repeat("x", 500) + `"}`, ErrNameTooLong},
		{"name and avatar", `{"a":"Register","p0":"` + strings.Repeat("x", 500) + `","p1":"","p2":9}`, ErrNameTooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p, err := Decode([]byte(tt.raw)); !errors.Is(err, tt.want) || p != (Packet{}) {
				t.Errorf("got %+v, %v; want %v", p, err, tt.want)
			}
		})
	}
}

// Long runs of text are scanned eight bytes at a time: every byte must be seen
// for what it is wherever it stands.
func TestDecodeEveryByteEverywhere(t *testing.T) {
	for place := range 20 {
		for c := range 256 {
			text := []byte(`{"a":"Chat","p0":"--------------------"}`)
			text[len(`{"a":"Chat","p0":"`)+place] = byte(c)
			got, err := Decode(text)
			want, wantErr := reference(text)
			if e, _ := err.(*Error); e != wantErr || got != want {
				t.Errorf("%q: got %+v, %v; want %+v, %v", text, got, err, want, wantErr)
			}
		}
	}
}

// MaxPacketBytes must leave room for the largest packet that keeps the other
// limits, however it is written.
func TestLargestPacketsFit(t *testing.T) {
	u := func(n int) string { return strings.Repeat(`\u0041`, n) }
	tests := map[string]string{
		"chat":     `{"a":"Chat","p0":"` + u(MaxNameBytes) + `","p1":"` + u(MaxTextBytes) + `"}`,
		"register": `{"a":"Register","p0":"` + u(MaxNameBytes) + `","p1":"` + u(MaxPasswordBytes) + `","p2":5}`,
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode([]byte(raw)); err != nil {
				t.Errorf("%d bytes: %v", len(raw), err)
			}
		})
	}
}

func TestActionNames(t *testing.T) {
	for a := Register; a <= Despawn; a++ {
		if got := actionNamed([]byte(a.String())); got != a {
			t.Errorf("action %d is called %q, which names %d", a, a, got)
		}
	}
	for a, want := range map[Action]string{0: "Action(0)", Despawn + 1: "Action(10)", 255: "Action(255)"} {
		if got := a.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Labels name metrics and reasons stand in a Deny.
func TestErrors(t *testing.T) {
	labels := map[string]bool{}
	for _, e := range allErrors {
		if e.Label == "" || strings.Trim(e.Label, "abcdefghijklmnopqrstuvwxyz_0123456789") != "" || labels[e.Label] {
			t.Errorf("label %q is not fit for a metric or comes twice", e.Label)
		}
		labels[e.Label] = true
		if len(e.Reason) < 10 || strings.HasSuffix(e.Reason, ".") {
			t.Errorf("%v: reason %q is no sentence in the protocol's style", e, e.Reason)
		}
	}
}
