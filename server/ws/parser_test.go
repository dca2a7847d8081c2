package ws

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// streams are what clients send, well and ill; their meaning is spelt out, so
// that the reference model is judged as well.
var streams = []struct {
	name   string
	stream []byte
	want   []string
}{
	{"nothing", nil, nil},
	{"text", frame(fin|text, "hello"), []string{"message true 68656c6c6f"}},
	{"binary", frame(fin|blob, "\x00\xff"), []string{"message false 00ff"}},
	{"empty text", frame(fin|text, ""), []string{"message true "}},
	{"empty binary", frame(fin|blob, ""), []string{"message false "}},
	{"zero mask", frameKey(fin|text, "plain", [4]byte{}), []string{"message true 706c61696e"}},
	{"two messages", join(frame(fin|text, "a"), frame(fin|blob, "b")), []string{"message true 61", "message false 62"}},
	{"125 bytes", frame(fin|blob, strings.Repeat("a", 125)), []string{"message false " + strings.Repeat("61", 125)}},
	{"126 bytes", frame(fin|blob, strings.Repeat("a", 126)), []string{"message false " + strings.Repeat("61", 126)}},
	{"limit", frame(fin|blob, strings.Repeat("a", testLimit)), []string{"message false " + strings.Repeat("61", testLimit)}},
	{"over the limit", frame(fin|blob, strings.Repeat("a", testLimit+1)), []string{"fault too_big"}},

	{"ping", frame(ping, "are you there"), []string{"ping 61726520796f75207468657265"}},
	{"empty ping", frame(ping, ""), []string{"ping "}},
	{"ping of 125 bytes", frame(ping, strings.Repeat("p", 125)), []string{"ping " + strings.Repeat("70", 125)}},
	{"ping of 126 bytes", frame(ping, strings.Repeat("p", 126)), []string{"fault control_length"}},
	{"pong", frame(pong, "yes"), []string{"pong 796573"}},
	{"fragmented ping", frame(byte(opPing), "x"), []string{"fault control_fragment"}},

	{"fragments", join(frame(text, "a"), frame(more, "b"), frame(fin|more, "c")), []string{"message true 616263"}},
	{"empty fragments", join(frame(text, ""), frame(more, ""), frame(fin|more, "")), []string{"message true "}},
	{"fragments with a ping between", join(frame(blob, "a"), frame(ping, "p"), frame(fin|more, "b")),
		[]string{"ping 70", "message false 6162"}},
	{"fragments with a close between", join(frame(text, "a"), closeFrame(1000, ""), frame(fin|more, "b")),
		[]string{"close 1000 "}},
	{"fragments, then a message", join(frame(text, "a"), frame(fin|more, "b"), frame(fin|text, "c")),
		[]string{"message true 6162", "message true 63"}},
	{"fragments over the limit", join(frame(blob, strings.Repeat("a", testLimit)), frame(fin|more, "b")),
		[]string{"fault too_big"}},
	{"continuation of nothing", frame(fin|more, "a"), []string{"fault continuation"}},
	{"continuation after a whole message", join(frame(fin|text, "a"), frame(fin|more, "b")),
		[]string{"message true 61", "fault continuation"}},
	{"message inside fragments", join(frame(text, "a"), frame(fin|text, "b")), []string{"fault interleaved"}},
	{"fragment inside fragments", join(frame(text, "a"), frame(blob, "b")), []string{"fault interleaved"}},

	{"reserved bit 1", frame(0x40|fin|text, "a"), []string{"fault rsv"}},
	{"reserved bit 2", frame(0x20|fin|text, "a"), []string{"fault rsv"}},
	{"reserved bit 3", frame(0x10|fin|text, "a"), []string{"fault rsv"}},
	{"reserved bit of a ping", frame(0x40|ping, "a"), []string{"fault rsv"}},
	{"reserved bit, first byte only", []byte{0xc1}, []string{"fault rsv"}},
	{"unmasked", []byte{fin | text, 1, 'a'}, []string{"fault unmasked"}},
	{"unmasked ping", []byte{ping, 0}, []string{"fault unmasked"}},

	{"16 bits for 125 bytes", []byte{fin | blob, 0xfe, 0, 125}, []string{"fault length_encoding"}},
	{"64 bits for 65535 bytes", []byte{fin | blob, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, []string{"fault length_encoding"}},
	{"top bit of the length", []byte{fin | blob, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0}, []string{"fault length_top_bit"}},
	{"greatest length", []byte{fin | blob, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []string{"fault too_big"}},
	{"too big, header only", []byte{fin | blob, 0xfe, 0xff, 0xff}, []string{"fault too_big"}},

	{"close", frame(closing, ""), []string{"close 1005 "}},
	{"close 1000", closeFrame(1000, "bye"), []string{"close 1000 bye"}},
	{"close with half a code", frame(closing, "\x03"), []string{"fault close_length"}},
	{"close with a code for nobody", closeFrame(1005, ""), []string{"fault close_code"}},
	{"close with a bad reason", closeFrame(1000, "\xff"), []string{"fault close_utf8"}},
	{"close with half a rune", closeFrame(1000, "\xe2\x82"), []string{"fault close_utf8"}},
	{"close of 126 bytes", closeFrame(1000, strings.Repeat("r", 124)), []string{"fault control_length"}},
	{"frames behind a close", join(closeFrame(1000, ""), frame(fin|text, "a"), []byte{0xff, 0xff}), []string{"close 1000 "}},
	{"frames behind a fault", join(frame(0x40|text, "a"), frame(fin|text, "b")), []string{"fault rsv"}},

	{"text of all lengths", frame(fin|text, "aß€😀"), []string{"message true 61c39fe282acf09f9880"}},
	{"rune cut by fragments", join(frame(text, "\xf0\x9f"), frame(ping, ""), frame(fin|more, "\x98\x80")),
		[]string{"ping ", "message true f09f9880"}},
	{"half a rune at the end", frame(fin|text, "a\xe2\x82"), []string{"fault utf8"}},
	{"half a rune at the end of fragments", join(frame(text, "\xe2"), frame(fin|more, "\x82")), []string{"fault utf8"}},
	{"impossible byte in an incomplete frame", frame(fin|text, "ab\xffcdefgh")[:9], []string{"fault utf8"}},
	{"impossible byte in an open message", frame(text, "\xed\xa0"), []string{"fault utf8"}},
	{"binary is not text", frame(fin|blob, "\xed\xa0"), []string{"message false eda0"}},
	{"text, after fragments that ended badly in binary", join(frame(blob, "\xe2"), frame(fin|more, ""), frame(fin|text, "a")),
		[]string{"message false e2", "message true 61"}},
}

func init() {
	for op := byte(3); op < 16; op++ {
		if op < 8 || op > 10 {
			streams = append(streams, struct {
				name   string
				stream []byte
				want   []string
			}{fmt.Sprintf("opcode %d", op), frame(fin|op, ""), []string{"fault opcode"}})
		}
	}
}

// testLimit is the size limit for messages in streams.
const testLimit = 300

func TestStreams(t *testing.T) {
	for _, tt := range streams {
		t.Run(tt.name, func(t *testing.T) {
			if got := run([][]byte{tt.stream}, testLimit); !slices.Equal(got, tt.want) {
				t.Errorf("parser says %q, want %q", got, tt.want)
			}
			if got := reference(tt.stream, testLimit); !slices.Equal(got, tt.want) {
				t.Errorf("the reference model says %q, want %q", got, tt.want)
			}
		})
	}
}

// TestStreamsCut cuts every stream at every place, and into single bytes.
func TestStreamsCut(t *testing.T) {
	for _, tt := range streams {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.stream {
				if got := run([][]byte{tt.stream[:i], tt.stream[i:]}, testLimit); !slices.Equal(got, tt.want) {
					t.Errorf("cut at %d: parser says %q, want %q", i, got, tt.want)
				}
			}
			checkPrefixes(t, tt.stream, testLimit)
		})
	}
}

