package ws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// exchange is one case: what is sent, and what must come of it.
type exchange struct {
	rule string // section of the RFC and what it asks
	send []byte
	want []string
	code int // that the handler hears
}

// conformance is RFC 6455 as far as a server can break it: what a client sends,
// and every frame that it must get, up to how the stream ends. The server echoes.
var conformance = []exchange{
	// 5.1, 5.2: framing.
	{"5.2 text is echoed as text", join(frame(fin|text, "hi"), bye), []string{"text hi", "close 1000", "end"}, 1000},
	{"5.2 binary is echoed as binary", join(frame(fin|blob, "\xff\x00"), bye), []string{"binary \xff\x00", "close 1000", "end"}, 1000},
	{"5.2 empty text is a message", join(frame(fin|text, ""), bye), []string{"text ", "close 1000", "end"}, 1000},
	{"5.2 empty binary is a message", join(frame(fin|blob, ""), bye), []string{"binary ", "close 1000", "end"}, 1000},
	{"5.2 seven-bit length at its end", join(frame(fin|text, strings.Repeat("*", 125)), bye), []string{"text **********... of 125 bytes", "close 1000", "end"}, 1000},
	{"5.2 16-bit length at its start", join(frame(fin|text, strings.Repeat("*", 126)), bye), []string{"text **********... of 126 bytes", "close 1000", "end"}, 1000},
	{"5.2 16-bit length", join(frame(fin|text, strings.Repeat("*", 128)), bye), []string{"text **********... of 128 bytes", "close 1000", "end"}, 1000},
	{"5.2 16-bit length at its end", join(frame(fin|blob, strings.Repeat("*", 65535)), bye), []string{"binary **********... of 65535 bytes", "close 1000", "end"}, 1000},
	{"5.2 64-bit length at its start", join(frame(fin|blob, strings.Repeat("*", 65536)), bye), []string{"binary **********... of 65536 bytes", "close 1000", "end"}, 1000},
	{"5.2 16-bit length for less", []byte{fin | text, 0xfe, 0, 5}, broken, 1002},
	{"5.2 64-bit length for less", []byte{fin | text, 0xff, 0, 0, 0, 0, 0, 0, 0, 200}, broken, 1002},
	{"5.2 top bit of a 64-bit length", []byte{fin | text, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0}, broken, 1002},
	{"5.1 unmasked frame", []byte{fin | text, 2, 'h', 'i'}, broken, 1002},
	{"5.1 unmasked control frame", []byte{ping, 0}, broken, 1002},
	{"5.1 unmasked close frame", []byte{closing, 2, 0x03, 0xe8}, broken, 1002},
	{"5.3 a mask of zeros is one", join(frameKey(fin|text, "hi", [4]byte{}), bye), []string{"text hi", "close 1000", "end"}, 1000},
	{"5.2 RSV1", frame(fin|text|0x40, "a"), broken, 1002},
	{"5.2 RSV2", frame(fin|text|0x20, "a"), broken, 1002},
	{"5.2 RSV3", frame(fin|text|0x10, "a"), broken, 1002},
	{"5.2 all reserved bits", frame(fin|text|0x70, "a"), broken, 1002},
	{"5.2 RSV1 of a ping", frame(ping|0x40, ""), broken, 1002},
	{"5.2 RSV1 of a close", frame(closing|0x40, ""), broken, 1002},
	{"5.2 RSV1 of a continuation", join(frame(text, "a"), frame(fin|more|0x40, "b")), broken, 1002},
	{"5.2 messages before a fault are delivered", join(frame(fin|text, "a"), frame(fin|text|0x40, "b"), frame(fin|text, "c")), []string{"text a", "close 1002", "end"}, 1002},

	{"5.2 16-bit length in its second byte", join(frame(fin|text, strings.Repeat("*", 127)), bye), []string{"text **********... of 127 bytes", "close 1000", "end"}, 1000},
	{"5.2 a control frame may not have a 16-bit length", []byte{ping, 0xfe, 0, 1, 0, 0, 0, 0, 'p'}, broken, 1002},
	{"5.2 a control frame may not have a 64-bit length", []byte{pong, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 'p'}, broken, 1002},
	{"5.2 RSV2 of an empty frame", frame(fin|blob|0x20, ""), broken, 1002},
	{"5.2 RSV1 and RSV3 of a binary frame, behind text and before a ping", join(frame(fin|text, "a"), frame(fin|blob|0x50, "b"), frame(ping, "c")), []string{"text a", "close 1002", "end"}, 1002},
	{"5.2 a pong is no answer to a fault", join(frame(0x40|fin|text, "a"), frame(ping, "p"), bye), broken, 1002},
	{"5.3 each frame has its own mask", join(frameKey(text, "fr", [4]byte{1, 2, 3, 4}), frameKey(more, "ag", [4]byte{0xff, 0, 0xff, 0}), frameKey(fin|more, "ment", [4]byte{9, 9, 9, 9}), bye), []string{"text fragment", "close 1000", "end"}, 1000},
	{"5.1 unmasked continuation", join(frame(text, "a"), []byte{fin | more, 1, 'b'}), broken, 1002},

	// 5.4: fragmentation.
	{"5.4 a message behind a fragmented one", join(frame(text, "a"), frame(fin|more, "b"), frame(fin|blob, "c"), bye), []string{"text ab", "binary c", "close 1000", "end"}, 1000},
	{"5.4 pings between all fragments", join(frame(text, "a"), frame(ping, "1"), frame(more, "b"), frame(more, "c"), frame(ping, "2"), frame(fin|more, "d"), bye), []string{"pong 1", "pong 2", "text abcd", "close 1000", "end"}, 1000},
	{"5.4 no open continuation after an end", join(frame(text, "a"), frame(fin|more, "b"), frame(more, "c"), frame(fin|text, "d")), []string{"text ab", "close 1002", "end"}, 1002},
	{"5.4 continuation of nothing, then text", join(frame(more, "a"), frame(fin|text, "b")), broken, 1002},
	{"5.4 no continuation of a ping", join(frame(ping, "a"), frame(fin|more, "b")), []string{"pong a", "close 1002", "end"}, 1002},
	{"5.4 the last fragment may be empty", join(frame(blob, "a"), frame(fin|more, ""), bye), []string{"binary a", "close 1000", "end"}, 1000},
	{"5.4 an invalid fragment between a ping", join(frame(text, "a"), frame(ping, "p"), frame(fin|more, "\xff")), []string{"pong p", "close 1007", "end"}, 1007},
	{"5.4 two fragments", join(frame(text, "fr"), frame(fin|more, "ag"), bye), []string{"text frag", "close 1000", "end"}, 1000},
	{"5.4 many fragments", join(frame(blob, "a"), frame(more, "b"), frame(more, "c"), frame(more, ""), frame(fin|more, "d"), bye), []string{"binary abcd", "close 1000", "end"}, 1000},
	{"5.4 empty fragments", join(frame(text, ""), frame(more, ""), frame(fin|more, ""), bye), []string{"text ", "close 1000", "end"}, 1000},
	{"5.4 ping between fragments", join(frame(text, "fr"), frame(ping, "p"), frame(fin|more, "ag"), bye), []string{"pong p", "text frag", "close 1000", "end"}, 1000},
	{"5.4 pong between fragments", join(frame(text, "fr"), frame(pong, "p"), frame(fin|more, "ag"), bye), []string{"text frag", "close 1000", "end"}, 1000},
	{"5.4 close between fragments", join(frame(text, "fr"), bye, frame(fin|more, "ag")), []string{"close 1000", "end"}, 1000},
	{"5.4 continuation of nothing", frame(fin|more, "a"), broken, 1002},
	{"5.4 open continuation of nothing", frame(more, "a"), broken, 1002},
	{"5.4 continuation after an end", join(frame(fin|text, "a"), frame(fin|more, "b")), []string{"text a", "close 1002", "end"}, 1002},
	{"5.4 text inside a message", join(frame(text, "a"), frame(fin|text, "b")), broken, 1002},
	{"5.4 binary inside a message", join(frame(text, "a"), frame(fin|blob, "b")), broken, 1002},
	{"5.4 fragment inside a message", join(frame(text, "a"), frame(text, "b")), broken, 1002},

	// 5.5: control frames.
	{"5.5 fragmented ping", frame(byte(opPing), "a"), broken, 1002},
	{"5.5 fragmented pong", frame(byte(opPong), "a"), broken, 1002},
	{"5.5 fragmented close", frame(byte(opClose), "\x03\xe8"), broken, 1002},
	{"5.5 ping of 126 bytes", frame(ping, strings.Repeat("a", 126)), broken, 1002},
	{"5.5 close of 126 bytes", closeFrame(1000, strings.Repeat("a", 124)), broken, 1002},
	{"5.5.2 ping", join(frame(ping, "payload"), bye), []string{"pong payload", "close 1000", "end"}, 1000},
	{"5.5.2 empty ping", join(frame(ping, ""), bye), []string{"pong ", "close 1000", "end"}, 1000},
	{"5.5.2 ping of arbitrary bytes", join(frame(ping, "\x00\xff\xfe"), bye), []string{"pong \x00\xff\xfe", "close 1000", "end"}, 1000},
	{"5.5.2 ping of 125 bytes", join(frame(ping, strings.Repeat("a", 125)), bye), []string{"pong aaaaaaaaaa... of 125 bytes", "close 1000", "end"}, 1000},
	{"5.5.2 ten pings, ten pongs", join(frame(ping, "0"), frame(ping, "1"), frame(ping, "2"), frame(ping, "3"), frame(ping, "4"), frame(ping, "5"), frame(ping, "6"), frame(ping, "7"), frame(ping, "8"), frame(ping, "9"), bye),
		[]string{"pong 0", "pong 1", "pong 2", "pong 3", "pong 4", "pong 5", "pong 6", "pong 7", "pong 8", "pong 9", "close 1000", "end"}, 1000},
	{"5.5.3 unsolicited pong, then a ping", join(frame(pong, "a"), frame(ping, "b"), bye), []string{"pong b", "close 1000", "end"}, 1000},
	{"5.5 pong of 126 bytes", frame(pong, strings.Repeat("a", 126)), broken, 1002},
	{"5.5.3 unsolicited pong of 125 bytes", join(frame(pong, strings.Repeat("a", 125)), bye), []string{"close 1000", "end"}, 1000},
	{"5.5.3 unsolicited pong", join(frame(pong, "a"), frame(pong, ""), bye), []string{"close 1000", "end"}, 1000},
	{"5.5.1 ping behind a close", join(bye, frame(ping, "a")), []string{"close 1000", "end"}, 1000},
	{"5.5.1 text behind a close", join(bye, frame(fin|text, "a")), []string{"close 1000", "end"}, 1000},
	{"5.5.1 garbage behind a close", join(bye, []byte{0xff, 0xff, 0xff}), []string{"close 1000", "end"}, 1000},
	{"5.5.1 two closes", join(bye, closeFrame(1001, "")), []string{"close 1000", "end"}, 1000},

	{"5.5.1 a message before a close is delivered", join(frame(fin|text, "a"), bye), []string{"text a", "close 1000", "end"}, 1000},
	{"5.5.1 a large message before a close is delivered", join(frame(fin|blob, strings.Repeat("*", 69000)), bye, frame(ping, "p")), []string{"binary **********... of 69000 bytes", "close 1000", "end"}, 1000},
	{"7.1.7 a fault behind a close is none", join(bye, frame(0x70|text, "a")), []string{"close 1000", "end"}, 1000},

	// 7: closing.
	{"7.1.5 close without a code", frame(closing, ""), []string{"close 1000", "end"}, 1005},
	{"5.5.1 close with half a code", frame(closing, "\x03"), broken, 1002},
	{"5.5.1 close with a reason", closeFrame(1000, "bye"), []string{"close 1000", "end"}, 1000},
	{"5.5.1 close with a reason of 123 bytes", closeFrame(1000, strings.Repeat("a", 123)), []string{"close 1000", "end"}, 1000},
	{"5.5.1 close with a reason in UTF-8", closeFrame(1000, "grüß dich 😀"), []string{"close 1000", "end"}, 1000},
	{"8.1 close with a reason not in UTF-8", closeFrame(1000, "\xce\xba\xed\xa0\x80"), []string{"close 1007", "end"}, 1007},
	{"8.1 close with half a rune", closeFrame(1000, "\xe2\x82"), []string{"close 1007", "end"}, 1007},

	// 8.1: text is UTF-8.
	{"8.1 runes of all lengths", join(frame(fin|text, "aß€😀"), bye), []string{"text aß€😀", "close 1000", "end"}, 1000},
	{"8.1 noncharacters are characters", join(frame(fin|text, "\uffff\ufffe\U0010ffff"), bye), []string{"text \uffff\ufffe\U0010ffff", "close 1000", "end"}, 1000},
	{"8.1 NUL is a character", join(frame(fin|text, "\x00"), bye), []string{"text \x00", "close 1000", "end"}, 1000},
	{"8.1 rune cut by a fragment", join(frame(text, "\xe2\x82"), frame(fin|more, "\xac"), bye), []string{"text €", "close 1000", "end"}, 1000},
	{"8.1 stray continuation byte", frame(fin|text, "a\x80"), invalid, 1007},
	{"8.1 over-long form", frame(fin|text, "\xc0\xaf"), invalid, 1007},
	{"8.1 over-long form of three", frame(fin|text, "\xe0\x80\xaf"), invalid, 1007},
	{"8.1 over-long form of four", frame(fin|text, "\xf0\x80\x80\xaf"), invalid, 1007},
	{"8.1 surrogate", frame(fin|text, "\xed\xa0\x80"), invalid, 1007},
	{"8.1 past U+10FFFF", frame(fin|text, "\xf4\x90\x80\x80"), invalid, 1007},
	{"8.1 five-byte form", frame(fin|text, "\xf8\x88\x80\x80\x80"), invalid, 1007},
	{"8.1 ends inside a rune", frame(fin|text, "a\xe2\x82"), invalid, 1007},
	{"8.1 ends inside a rune, fragmented", join(frame(text, "a"), frame(fin|more, "\xe2\x82")), invalid, 1007},
	{"8.1 fails fast, message open", frame(text, "a\xff"), invalid, 1007},
	{"8.1 fails fast, frame incomplete", frame(fin|text, "ab\xffdefghijk")[:10], invalid, 1007},
	{"8.1 fails fast, second fragment incomplete", join(frame(text, "\xf4"), frame(fin|more, "\x90\x80\x80")[:7]), invalid, 1007},
	{"8.1 binary need not be UTF-8", join(frame(fin|blob, "\xed\xa0\x80"), bye), []string{"binary \xed\xa0\x80", "close 1000", "end"}, 1000},

	// 10.4: limits.
	{"10.4 greatest message", join(frame(fin|blob, strings.Repeat("*", conformanceLimit)), bye), []string{"binary **********... of 70000 bytes", "close 1000", "end"}, 1000},
	{"10.4 one byte more, by its header", frame(fin|blob, strings.Repeat("*", conformanceLimit+1))[:10], tooBig, 1009},
	{"10.4 one byte more, in fragments", join(frame(blob, strings.Repeat("*", conformanceLimit)), frame(fin|more, "*")[:2]), tooBig, 1009},
	{"10.4 greatest length there is", []byte{fin | blob, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, tooBig, 1009},
	{"10.4 control frames do not count", join(frame(blob, strings.Repeat("*", conformanceLimit)), frame(ping, "p"), frame(fin|more, ""), bye),
		[]string{"pong p", "binary **********... of 70000 bytes", "close 1000", "end"}, 1000},
}

// conformanceLimit is over 64 KiB, so that 64-bit lengths have their turn.
const conformanceLimit = 70000

var (
	bye     = closeFrame(1000, "")
	broken  = []string{"close 1002", "end"}
	invalid = []string{"close 1007", "end"}
	tooBig  = []string{"close 1009", "end"}
)

func init() {
	for op := byte(0); op < 16; op++ {
		if op > 2 && op < 8 || op > 10 {
			conformance = append(conformance, []exchange{
				{fmt.Sprintf("5.2 opcode %d", op), frame(fin|op, "a"), broken, 1002},
				{fmt.Sprintf("5.2 opcode %d inside a message", op), join(frame(text, "a"), frame(fin|op, "")), broken, 1002},
			}...)
		}
	}
	// 7.4: close codes. Those of the registry are valid, from 1012 on as well.
	valid := func(code int) bool {
		return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
	}
	for _, code := range []int{0, 1, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012,
		1013, 1014, 1015, 1016, 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535} {
		want, heard := broken, CloseProtocol
		if valid(code) {
			want, heard = []string{fmt.Sprintf("close %d", code), "end"}, code
		}
		conformance = append(conformance, exchange{fmt.Sprintf("7.4 close code %d", code), closeFrame(uint16(code), ""), want, heard})
	}
	// 8.1: a text may be cut anywhere, into frames as well as into segments.
	const runes = "aß€😀z"
	for i := range len(runes) + 1 {
		conformance = append(conformance, exchange{fmt.Sprintf("8.1 text cut at byte %d", i), join(frame(text, runes[:i]), frame(fin|more, runes[i:]), bye),
			[]string{"text " + runes, "close 1000", "end"}, 1000})
	}
}

// TestConformance sends every case in one piece, byte by byte, and together with
// the handshake. All must mean the same.
func TestConformance(t *testing.T) {
	closed, ending := endings()
	s := serve(t, Config{MaxMessageBytes: conformanceLimit}, calls{message: echoing, closed: closed})
	check := func(t *testing.T, c *rawClient, want []string, code int) {
		t.Helper()
		if got := c.hear(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		_ = c.Close()
		if got := ending(t); got != code {
			t.Errorf("handler heard %d, want %d", got, code)
		}
	}
	for _, tt := range conformance {
		t.Run(tt.rule, func(t *testing.T) {
			c := dial(t, s.addr)
			c.send(tt.send)
			check(t, c, tt.want, tt.code)

			if len(tt.send) < 1000 {
				c = dial(t, s.addr)
				for i := range tt.send {
					// A fault may end the connection before its last byte is sent.
					if _, err := c.Write(tt.send[i : i+1]); err != nil {
						break
					}
				}
				check(t, c, tt.want, tt.code)
			}

			check(t, dial(t, s.addr, tt.send), tt.want, tt.code)
		})
	}
}

// TestFailsFast: a fault is answered while the rest of its frame is still missing.
func TestFailsFast(t *testing.T) {
	s := serve(t, Config{}, calls{})
	for _, tt := range []struct {
		name string
		send []byte
		want string
	}{
		{"first byte", []byte{0xc1}, "close 1002"},
		{"second byte", []byte{fin | text, 0x05}, "close 1002"},
		{"length", []byte{fin | text, 0xfe, 0x10, 0x01}, "close 1009"},
		{"text", frame(fin|text, "ab\xff"+strings.Repeat("c", 1000))[:11], "close 1007"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, s.addr)
			c.send(tt.send)
			if got := c.next(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestUTF8AtEverySplit: valid and invalid text, cut at every byte into segments.
func TestUTF8AtEverySplit(t *testing.T) {
	s := serve(t, Config{}, calls{message: echoing})
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"valid", "aß€😀z", []string{"text aß€😀z", "close 1000", "end"}},
		{"invalid", "aß€\xed\xa0\x80z", invalid},
	} {
		whole := join(frame(fin|text, tt.text), bye)
		for i := range whole {
			t.Run(fmt.Sprintf("%s at %d", tt.name, i), func(t *testing.T) {
				c := dial(t, s.addr)
				c.send(whole[:i])
				// A ping of another session passes the same poller: when it is
				// answered, the first piece has been read.
				other := dial(t, s.addr, frame(ping, ""))
				other.next()
				if _, err := c.Write(whole[i:]); err != nil {
					t.Log(err) // the fault has already ended it
				}
				if got := c.hear(); !slices.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// TestLateFault: a server that is closing ignores faults.
func TestLateFault(t *testing.T) {
	closed, ending := endings()
	s := serve(t, Config{}, calls{
		message: func(s *Session, _ []byte, _ bool) { s.Close(4000, "enough") },
		closed:  closed,
	})
	c := dial(t, s.addr)
	c.send(frame(fin|text, "a"))
	if got := c.next(); got != "close 4000" {
		t.Fatalf("got %q", got)
	}
	c.send([]byte{0xff})
	if got := c.hear(); !slices.Equal(got, []string{"end"}) {
		t.Errorf("after the close frame: %q", got)
	}
	if got := ending(t); got != 4000 {
		t.Errorf("handler heard %d", got)
	}
	if n := s.Counters().Faults["rsv"]; n != 0 {
		t.Errorf("%d faults were counted", n)
	}
}

// TestClosingEndsBothWays: after a close handshake that the server began, the
// connection is closed without waiting for the peer's end of the stream.
func TestClosingEndsBothWays(t *testing.T) {
	s := serve(t, Config{LingerTimeout: time.Hour}, calls{
		message: func(s *Session, _ []byte, _ bool) { s.Close(CloseNormal, "") },
	})
	c := dial(t, s.addr)
	c.send(frame(fin|text, "a"))
	if got := c.next(); got != "close 1000" {
		t.Fatalf("got %q", got)
	}
	c.send(closeFrame(CloseNormal, ""))
	until(t, "the socket is closed", func() bool { return s.Counters().Sockets == 0 })
	if got := c.hear(); !slices.Equal(got, []string{"end"}) {
		t.Errorf("got %q", got)
	}
}
