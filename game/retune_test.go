package game

import (
	"fmt"
	"strings"
	"testing"
)

// TestViewChanges changes, in crowds that form and dissolve, how many are shown:
// nobody hears of an actor that it does not know, and the views are what they
// would have been from the start.
func TestViewChanges(t *testing.T) {
	steps := 150
	if testing.Short() {
		steps = 80
	}
	world := Bounds{-1000, -1000, 1000, 1000}
	for _, c := range []struct {
		name   string
		cell   float64
		spread float64
	}{
		{"one crowd", 5000, 900},
		{"crowds across borders", 200, 900},
		{"a crowd on one spot", 640, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDrama(t, 1, Config{World: world, Cell: c.cell, Speed: 800, View: 5}, c.spread)
			settled := 0
			for i := range steps {
				if i%15 == 0 {
					view := []int{1, 3, 5, 8, 20, 100}[d.rng.IntN(6)]
					if err := d.loop.Do(func(tx Tx) { tx.SetView(view) }); err != nil {
						t.Fatal(err)
					}
				}
				d.step(30)
				if len(d.loop.world.growing) == 0 {
					settled++
				}
			}
			if settled < steps/2 {
				t.Errorf("views were still filling up in %d of %d ticks", steps-settled, steps)
			}
		})
	}
}

// TestViewGrowsGently: a larger view comes some actors a tick, a smaller one at
// once, and in it those stay who do something.
func TestViewGrowsGently(t *testing.T) {
	s := newStage(t, Config{View: 3})
	for i := range 30 {
		s.join(fmt.Sprint("p", i), 0, 0)
	}
	s.tick(3)
	s.told()
	models := func() int { return strings.Count(s.told(), "p0 <- {\"a\":\"ModelDelta\"") }
	s.operate(func(tx Tx) { tx.SetView(25) })
	first := models()
	if first == 0 || first > growth {
		t.Errorf("%d new actors in the first tick, want 1 to %d", first, growth)
	}
	s.tick(10)
	if n := first + models(); n < 21 || n > 22 { // its own is known already
		t.Errorf("%d new actors in all, want 22", n)
	}
	s.tick(200)
	s.offer("p7", `{"a":"Chat","p0":"","p1":"look at me"}`)
	s.tick(1)
	s.told()
	s.operate(func(tx Tx) { tx.SetView(1) })
	told := s.told()
	if n := strings.Count(told, "p0 <- {\"a\":\"Despawn\""); n < 23 || n > 24 {
		t.Errorf("%d actors leave the view at once, want 24", n)
	}
	if strings.Contains(told, fmt.Sprintf("p0 <- {\"a\":\"Despawn\",\"p0\":%d}", s.ids["p7"])) {
		t.Error("who has just talked is hidden, and others are not")
	}
}

// TestRangeChanges: the next chat has the new range.
func TestRangeChanges(t *testing.T) {
	s := newStage(t, Config{})
	s.join("ann", 0, 0)
	s.join("near", 100, 0)
	s.join("far", 1000, 0)
	s.tick(1)
	s.told()
	sent := uint64(0)
	for _, c := range []struct {
		pixels float64
		heard  string
	}{{500, "near"}, {50, ""}, {0, "far near"}} {
		s.operate(func(tx Tx) { tx.SetChatRange(c.pixels) })
		s.offer("ann", `{"a":"Chat","p0":"","p1":"hm"}`)
		s.tick(1)
		var heard []string
		told := s.told()
		for _, name := range []string{"far", "near"} {
			if strings.Contains(told, name+` <- {"a":"Chat"`) {
				heard = append(heard, name)
			}
		}
		if got := strings.Join(heard, " "); got != c.heard {
			t.Errorf("within %v pixels %q hear it, want %q", c.pixels, got, c.heard)
		}
		sent += uint64(len(heard))
		if got := s.loop.Stats().ChatsSent.Load(); got != sent {
			t.Errorf("%d chats counted as sent, want %d", got, sent)
		}
	}
}
