package main

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockwork is limits with a clock of the test's own.
func clockwork(cfg limitConfig) (l *limits, pass func(time.Duration)) {
	now := time.Now()
	l = newLimits(cfg, true)
	l.now = func() time.Time { return now }
	return l, func(d time.Duration) { now = now.Add(d) }
}

var here, there = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")

// TestLimitLogins: failures beyond the free ones wait ever longer, up to a bound,
// in the account's name and from the address; the right password clears the
// account; what was never tried counts for nothing.
func TestLimitLogins(t *testing.T) {
	l, pass := clockwork(limitConfig{loginTries: 3})
	try := func(addr netip.Addr, name string, what lesson) time.Duration {
		wait := l.login(addr, name)
		if wait == 0 {
			l.loggedIn(addr, name, what)
		}
		return wait
	}
	for range 3 {
		if wait := try(here, "alice", wrongPassword); wait != 0 {
			t.Fatalf("a free one waits %v", wait)
		}
	}
	var waits []string
	for range 7 {
		wait := try(there, "ALICE ", wrongPassword) // the same account, from elsewhere
		waits = append(waits, wait.String())
		pass(wait - time.Nanosecond)
		if try(there, "alice", wrongPassword) == 0 {
			t.Error("it passes before its time")
		}
		pass(time.Nanosecond)
		if wait := try(there, "alice", wrongPassword); wait != 0 {
			t.Fatalf("after its time it waits %v", wait)
		}
	}
	if got := strings.Join(waits, " "); got != "1s 2s 4s 8s 16s 30s 30s" {
		t.Errorf("the waits are %s", got)
	}
	if wait := try(here, "bob", wrongPassword); wait != 0 {
		t.Errorf("another account waits %v", wait)
	}

	pass(mostAccountWait)
	if wait := try(here, "alice", rightPassword); wait != 0 {
		t.Fatalf("alice waits %v", wait)
	}
	for range 5 { // somebody else, in her name
		try(there, "alice", wrongPassword)
	}
	if wait := l.login(there, "alice"); wait == 0 {
		t.Error("who guesses does not wait")
	}
	if wait := try(here, "alice", rightPassword); wait != 0 {
		t.Errorf("alice waits %v for others, where she has been before", wait)
	}

	for range 100 {
		if wait := try(here, "carol", nothingLearned); wait != 0 {
			t.Fatalf("what was not tried counts: %v", wait)
		}
	}
	pass(forgetAfter + time.Second)
	for i := range 3 * addressFactor {
		if wait := try(here, fmt.Sprint("name", i), wrongPassword); wait != 0 {
			t.Fatalf("name %d waits %v", i, wait)
		}
	}
	if wait := try(here, "yet another", wrongPassword); wait != time.Second {
		t.Errorf("an address that tries names waits %v, want 1s", wait)
	}
	if wait := try(there, "yet another", wrongPassword); wait != 0 {
		t.Errorf("another address waits %v", wait)
	}
	if n, m := l.refused[limitLogins].Load(), l.refused[limitAddress].Load(); n == 0 || m != 1 {
		t.Errorf("%d refused by account, %d by address", n, m)
	}

	l.on.Store(false)
	for range 100 {
		if wait := try(here, "alice", wrongPassword); wait != 0 {
			t.Fatalf("with the limits off it waits %v", wait)
		}
	}
}

// TestLimitLoginsAtOnce: many at a time are as many as one after the other.
func TestLimitLoginsAtOnce(t *testing.T) {
	l, _ := clockwork(limitConfig{loginTries: 3})
	passed := 0
	for range 20 {
		if l.login(here, "alice") == 0 {
			passed++
		}
	}
	if passed != 3 {
		t.Errorf("%d pass before one has failed, want 3", passed)
	}
}

// TestLimitPaces: buckets empty and fill, by address; 0 and off are no limit.
func TestLimitPaces(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   limitConfig
		ask   func(*limits, netip.Addr) time.Duration
		burst int
		every time.Duration
	}{
		{"handshakes", limitConfig{handshakeRate: 2, handshakeBurst: 3}, (*limits).handshake, 3, 500 * time.Millisecond},
		{"registrations", limitConfig{registrations: 4}, (*limits).register, 4, 15 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, pass := clockwork(c.cfg)
			for i := range c.burst {
				if wait := c.ask(l, here); wait != 0 {
					t.Fatalf("the %d. waits %v", i+1, wait)
				}
			}
			if wait := c.ask(l, here); (wait - c.every).Abs() > time.Millisecond {
				t.Errorf("one too many waits %v, want %v", wait, c.every)
			}
			if wait := c.ask(l, there); wait != 0 {
				t.Errorf("another address waits %v", wait)
			}
			pass(c.every + time.Millisecond)
			if wait := c.ask(l, here); wait != 0 {
				t.Errorf("after its time it waits %v", wait)
			}
			if c.ask(l, here) == 0 {
				t.Error("and one more passes")
			}
			l.on.Store(false)
			for range 1000 {
				if wait := c.ask(l, here); wait != 0 {
					t.Fatalf("with the limits off it waits %v", wait)
				}
			}
			none, _ := clockwork(limitConfig{})
			for range 1000 {
				if wait := c.ask(none, here); wait != 0 {
					t.Fatalf("without a limit it waits %v", wait)
				}
			}
		})
	}
}