// checkPrefixes feeds single bytes and compares with the reference model after
// each: so every event comes with the byte that completes it, and a fault with
// the first impossible one.
func checkPrefixes(t *testing.T, stream []byte, limit int) {
	t.Helper()
	var p parser
	var got []string
	for i := range stream {
		got = append(got, feedOnce(&p, stream[i:i+1], limit)...)
		if want := reference(stream[:i+1], limit); !slices.Equal(got, want) {
			t.Fatalf("after byte %d of %x: parser says %q, want %q", i, stream, got, want)
		}
	}
}

// randomStream makes a stream of frames that mostly obey the rules.
func randomStream(r *rand.Rand) []byte {
	var stream []byte
	open := false
	for range r.IntN(12) {
		var first byte
		switch r.IntN(8) {
		case 0:
			first = ping
		case 1:
			first = pong
		case 2:
			first = text
		case 3:
			first = blob
		case 4:
			first = fin | blob
		default:
			first = fin | text
		}
		if open && first < ping && r.IntN(20) > 0 {
			first &= fin // a continuation
		}
		if r.IntN(30) == 0 {
			first = byte(r.Uint32())
		}
		if first&8 == 0 {
			open = first&fin == 0
		}
		var payload []byte
		for range r.IntN(4) {
			payload = append(payload, []string{"plain ascii, long enough for words", "ä", "€", "😀", "\xf4\x8f\xbf\xbf", ""}[r.IntN(6)]...)
		}
		if r.IntN(20) == 0 && len(payload) > 0 {
			payload = payload[:r.IntN(len(payload))]
		}
		if r.IntN(20) == 0 && len(payload) > 0 {
			payload[r.IntN(len(payload))] = byte(r.Uint32())
		}
		var key [4]byte
		for i := range key {
			key[i] = byte(r.Uint32())
		}
		stream = append(stream, frameKey(first, string(payload), key)...)
	}
	switch r.IntN(6) {
	case 0:
		stream = append(stream, closeFrame(uint16(990+r.IntN(40)), "€")...)
	case 1:
		if len(stream) > 0 {
			stream[r.IntN(len(stream))] ^= 1 << r.IntN(8)
		}
	case 2:
		stream = stream[:r.IntN(len(stream)+1)]
	}
	return stream
}

