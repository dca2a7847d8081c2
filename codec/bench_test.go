package codec

import (
	"strings"
	"testing"
)

func BenchmarkDecode(b *testing.B) {
	tests := []struct{ name, raw string }{
		{"Register", `{"a":"Register","p0":"alice","p1":"correct horse","p2":3}`},
		{"Login", `{"a":"Login","p0":"alice","p1":"correct horse"}`},
		{"Chat", `{"a":"Chat","p0":"alice","p1":"hello, is anybody here?"}`},
		{"Chat/guest", `{"a":"Chat","p0":"hello, is anybody here?"}`},
		{"Chat/escaped", `{"a":"Chat","p0":"alice","p1":"h\u00e9 \"q\" <\/b> \u20ac \ud83d\ude00 \\ [b]x[/b]"}`},
		{"Chat/unicode", `{"a":"Chat","p0":"Ælfgifu","p1":"Привет, кто-нибудь здесь? 😀"}`},
		{"Chat/longest", `{"a":"Chat","p0":"alice","p1":"` + strings.Repeat("lorem ip", MaxTextBytes/8) + `"}`},
		{"Chat/longest-unicode", `{"a":"Chat","p0":"alice","p1":"` + strings.Repeat("длинный ", MaxTextBytes/15) + `"}`},
		{"Target", `{"a":"Target","p0":120,"p1":60}`},
		{"Target/floats", `{"a":"Target","p0":-1203.1415926535897,"p1":60.27182818284590}`},
		{"NotJSON", `{"a":"Chat","p0":"hello, is anybody here?}`},
	}
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			data := []byte(tt.raw)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Decode(data)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, 4096)
	model := Model{ID: 123456, User: 123456, InstanceID: 123456, EntityID: 123456, X: -1027.65, Y: 33.4, Name: "alice", Avatar: 3}
	long := strings.Repeat("lorem ip", MaxTextBytes/8)
	packet := AppendDelta(nil, 123456, 123456, -1027.65, 33.4)
	tests := []struct {
		name string
		f    func(dst []byte) []byte
	}{
		{"Ok", AppendOk},
		{"Deny", func(dst []byte) []byte { return AppendDeny(dst, "Username or password incorrect") }},
		{"Chat", func(dst []byte) []byte { return AppendChat(dst, "alice", "hello, is anybody here?") }},
		{"Chat/escaped", func(dst []byte) []byte { return AppendChat(dst, "alice", "hé \"q\" </b> € 😀 \\ [b]x[/b]") }},
		{"Chat/longest", func(dst []byte) []byte { return AppendChat(dst, "alice", long) }},
		{"GuestChat", func(dst []byte) []byte { return AppendGuestChat(dst, "hello, is anybody here?") }},
		{"GuestChatFrom", func(dst []byte) []byte { return AppendGuestChatFrom(dst, "alice", "hello, is anybody here?") }},
		{"Model", func(dst []byte) []byte { return AppendModel(dst, model) }},
		{"Delta", func(dst []byte) []byte { return AppendDelta(dst, 123456, 123456, -1027.654321, 33.4) }},
		{"Disconnect", func(dst []byte) []byte { return AppendDisconnect(dst, 123456) }},
		{"Despawn", func(dst []byte) []byte { return AppendDespawn(dst, 123456) }},
		{"TextFrame", func(dst []byte) []byte { return AppendTextFrame(dst, packet) }},
	}
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = tt.f(buf[:0])
			}
		})
	}
}