// TestLimitTables: whoever comes from more addresses than there are entries finds
// no more memory used than that.
func TestLimitTables(t *testing.T) {
	l, pass := clockwork(limitConfig{handshakeRate: 0.001, handshakeBurst: 1, loginTries: 1, registrations: 1})
	for i := range 2*mostEntries + 10 {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		l.handshake(addr)
		l.register(addr)
		l.greet(addr)
		if l.login(addr, strconv.Itoa(i)) == 0 && i%2 == 0 {
			l.loggedIn(addr, strconv.Itoa(i), rightPassword)
		}
		if i%1000 == 0 {
			pass(time.Second)
		}
	}
	for name, n := range map[string]int{
		"handshakes": len(l.handshakes.entries), "tls": len(l.tls.entries), "registrations": len(l.registrations.entries),
		"accounts": len(l.accounts.entries), "addresses": len(l.addresses.entries), "friends": len(l.friends.entries),
	} {
		if n > mostEntries {
			t.Errorf("%s has %d entries, over %d", name, n, mostEntries)
		}
	}
	if len(l.handshakes.entries) < mostEntries/2 {
		t.Errorf("%d entries: the test shows nothing", len(l.handshakes.entries))
	}
}

// TestLimitTableKeeps: room is made by those who have rested, while there are any.
func TestLimitTableKeeps(t *testing.T) {
	now := time.Now()
	tab := table[int, time.Time]{rested: func(v, now time.Time) bool { return now.After(v) }}
	for i := range mostEntries {
		until := now.Add(time.Hour)
		if i%2 == 0 {
			until = now
		}
		tab.put(i, until, now)
	}
	tab.put(-1, now, now.Add(time.Second))
	for i := 1; i < mostEntries; i += 2 {
		if _, ok := tab.get(i); !ok {
			t.Fatalf("entry %d is gone", i)
		}
	}
	if n := len(tab.entries); n != mostEntries/2+1 {
		t.Errorf("%d entries", n)
	}
}

func TestTryAgain(t *testing.T) {
	for _, c := range []struct {
		wait time.Duration
		want string
	}{
		{time.Millisecond, "X, try again in 1 second"},
		{7100 * time.Millisecond, "X, try again in 8 seconds"},
		{90 * time.Second, "X, try again in 90 seconds"},
		{91 * time.Second, "X, try again in 2 minutes"},
		{time.Hour, "X, try again in 60 minutes"},
	} {
		if got := tryAgain("X", c.wait); got != c.want {
			t.Errorf("%v: %q, want %q", c.wait, got, c.want)
		}
	}
}

// TestLimitsReached reaches each limit of an address on a running server: the
// answer to the client, and the counter.
func TestLimitsReached(t *testing.T) {
	s := startServer(t, "-login-tries", "2", "-registrations-per-hour", "2", "-handshake-rate", "0.01", "-handshake-burst", "3", "-max-message", "256")
	p := connect(t, s)
	deny := func(packet, want string) {
		t.Helper()
		p.say("%s", packet)
		p.await("a Deny", func(h *heard) bool { return strings.Contains(h.raw, want) })
	}
	p.register("alice")
	p.register("bob")
	deny(`{"a":"Register","p0":"carol","p1":"password"}`, "Too many registrations, try again in 30 minutes")
	for range 2 {
		deny(`{"a":"Login","p0":"alice","p1":"guess"}`, "Username or password incorrect")
	}
	deny(`{"a":"Login","p0":"Alice","p1":"password"}`, "Too many attempts, try again in 1 second")
	p.say(`{"a":"Login","p0":"alice","p1":%q}`, strings.Repeat("x", 300))
	if code := p.ended(); code != 1009 {
		t.Errorf("a message that is too long: closed with %d", code)
	}

	for range 2 {
		if q, err := dial(t, s.addr); err == nil {
			_ = q.ws.CloseNow()
		} else {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "websocket")
	resp, err := webClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if again, err := strconv.Atoi(resp.Header.Get("Retry-After")); resp.StatusCode != http.StatusTooManyRequests || err != nil || again < 1 || !strings.Contains(string(text), "try again in") {
		t.Errorf("%d, Retry-After %q, %q", resp.StatusCode, resp.Header.Get("Retry-After"), text)
	}
	for _, limit := range []string{"handshakes", "logins_of_account", "registrations"} {
		if n := s.metric(t, `limit_refused_total{limit="`+limit+`"}`); n != "1" {
			t.Errorf("%s: %s refused, want 1", limit, n)
		}
	}
	if status, _ := s.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("pages are limited too: %d", status)
	}
}

// TestLimitRequests: one address may fill a part of the hash queue, not all of it.
func TestLimitRequests(t *testing.T) {
	s := startServer(t, "-requests-per-ip", "1", "-hash-memory", "65536", "-hash-time", "2")
	a, b := connect(t, s), connect(t, s)
	a.say(`{"a":"Register","p0":"alice","p1":"password"}`)
	until(t, "b is refused", func() bool {
		b.say(`{"a":"Login","p0":"bob","p1":"password"}`)
		h := b.await("an answer", func(*heard) bool { return true })
		a.say(`{"a":"Register","p0":"alice","p1":"password"}`) // keeps it busy
		return strings.Contains(h.raw, "Too many requests from your address")
	})
	if n := s.metric(t, `limit_refused_total{limit="requests"}`); n == "0" {
		t.Error("not counted")
	}
}
