package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/coder/websocket"

	"tavern/game"
	"tavern/server/admin"
	"tavern/server/moderation"
)

// skewedClock is what time.Now says when somebody has set the machine's clock: the
// time of day is another, the monotonic reading goes on.
type skewedClock struct{ seconds atomic.Int64 }

func (c *skewedClock) now() time.Time {
	t := time.Now()
	// Of package time: the seconds since 1885 stand above 30 bits of nanoseconds.
	(*struct{ wall uint64 })(unsafe.Pointer(&t)).wall += uint64(c.seconds.Load() << 30)
	return t
}

func (c *skewedClock) rig(part any) {
	switch part := part.(type) {
	case *game.Config:
		part.Now = c.now
	case *moderation.Config:
		part.Now = c.now
	case *admin.Config:
		part.Now = c.now
	case *limits:
		part.now = c.now
	}
}

// TestSkewedClock: the clock of the tests does what it says.
func TestSkewedClock(t *testing.T) {
	var c skewedClock
	before := c.now()
	c.seconds.Store(-3600)
	after := c.now()
	if d := after.Unix() - before.Unix(); d < -3600 || d > -3590 {
		t.Errorf("the time of day went %d seconds", d)
	}
	if d := after.Sub(before); d < 0 || d > 10*time.Second {
		t.Errorf("the monotonic clock went %v", d)
	}
}

// TestClockJumps sets the clock of a server with players: what is to last a while
// lasts that long, nobody is closed, and nobody is told a wait that makes no sense.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{
		"an hour on": time.Hour, "an hour back": -time.Hour, "a day on": 24 * time.Hour, "a day back": -24 * time.Hour,
		"to 1970": -time.Duration(time.Now().Unix()-100) * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jumps(t, jump)
		})
	}
}

func jumps(t *testing.T, jump time.Duration) {
	var clock skewedClock
	s := startOfficeRigged(t, clock.rig, "-login-tries", "2", "-registrations-per-hour", "3")
	ann, _ := enter(t, s.testServer, "ann")
	bob, _ := enter(t, s.testServer, "bob")
	carl, _ := enter(t, s.testServer, "carl")
	s.api("mute", `{"name":"bob","for":"10m"}`)
	bob.await("the mute", func(h *heard) bool { return strings.Contains(h.chat(), "You are muted") })
	s.api("ban", `{"name":"carl","for":"30m"}`)
	if code := carl.ended(); code != websocket.StatusPolicyViolation {
		t.Fatalf("carl is closed with %d", code)
	}
	read := func(path string, to any) {
		t.Helper()
		status, body := s.request("GET", path, "")
		if err := json.Unmarshal([]byte(body), to); status != http.StatusOK || err != nil {
			t.Fatalf("%s: %d, %v: %s", path, status, err, body)
		}
	}
	stranger := connect(t, s.testServer)
	fails := func() string { // until it is told to wait
		for range 4 {
			stranger.say(`{"a":"Login","p0":"nobody","p1":"wrong"}`)
			if why := text(stranger.must().p0); why != "Username or password incorrect" {
				return why
			}
		}
		return ""
	}
	if wait := waitIn(t, fails()); wait < 1 || wait > 30 {
		t.Errorf("before the jump: wait %d s", wait)
	}

	clock.seconds.Store(int64(jump / time.Second))

	if wait := waitIn(t, fails()); wait < 1 || wait > 30 {
		t.Errorf("after failed logins: wait %d s", wait)
	}
	stranger.say(`{"a":"Register","p0":"late","p1":"pw of late"}`)
	if wait := waitIn(t, text(stranger.must().p0)); wait < 60 || wait > 20*60 {
		t.Errorf("after many registrations: wait %d s", wait)
	}
	bob.say(`{"a":"Chat","p0":"","p1":"let me talk"}`)
	h := bob.await("a Deny", func(h *heard) bool { return h.action == "Deny" })
	left, err := time.ParseDuration(strings.TrimPrefix(text(h.p0), "You are muted for another "))
	if err != nil || left > 10*time.Minute || left < 9*time.Minute {
		t.Errorf("bob, muted for ten minutes, is told %s", h.raw)
	}
	carl = connect(t, s.testServer)
	carl.say(`{"a":"Login","p0":"carl","p1":"pw of carl"}`)
	if h := carl.must(); h.action != "Deny" || !strings.HasPrefix(text(h.p0), "You are banned until ") {
		t.Errorf("carl, banned for half an hour, is told %s", h.raw)
	}
	// A ban given now lasts too, also when the clock is set right again.
	s.api("ban", `{"name":"bob","for":"1h"}`)
	if code := bob.ended(); code != websocket.StatusPolicyViolation {
		t.Errorf("bob is closed with %d", code)
	}
	var players struct {
		Players []struct {
			Name  string
			Since time.Time
		}
	}
	if read("players", &players); len(players.Players) != 1 {
		t.Errorf("players: %+v", players)
	}
	for _, p := range players.Players {
		if here := clock.now().Sub(p.Since); here < -time.Second || here > time.Minute {
			t.Errorf("%s has been here for %v", p.Name, here)
		}
	}
	var status struct{ Started time.Time }
	read("status", &status)
	if up := clock.now().Sub(status.Started); up < 0 || up > time.Minute {
		t.Errorf("up for %v", up)
	}
	until(t, "the history goes on", func() bool {
		var history struct{ Samples [][]float64 }
		read("history", &history)
		return slices.ContainsFunc(history.Samples, func(columns []float64) bool {
			age := clock.now().Unix() - int64(columns[0])/1000
			return age >= 0 && age < 60
		})
	})

	clock.seconds.Store(0)

	bob = connect(t, s.testServer)
	bob.say(`{"a":"Login","p0":"bob","p1":"pw of bob"}`)
	if h := bob.must(); h.action != "Deny" || !strings.HasPrefix(text(h.p0), "You are banned until ") {
		t.Errorf("bob, banned for an hour, is told %s", h.raw)
	}
	dora := connect(t, s.testServer)
	dora.say(`{"a":"Chat","p0":"I am new"}`)
	ann.awaitChat("guest-1: I am new")

	// What the database has kept lasts as long.
	s.stop()
	s = startOfficeRigged(t, clock.rig, "-db", s.db)
	clock.seconds.Store(int64(jump / time.Second))
	carl = connect(t, s.testServer)
	carl.say(`{"a":"Login","p0":"carl","p1":"pw of carl"}`)
	if h := carl.must(); h.action != "Deny" || !strings.HasPrefix(text(h.p0), "You are banned until ") {
		t.Errorf("after a restart carl, banned for half an hour, is told %s", h.raw)
	}
}

var sayWait = regexp.MustCompile(`, try again in (-?\d+) (second|minute)s?$`)

// waitIn is the wait that a Deny tells, in seconds.
func waitIn(t *testing.T, deny string) int {
	t.Helper()
	m := sayWait.FindStringSubmatch(deny)
	if m == nil {
		t.Errorf("%q tells no wait", deny)
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	if m[2] == "minute" {
		n *= 60
	}
	return n
}