// cut cuts a stream into pieces of random sizes, some of them empty.
func cut(r *rand.Rand, stream []byte) (pieces [][]byte) {
	for len(stream) > 0 {
		n := min(len(stream), r.IntN(1+r.IntN(1+len(stream))))
		pieces = append(pieces, stream[:n])
		stream = stream[n:]
		if n == 0 {
			pieces = append(pieces, stream[:1])
			stream = stream[1:]
		}
	}
	return pieces
}

func TestRandomStreams(t *testing.T) {
	const limit = 100
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	kinds := make(map[string]int)
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		stream := randomStream(r)
		want := reference(stream, limit)
		if got := run([][]byte{stream}, limit); !slices.Equal(got, want) {
			t.Fatalf("seed %d, %x: parser says %q, want %q", seed, stream, got, want)
		}
		if pieces := cut(r, stream); !slices.Equal(run(pieces, limit), want) {
			t.Fatalf("seed %d, in pieces %x: parser says %q, want %q", seed, pieces, run(pieces, limit), want)
		}
		for _, w := range want {
			kind, label, _ := strings.Cut(w, " ")
			if kind == "fault" {
				kind = label
			}
			kinds[kind]++
		}
	}
	for _, kind := range []string{"message", "ping", "pong", "close", "utf8", "too_big", "rsv", "continuation", "interleaved", "close_code"} {
		if kinds[kind] == 0 {
			t.Errorf("no stream held a %s: the test is too tame", kind)
		}
	}
}

