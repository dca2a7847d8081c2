package game

import (
	"strings"
	"testing"
	"time"
)

// TestTargetRate: beyond the burst, targets are dropped, counted, and their sender
// told once, until it has been calm for long enough; others are not concerned.
func TestTargetRate(t *testing.T) {
	s := aTavern(t, Config{TargetRate: 10, TargetBurst: 3})
	stats := s.loop.Stats()
	burst := func(name string, n int) {
		t.Helper()
		for range n {
			s.offer(name, `{"a":"Target","p0":1000,"p1":0}`)
		}
		s.tick(1)
	}
	denies := func() int { return strings.Count(s.told(), tooHasty) }

	burst("ann", 5)
	if taken, dropped := stats.Targets.Load(), stats.TargetsTooFast.Load(); taken != 3 || dropped != 2 {
		t.Errorf("%d taken, %d dropped, want 3 and 2", taken, dropped)
	}
	if n := denies(); n != 1 {
		t.Errorf("told %d times, want once", n)
	}
	if n := stats.Denies[TargetsTooFast].Load(); n != 1 {
		t.Errorf("%d denies counted, want 1", n)
	}
	burst("bob", 3)
	if n := stats.TargetsTooFast.Load(); n != 2 {
		t.Errorf("%d dropped: one player pays for another", n)
	}
	s.tick(2) // a token every two ticks, at ten a second
	burst("ann", 3)
	if n := denies(); n != 0 {
		t.Errorf("told again (%d times) without a calm between", n)
	}
	s.tick(20)
	burst("ann", 3)
	before := stats.TargetsTooFast.Load()
	burst("ann", 3)
	if n := denies(); n != 1 || stats.TargetsTooFast.Load() == before {
		t.Errorf("after a calm: told %d times, want once", n)
	}

	s.operate(func(tx Tx) { tx.LimitTargets(0, 0) })
	before = stats.TargetsTooFast.Load()
	burst("ann", 20)
	if n := stats.TargetsTooFast.Load(); n != before {
		t.Errorf("%d dropped without a limit", n-before)
	}
}

// TestTargetRateDefault: without a rate nobody is limited.
func TestTargetRateDefault(t *testing.T) {
	s := aTavern(t, Config{Tick: 50 * time.Millisecond})
	for range 30 {
		s.offer("ann", `{"a":"Target","p0":1000,"p1":0}`)
	}
	s.tick(1)
	if n := s.loop.Stats().Targets.Load(); n != 30 {
		t.Errorf("%d of 30 targets are taken", n)
	}
}
