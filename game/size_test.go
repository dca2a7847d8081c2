package game

import (
	"testing"
	"unsafe"
)

// TestSizes: an idle player is memory and nothing else, so what it takes is held
// to what the idle figures were measured with. The numbers are size classes of
// Go's allocator.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, most uintptr
	}{
		{"actor", unsafe.Sizeof(actor{}), 128},
		{"cell", unsafe.Sizeof(cell{}), 96},
		{"Player, which the server embeds", unsafe.Sizeof(Player{}), 160},
	} {
		if c.got > c.most {
			t.Errorf("%s takes %d bytes, want at most %d", c.name, c.got, c.most)
		}
	}
}
