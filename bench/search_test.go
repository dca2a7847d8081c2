package main

import (
	"context"
	"errors"
	"math"
	"testing"
)

func TestSearch(t *testing.T) {
	base := search{from: 100, top: 40000, step: 2, resolution: 0.05, tries: 1}
	for _, tc := range []struct {
		name   string
		limit  float64 // the server's
		change func(*search)
		most   int // probes
	}{
		{name: "in the middle", limit: 10400, most: 16},
		{name: "at the first rate", limit: 100, most: 8},
		{name: "below the first rate", limit: 17, most: 12},
		{name: "just above a step", limit: 201, most: 10},
		{name: "two tries", limit: 1234, change: func(s *search) { s.tries = 2 }, most: 20},
		{name: "large steps", limit: 5000, change: func(s *search) { s.step = 8 }, most: 16},
		{name: "fine", limit: 5000, change: func(s *search) { s.resolution = 0.005 }, most: 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := base
			if tc.change != nil {
				tc.change(&s)
			}
			probes := 0
			got, err := s.run(t.Context(), func(_ context.Context, rate float64) (bool, error) {
				probes++
				return rate <= tc.limit, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got > tc.limit || got < tc.limit/(1+s.resolution) {
				t.Errorf("found %v, want at most %v and no less than %v %% below", got, tc.limit, s.resolution*100)
			}
			if probes > tc.most {
				t.Errorf("%d probes, want at most %d", probes, tc.most)
			}
		})
	}
}

func TestSearchEnds(t *testing.T) {
	s := search{from: 100, top: 500, step: 2, resolution: 0.05, tries: 3}
	var rates []float64
	got, err := s.run(t.Context(), func(_ context.Context, rate float64) (bool, error) {
		rates = append(rates, rate)
		return true, nil
	})
	if err != nil || got != s.top || len(rates) != 4 {
		t.Errorf("a server without limit: %v after %v, %v; want the top", got, rates, err)
	}
	probes := 0
	got, err = s.run(t.Context(), func(context.Context, float64) (bool, error) { probes++; return false, nil })
	if err != nil || got != 0 || probes > 30 {
		t.Errorf("a dead server: %v after %d probes, %v", got, probes, err)
	}
	broken := errors.New("broken")
	probes = 0
	_, err = s.run(t.Context(), func(context.Context, float64) (bool, error) { probes++; return false, broken })
	if !errors.Is(err, broken) || probes != 1 {
		t.Errorf("an error: %v after %d probes", err, probes)
	}
}

// A rate that fails by bad luck once must not end the climb.
func TestSearchForgivesOnce(t *testing.T) {
	s := search{from: 100, top: 3200, step: 2, resolution: 0.05, tries: 2}
	unlucky := true
	got, err := s.run(t.Context(), func(_ context.Context, rate float64) (bool, error) {
		if rate == 800 && unlucky {
			unlucky = false
			return false, nil
		}
		return true, nil
	})
	if err != nil || got != 3200 {
		t.Errorf("found %v, %v; want 3200", got, err)
	}
}

func TestWorldFor(t *testing.T) {
	for _, tc := range []struct {
		players    int
		neighbours float64
	}{{3000, 30}, {3000, 100}, {15000, 30}, {200, 10}} {
		w := worldFor(tc.players, tc.neighbours, 640)
		place := w.place(tc.players, 700)
		// Count who stands in the nine cells around each.
		type key struct{ x, y int }
		cells := make(map[key]int)
		of := func(number int) key {
			x, y := place.HomeOf(number)
			return key{int(math.Floor((x + w.edge/2) / w.cell)), int(math.Floor((y + w.edge/2) / w.cell))}
		}
		for number := range tc.players {
			cells[of(number)]++
		}
		seen := 0
		for number := range tc.players {
			k := of(number)
			for dx := -1; dx <= 1; dx++ {
				for dy := -1; dy <= 1; dy++ {
					seen += cells[key{k.x + dx, k.y + dy}]
				}
			}
			seen--
		}
		mean := float64(seen) / float64(tc.players)
		if mean < tc.neighbours*0.8 || mean > tc.neighbours*1.2 {
			t.Errorf("%d players who should see %v see %.1f on average", tc.players, tc.neighbours, mean)
		}
	}
}

func TestSampling(t *testing.T) {
	for _, rate := range []float64{0, 10, 1e5, 1e6, 10.4e6, 20e6} {
		every := sampleEvery(rate)
		if every < 1 || every%2 == 0 || rate/float64(every) > 250_000 {
			t.Errorf("%v a second: one in %d", rate, every)
		}
	}
	for _, tc := range [][3]int{{10, 10, 10}, {1000, 1000, 1000}, {10000, 10000, 419}, {10000, 1, 10000}, {5, 1 << 30, 1}} {
		if got := checkedReceivers(tc[0], tc[1]); got != tc[2] {
			t.Errorf("room of %d with %d senders: %d receivers in order, want %d", tc[0], tc[1], got, tc[2])
		}
	}
}

func TestFlagsAndQuoting(t *testing.T) {
	var rooms intList
	if err := rooms.Set("1000, 10000"); err != nil || rooms.String() != "1000,10000" {
		t.Errorf("%v, %v", rooms, err)
	}
	for _, bad := range []string{"", "0", "-1", "x", "1,,2"} {
		if rooms.Set(bad) == nil {
			t.Errorf("%q was taken for connections", bad)
		}
	}
	var rates floatList
	if err := rates.Set("0.5,10"); err != nil || rates.String() != "0.5,10" {
		t.Errorf("%v, %v", rates, err)
	}
	for _, bad := range []string{"", "0", "NaN", "-3", "1e9"} {
		if rates.Set(bad) == nil {
			t.Errorf("%q was taken for a rate", bad)
		}
	}
	if got := quoted([]string{"-room", "5", "-server-cmd", "x -a {addr}", "", "it's"}); got != `-room 5 -server-cmd 'x -a {addr}' '' 'it'\''s'` {
		t.Errorf("quoted: %s", got)
	}
}
