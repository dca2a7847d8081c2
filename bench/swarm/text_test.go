package swarm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestTextRoundTrip(t *testing.T) {
	for _, size := range []int{MinTextBytes, 34, 35, 64, 500} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			text := appendText(nil, 0xabcdef, size)
			if len(text) != size {
				t.Fatalf("text has %d bytes, want %d", len(text), size)
			}
			if got := string(text[:8]); got != "tabcdef " {
				t.Errorf("marker %q", got)
			}
			for range 1000 {
				due, serial := rand.Int64(), rand.Uint32()
				setText(text, due, serial)
				if got := textTime(text); got != due {
					t.Fatalf("due %x reads as %x in %q", due, got, text)
				}
				if got := hex8(word(text[textSerial:])); got != serial {
					t.Fatalf("serial %x reads as %x in %q", serial, got, text)
				}
			}
		})
	}
}

func TestHex8(t *testing.T) {
	for _, want := range []uint32{0, 1, 0x9abcdef0, 0x01234567, math.MaxUint32} {
		if got := hex8(word(fmt.Appendf(nil, "%08x", want))); got != want {
			t.Errorf("%08x reads as %08x", want, got)
		}
	}
}

// A lost chat and a doubled one must not cancel out, whichever they are.
func TestFingerprintTellsSets(t *testing.T) {
	const n = 2000
	var whole uint64
	for serial := range uint32(n) {
		whole += fingerprint(serial)
	}
	for range 100_000 {
		lost, doubled := rand.Uint32N(n), rand.Uint32N(n)
		if lost != doubled && whole-fingerprint(lost)+fingerprint(doubled) == whole {
			t.Fatalf("losing %d and doubling %d goes unnoticed", lost, doubled)
		}
	}
	// Sums of the serials themselves would cancel here.
	if fingerprint(1)+fingerprint(4) == fingerprint(2)+fingerprint(3) {
		t.Error("pairs with equal sums have equal fingerprints")
	}
}

func TestOrderCheck(t *testing.T) {
	// Two senders: even serials are the first one's, odd ones the second's.
	for _, tc := range []struct {
		name                     string
		heard                    []uint32
		reordered, doubled, gaps int
	}{
		{name: "in turns", heard: []uint32{0, 1, 2, 3, 4, 5}},
		{name: "senders may overtake each other", heard: []uint32{1, 3, 0, 5, 2, 4}},
		{name: "one sender's may not", heard: []uint32{0, 4, 2, 6}, reordered: 1},
		{name: "twice", heard: []uint32{0, 2, 2, 4}, doubled: 1},
		{name: "twice, late", heard: []uint32{0, 2, 4, 2}, doubled: 1},
		{name: "lost", heard: []uint32{0, 2, 8}, gaps: 2},
		{name: "late and twice", heard: []uint32{0, 4, 2, 2}, reordered: 1, doubled: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := newOrderCheck(2)
			for _, serial := range tc.heard {
				o.see(serial)
			}
			if int(o.reordered) != tc.reordered || int(o.doubled) != tc.doubled || len(o.gaps) != tc.gaps {
				t.Errorf("reordered %d, doubled %d, gaps %d; want %d, %d, %d",
					o.reordered, o.doubled, len(o.gaps), tc.reordered, tc.doubled, tc.gaps)
			}
		})
	}
}

func TestOrderCheckIsBounded(t *testing.T) {
	o := newOrderCheck(1)
	o.see(math.MaxUint32 - 1)
	if len(o.gaps) > maxGaps {
		t.Errorf("%d gaps kept, at most %d are allowed", len(o.gaps), maxGaps)
	}
}
