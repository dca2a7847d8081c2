package main

import (
	"context"
	"math"
)

// search finds the highest rate that passes: it climbs in large steps to the first
// that does not, then halves the gap until it is small.
type search struct {
	from       float64 // the first rate
	top        float64 // never above this
	step       float64 // factor of the climb; above 1
	resolution float64 // ends when the gap is smaller, as a share: 0.05
	tries      int     // a rate fails only when it fails so many times in a row
}

// probe tries one rate and says whether it passed.
type probe func(ctx context.Context, rate float64) (bool, error)

// run returns the highest rate that passed, 0 when none did.
func (s search) run(ctx context.Context, try probe) (float64, error) {
	passed, failed := 0.0, math.Inf(1)
	rate := min(s.from, s.top)
	for {
		ok, err := s.attempt(ctx, rate, try)
		if err != nil {
			return passed, err
		}
		if ok {
			passed = rate
		} else {
			failed = rate
		}
		rate = s.next(passed, failed)
		if rate == 0 {
			return passed, nil
		}
	}
}

func (s search) attempt(ctx context.Context, rate float64, try probe) (bool, error) {
	for range max(1, s.tries) {
		ok, err := try(ctx, rate)
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// lowest is the share of the first rate at which the search gives up.
const lowest = 1.0 / 256

// next returns the rate to try after these, 0 when the search is over.
func (s search) next(passed, failed float64) float64 {
	switch {
	case math.IsInf(failed, 1):
		if passed >= s.top {
			return 0
		}
		return min(passed*s.step, s.top)
	case passed == 0:
		if failed <= s.from*lowest {
			return 0
		}
		return failed / s.step
	case failed/passed <= 1+s.resolution:
		return 0
	}
	// Halfway on a logarithmic scale: the gap is a share, not a number.
	return math.Sqrt(passed * failed)
}
