package codec

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestAppendEscaped(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "hello", "hello"},
		{"quote and backslash", `a"b\c/`, `a\"b\\c/`},
		{"newline and tab", "a\nb\tc", `a\nb\tc`},
		{"other controls", "\x00\r\x1f", `\u0000\u000d\u001f`},
		{"raw unicode", "é€😀\u2028\u007f\u0080", "é€😀\u2028\u007f\u0080"},
		{"markup", "<b>&'", "<b>&'"},
		{"broken bytes one by one", "a\xff\xfeb", "a\ufffd\ufffdb"},
		{"cut character", "a\xe2\x82", "a\ufffd\ufffd"},
		{"surrogate bytes", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"real replacement character", "\ufffd", "\ufffd"},
		{"broken beside escaped", "\"\xff\"", "\\\"\ufffd\\\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(appendEscaped([]byte("x"), tt.in)); got != "x"+tt.want {
				t.Errorf("got %q, want %q", got, "x"+tt.want)
			}
		})
	}
}

// appends has every Append function with arguments that need work.
var appends = map[string]func(dst []byte) []byte{
	"Ok":            AppendOk,
	"Deny":          func(dst []byte) []byte { return AppendDeny(dst, "This username is already taken") },
	"Chat":          func(dst []byte) []byte { return AppendChat(dst, "alice", "hello \"there\" é\xff😀\n") },
	"GuestChat":     func(dst []byte) []byte { return AppendGuestChat(dst, "hello") },
	"GuestChatFrom": func(dst []byte) []byte { return AppendGuestChatFrom(dst, "alice", "hello") },
	"Delta":         func(dst []byte) []byte { return AppendDelta(dst, 123456, 123457, -1027.6543, 33.35) },
	"Disconnect":    func(dst []byte) []byte { return AppendDisconnect(dst, 123456) },
	"Despawn":       func(dst []byte) []byte { return AppendDespawn(dst, 123456) },
	"TextFrame":     func(dst []byte) []byte { return AppendTextFrame(dst, []byte(`{"a":"Ok"}`)) },
	"Model": func(dst []byte) []byte {
		return AppendModel(dst, Model{ID: 1, User: 2, InstanceID: 3, EntityID: 4, X: 1.5, Y: -2.25, Name: "alice", Avatar: 3})
	},
}

func TestAppendAllocations(t *testing.T) {
	buf := make([]byte, 0, 1024)
	for name, f := range appends {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(100, func() { buf = f(buf[:0]) }); got != 0 {
				t.Errorf("got %v allocations, want none", got)
			}
		})
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	for name, f := range appends {
		t.Run(name, func(t *testing.T) {
			if got, want := f([]byte("before")), append([]byte("before"), f(nil)...); !bytes.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAppendTextFrame(t *testing.T) {
	tests := []struct {
		name   string
		length int
		header []byte
	}{
		{"empty", 0, []byte{0x81, 0}},
		{"one byte", 1, []byte{0x81, 1}},
		{"longest with 7 bits", 125, []byte{0x81, 125}},
		{"shortest with 16 bits", 126, []byte{0x81, 126, 0, 126}},
		{"16 bits", 256, []byte{0x81, 126, 1, 0}},
		{"longest with 16 bits", 65535, []byte{0x81, 126, 0xff, 0xff}},
		{"shortest with 64 bits", 65536, binary.BigEndian.AppendUint64([]byte{0x81, 127}, 65536)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet := []byte(strings.Repeat("x", tt.length))
			got := AppendTextFrame([]byte("before"), packet)
			want := append(append([]byte("before"), tt.header...), packet...)
			if !bytes.Equal(got, want) {
				t.Errorf("got %d bytes beginning %x, want %d beginning %x", len(got), got[:min(len(got), 20)], len(want), want[:min(len(want), 20)])
			}
		})
	}
}