// FuzzFrame holds the parser to the reference model: for the whole stream, for
// every prefix of a short one byte by byte, for every cut in two, and for the cut
// that the fuzzer chooses, a length per byte of cuts. TestEverySplit tries all.
func FuzzFrame(f *testing.F) {
	for _, tt := range streams {
		f.Add(tt.stream, []byte{1}, uint32(testLimit))
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		stream, cuts := randomStream(r), make([]byte, r.IntN(20))
		for i := range cuts {
			cuts[i] = byte(r.IntN(1 + r.IntN(40)))
		}
		f.Add(stream, cuts, uint32(40))
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, limit uint32) {
		if len(stream) > 1000 {
			return
		}
		most := int(limit % (1 << 20)) // of 64-bit lengths too
		want := reference(stream, most)
		if got := run([][]byte{stream}, most); !slices.Equal(got, want) {
			t.Fatalf("parser says %q, want %q", got, want)
		}
		pieces, rest := [][]byte(nil), stream
		for _, n := range cuts {
			n := min(int(n), len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if got := run(append(pieces, rest), most); !slices.Equal(got, want) {
			t.Fatalf("in pieces %x: parser says %q, want %q", append(pieces, rest), got, want)
		}
		for i := range min(len(stream), 300) {
			if got := run([][]byte{stream[:i], stream[i:]}, most); !slices.Equal(got, want) {
				t.Fatalf("cut at %d: parser says %q, want %q", i, got, want)
			}
		}
		if len(stream) <= 150 { // the model is cubic here
			checkPrefixes(t, stream, most)
		}
	})
}

// TestEverySplit feeds short streams in all the ways there are to split them:
// 2^(n-1) for n bytes.
func TestEverySplit(t *testing.T) {
	longest := 14
	if testing.Short() || raceEnabled {
		longest = 11
	}
	splits := 0
	for _, whole := range [][]byte{
		frame(fin|text, "aß€"), frame(fin|text, "\xf0\x9f\x98\x80"), frame(fin|text, "a\xe2\x82"), frame(fin|text, "\xed\xa0\x80"),
		frame(fin|blob, "\xff"), frame(ping, "ping"), join(frame(text, ""), frame(fin|more, "")), join(frame(text, ""), frame(ping, "")),
		join(frame(text, "\xc3"), frame(fin|more, "\x9f")), join(frame(blob, "a"), frame(fin|blob, "")),
		closeFrame(1000, "bye"), closeFrame(1005, ""), closeFrame(1000, "\xff"), frame(closing, "\x03"), join(frame(closing, ""), frame(fin|text, "")),
		frame(fin|blob, strings.Repeat("a", 200))[:14], {fin | blob, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, {fin | blob, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0},
		{fin | blob, 0xfe, 0, 125}, {fin | text, 0x01, 'a'}, join(frame(fin|text, "a"), []byte{0x03}), join(frame(pong, ""), frame(0x40|ping, "")),
	} {
		s := whole[:min(len(whole), longest)]
		want := reference(s, 100000)
		for mask := range 1 << (len(s) - 1) {
			pieces, from := [][]byte(nil), 0
			for i := 1; i < len(s); i++ {
				if mask>>(i-1)&1 == 1 {
					pieces, from = append(pieces, s[from:i]), i
				}
			}
			if pieces = append(pieces, s[from:]); !slices.Equal(run(pieces, 100000), want) {
				t.Fatalf("in pieces %x: parser says %q, want %q", pieces, run(pieces, 100000), want)
			}
			splits++
		}
	}
	t.Logf("%d splits", splits)
}

// TestParserKeepsNothing: between messages a parser is a nil pointer again.
func TestParserKeepsNothing(t *testing.T) {
	var p parser
	stream := join(frame(text, "a"), frame(ping, "p"), frame(fin|more, "b"), frame(fin|text, "c"))
	for i := range stream {
		feedOnce(&p, stream[i:i+1], testLimit)
	}
	if p.part != nil {
		t.Error("a parser with nothing incomplete keeps a buffer")
	}
}

// TestBufferFollowsBytes: what was only announced takes no memory.
func TestBufferFollowsBytes(t *testing.T) {
	var p parser
	const limit = 16 << 20
	header := frame(fin|blob, strings.Repeat("a", limit))[:14]
	feedOnce(&p, header, limit)
	feedOnce(&p, []byte{1, 2, 3}, limit)
	if got := cap(p.part.msg); got > 1024 {
		t.Errorf("a header of 16 MiB and 3 bytes made a buffer of %d bytes", got)
	}
}

// TestInPlaceAllocations: frames that arrive whole are handled where they lie.
func TestInPlaceAllocations(t *testing.T) {
	stream := join(frame(fin|text, `{"a":"Chat","p0":"hello ä"}`), frame(fin|blob, "x"), frame(ping, "p"), frame(fin|text, ""))
	data := make([]byte, len(stream))
	var p parser
	var ev event
	events := 0
	allocs := testing.AllocsPerRun(100, func() {
		copy(data, stream)
		rest := data
		for {
			rest = p.next(&ev, rest, testLimit)
			if ev.kind == eventNone {
				return
			}
			events++
			if len(ev.payload) > 0 && !within(ev.payload, data) {
				t.Fatal("a payload was copied")
			}
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if events != 4*101 {
		t.Errorf("%d events, want %d", events, 4*101)
	}
}

// within tells whether part lies inside whole.
func within(part, whole []byte) bool {
	for i := range whole {
		if &whole[i] == &part[0] {
			return i+len(part) <= len(whole)
		}
	}
	return false
}

// TestPartialsAllocations: fragments and cut frames use pooled buffers.
func TestPartialsAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	stream := join(frame(text, "hello, "), frame(fin|more, "world"))
	data := make([]byte, len(stream))
	var p parser
	var ev event
	allocs := testing.AllocsPerRun(1000, func() {
		copy(data, stream)
		for i := range data {
			for rest := data[i : i+1]; ; {
				if rest = p.next(&ev, rest, testLimit); ev.kind == eventNone {
					break
				}
			}
		}
	})
	if allocs > 0.1 { // a garbage collection may empty the pool
		t.Errorf("%v allocations", allocs)
	}
}

func TestUnmask(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 100 {
		for pos := range 5 {
			masked := make([]byte, n)
			key := [4]byte{}
			for i := range masked {
				masked[i] = byte(r.Uint32())
			}
			for i := range key {
				key[i] = byte(r.Uint32())
			}
			want := make([]byte, n)
			for i := range want {
				want[i] = masked[i] ^ key[(pos+i)%4]
			}
			unmask(masked, uint32(key[0])|uint32(key[1])<<8|uint32(key[2])<<16|uint32(key[3])<<24, pos)
			if !bytes.Equal(masked, want) {
				t.Fatalf("%d bytes at %d: got %x, want %x", n, pos, masked, want)
			}
		}
	}
}

// TestUTF8 tries every sequence of up to three bytes that can matter, behind
// and before plain text, against the standard library.
func TestUTF8(t *testing.T) {
	edges := []byte{0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
		0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff}
	check := func(b []byte) {
		var u utf8Check
		if got, want := u.write(b), possible(b); got != want {
			t.Fatalf("write(%x) = %v, want %v", b, got, want)
		} else if want {
			if got, want := u.complete(), utf8.Valid(b); got != want {
				t.Fatalf("complete after %x = %v, want %v", b, got, want)
			}
		}
	}
	for _, a := range edges {
		for _, b := range edges {
			for _, c := range edges {
				for _, d := range edges {
					check([]byte{a, b, c, d})
				}
				check(append([]byte("plain text "), a, b, c))
				check(append([]byte{a, b, c}, " plain text"...))
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, bb := range []struct {
		name   string
		stream []byte
	}{
		{"chat", frame(fin|text, `{"a":"Chat","p0":"alice","p1":"hello there, how are you?"}`)},
		{"umlauts", frame(fin|text, `{"a":"Chat","p0":"alice","p1":"für Ölgötzen übergroße Äpfel"}`)},
		{"binary 4 KiB", frame(fin|blob, strings.Repeat("b", 4096))},
		{"text 4 KiB", frame(fin|text, strings.Repeat("b", 4096))},
		{"ping", frame(ping, "")},
	} {
		b.Run(bb.name, func(b *testing.B) {
			data := make([]byte, len(bb.stream))
			var p parser
			var ev event
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				copy(data, bb.stream)
				rest := p.next(&ev, data, 1<<20)
				if ev.kind == eventFault || len(rest) > 0 {
					b.Fatal(ev.fault)
				}
			}
		})
	}
}

// BenchmarkParseCut is a message that arrives in two pieces.
func BenchmarkParseCut(b *testing.B) {
	stream := frame(fin|text, `{"a":"Chat","p0":"alice","p1":"hello there, how are you?"}`)
	data := make([]byte, len(stream))
	var p parser
	var ev event
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		copy(data, stream)
		p.next(&ev, data[:20], 1<<20)
		p.next(&ev, data[20:], 1<<20)
		if ev.kind != eventMessage {
			b.Fatal("no message")
		}
		p.next(&ev, nil, 1<<20)
	}
}

func BenchmarkUTF8(b *testing.B) {
	for _, bb := range []struct{ name, text string }{
		{"ascii", strings.Repeat("plain text, ", 350)},
		{"german", strings.Repeat("für Ölgötzen, ", 300)},
		{"chinese", strings.Repeat("你好世界", 350)},
	} {
		data := []byte(bb.text)
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				var u utf8Check
				if !u.write(data) {
					b.Fatal("not UTF-8")
				}
			}
		})
	}
}
