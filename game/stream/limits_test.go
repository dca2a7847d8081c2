package stream

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLimitsChange: new limits hold for those who are there already, from the
// next tick on, and zero values are the defaults again.
func TestLimitsChange(t *testing.T) {
	for _, c := range []struct {
		name    string
		limits  Limits
		closing bool
	}{
		{"a smaller lag", Limits{MaxLagBytes: 3000}, true},
		{"the same again", Limits{}, false},
		{"a larger lag", Limits{MaxLagBytes: 1 << 30}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(Config{})
			slow, other := newSlowConn(t, 10), newConn(t)
			s.enter(slow, s.hereAud)
			s.enter(other, s.hereAud)
			for range 10 {
				s.say(s.chat, strings.Repeat("x", 1000))
				s.tick()
			}
			wantOpen(t, slow)
			s.Limit(c.limits)
			s.tick() // nothing is said: the limits alone wake the writers
			if c.closing {
				wantClosed(t, s, slow)
			} else {
				wantOpen(t, slow)
			}
			wantOpen(t, other)
		})
	}
}

// TestLimitsChangeWhileRunning does so with the writers on their own goroutines.
func TestLimitsChangeWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(Config{Writers: 3})
		slow := newSlowConn(t, 3)
		s.enter(slow, s.hereAud)
		s.Run()
		s.say(s.here, "some news ")
		s.Publish()
		time.Sleep(time.Minute)
		wantOpen(t, slow)
		s.Limit(Limits{MaxBlocked: time.Second})
		s.Publish()
		synctest.Wait()
		wantClosed(t, s, slow)
		s.Stop(0)
	})
}

// TestBandwidthChanges: what a listener is sent of a walking crowd follows the
// bandwidth, down and up.
func TestBandwidthChanges(t *testing.T) {
	c := newCrowd(40, Config{BytesPerSecond: 1 << 20}, 1)
	conn := newConn(t)
	c.enter(conn, c.hereAud)
	second := func() int {
		before := len(conn.bytes())
		for range 20 {
			for i := range c.poses {
				c.move(i, nil)
			}
			c.endTick(true)
		}
		return len(conn.bytes()) - before
	}
	all := second()
	if n := c.Stats().Throttled.Load(); n != 0 || all < 20*40*120 {
		t.Fatalf("%d bytes in a second, %d visits throttled: want all", all, n)
	}
	c.Limit(Limits{BytesPerSecond: 16000})
	c.endTick(false)
	if less := second(); less > 17000 || less < 8000 {
		t.Errorf("%d bytes in a second, want some 16,000", less)
	}
	if n := c.Stats().Throttled.Load(); n < 20 {
		t.Errorf("%d visits counted as throttled, want all 20", n)
	}
	c.Limit(Limits{BytesPerSecond: 1 << 20})
	second() // whoever was left out is sent first
	throttled := c.Stats().Throttled.Load()
	if again := second(); again < all || c.Stats().Throttled.Load() != throttled {
		t.Errorf("%d bytes in a second, want %d or more as before, and nobody throttled", again, all)
	}
}
