package ws

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// umlauts is n bytes of text in which nearly every cut goes through a rune.
func umlauts(n int) []byte {
	const runes = "€😀ß" // 9 bytes
	return []byte(strings.Repeat("a", n%len(runes)) + strings.Repeat(runes, n/len(runes)))
}

// fragments makes a message of frames of size bytes, with between, if any, behind
// each but the last.
func fragments(op byte, payload []byte, size int, between []byte) (stream []byte) {
	for first := op; ; first = more {
		if len(payload) <= size {
			return append(stream, frame(fin|first, string(payload))...)
		}
		stream = append(append(stream, frame(first, string(payload[:size]))...), between...)
		payload = payload[size:]
	}
}

// sendIn writes a stream in pieces of size bytes, each a segment if the kernel
// lets it be one.
func (c *rawClient) sendIn(stream []byte, size int) {
	c.t.Helper()
	for len(stream) > 0 {
		n := min(size, len(stream))
		c.send(stream[:n])
		stream = stream[n:]
	}
}

// TestSizesConform sends messages of the sizes at which lengths change their form,
// and great ones, whole, in fragments, in small pieces, and with pings between.
// With TAVERN_BIG=1 they are up to 16 MiB.
func TestSizesConform(t *testing.T) {
	great := 1 << 20
	if raceEnabled {
		great = 256 << 10
	}
	if os.Getenv("TAVERN_BIG") != "" {
		great = 16 << 20
	}
	s := serve(t, Config{MaxMessageBytes: great, MaxPendingBytes: 3*great + 1<<20}, calls{message: echoing})
	type way struct {
		name   string
		stream func(op byte, payload []byte) []byte
		pieces int
		pongs  func(n int) int
	}
	whole := func(op byte, payload []byte) []byte { return frame(fin|op, string(payload)) }
	none := func(int) int { return 0 }
	all := []way{{"whole", whole, 1 << 30, none}}
	for _, n := range []int{1, 2, 3, 5, 7} {
		all = append(all, way{fmt.Sprintf("in pieces of %d", n), whole, n, none})
	}
	for _, size := range []int{0, 1, 125, 126, 127, 128, 997, 65535, 65536, 65537, great} {
		ways := all
		switch {
		case size > 1000 && size < great:
			ways = []way{all[0], {"in pieces of 997", whole, 997, none}}
		case size == great:
			ways = all[:1:1]
			for _, n := range []int{64, 997, 4096} {
				if n*20000 >= size { // or it takes long
					ways = append(ways, way{fmt.Sprintf("in pieces of %d", n), whole, n, none})
				}
			}
			for _, n := range []int{64, 997, 1300, 4096, 65535, 65536, 262144} {
				cut := func(between []byte) func(op byte, payload []byte) []byte {
					return func(op byte, payload []byte) []byte { return fragments(op, payload, n, between) }
				}
				ways = append(ways, way{fmt.Sprintf("in frames of %d", n), cut(nil), 1 << 30, none})
				if n > 1000 {
					ways = append(ways, way{fmt.Sprintf("in frames of %d, a ping behind each", n), cut(frame(ping, "still there?")), 1 << 30,
						func(size int) int { return (size - 1) / n }})
				}
			}
		}
		for _, w := range ways {
			t.Run(fmt.Sprintf("%d bytes %s", size, w.name), func(t *testing.T) {
				c := dial(t, s.addr)
				for _, op := range []byte{text, blob} {
					payload := umlauts(size)
					if op == blob {
						payload = pattern(size)
					}
					c.sendIn(w.stream(op, payload), w.pieces)
					for i := range w.pongs(size) {
						if got := c.next(); got != "pong still there?" {
							t.Fatalf("pong %d: %s", i, got)
						}
					}
					got, echo, err := c.read()
					if err != nil || byte(got) != op || !bytes.Equal(echo, payload) {
						t.Fatalf("sent %s, heard %s, %v", describe(opcode(op), payload), describe(got, echo), err)
					}
				}
				c.send(bye)
				if got := c.hear(); len(got) != 2 || got[0] != "close 1000" {
					t.Errorf("at the end: %q", got)
				}
			})
		}
	}
}

// TestManyMessages: a thousand messages in a row come back, all and in order, sent
// at once and one after the other.
func TestManyMessages(t *testing.T) {
	many := 1000
	if raceEnabled {
		many = 300
	}
	s := serve(t, Config{MaxPendingBytes: 16 << 20}, calls{message: echoing})
	for _, size := range []int{0, 16, 64, 256, 1024, 4096} {
		for _, op := range []byte{text, blob} {
			t.Run(fmt.Sprintf("%d bytes, opcode %d", size, op), func(t *testing.T) {
				payload := func(i int) []byte { return fmt.Appendf(nil, "%0*d", size, i)[:size] }
				hears := func(c *rawClient, i int) {
					t.Helper()
					got, echo, err := c.read()
					if err != nil || byte(got) != op || !bytes.Equal(echo, payload(i)) {
						t.Fatalf("message %d: %s, %v", i, describe(got, echo), err)
					}
				}
				at, one := dial(t, s.addr), dial(t, s.addr)
				var volley []byte
				for i := range many {
					volley = append(volley, frame(fin|op, string(payload(i)))...)
				}
				at.send(volley)
				for i := range many {
					one.send(frame(fin|op, string(payload(i))))
					hears(one, i)
					hears(at, i)
				}
			})
		}
	}
}
