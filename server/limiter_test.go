package main

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
)

// TestLimiterNetworks tells which addresses share one limit.
func TestLimiterNetworks(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		shared     bool
	}{
		{"one IPv4 address", "192.0.2.1", "192.0.2.1", true},
		{"two IPv4 addresses", "192.0.2.1", "192.0.2.2", false},
		{"IPv4 and its mapped form", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"two mapped addresses", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"one /64", "2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
		{"two /64", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"two zones of one link", "fe80::1%eth0", "fe80::2%eth1", true},
		{"IPv4 and IPv6", "192.0.2.1", "2001:db8::1", false},
		{"mapped IPv4 and the /64 that it would be in", "::ffff:192.0.2.1", "::1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLimiter(100, 1)
			a, b := netip.MustParseAddr(c.a), netip.MustParseAddr(c.b)
			if v := l.admit(a); v != admitted {
				t.Fatalf("the first is not admitted: %d", v)
			}
			want := admitted
			if c.shared {
				want = addressFull
			}
			if v := l.admit(b); v != want {
				t.Errorf("the second: %d, want %d", v, want)
			}
			l.release(a)
			if v := l.admit(a); v != admitted && !c.shared {
				t.Errorf("after its release the first is not admitted again: %d", v)
			}
		})
	}
}

// TestLimiterCounts fills and empties the limiter: it forgets addresses that have
// nothing open.
func TestLimiterCounts(t *testing.T) {
	l := newLimiter(4, 2)
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.3")
	for i, step := range []struct {
		addr netip.Addr
		want verdict
	}{{a, admitted}, {a, admitted}, {a, addressFull}, {b, admitted}, {b, admitted}, {c, serverFull}, {a, serverFull}} {
		if v := l.admit(step.addr); v != step.want {
			t.Errorf("step %d: %d, want %d", i, v, step.want)
		}
	}
	l.release(a)
	if v := l.admit(c); v != admitted {
		t.Errorf("a place is free, but: %d", v)
	}
	for _, addr := range []netip.Addr{a, b, b, c} {
		l.release(addr)
	}
	if l.all != 0 || len(l.perIP) != 0 {
		t.Errorf("%d connections and %d addresses are left, want none", l.all, len(l.perIP))
	}
}

// TestLimiterUnlimited has no limit per address, and then one: it counts those who
// came before.
func TestLimiterUnlimited(t *testing.T) {
	l := newLimiter(10, 0)
	a := netip.MustParseAddr("192.0.2.1")
	for range 10 {
		if v := l.admit(a); v != admitted {
			t.Fatalf("refused: %d", v)
		}
	}
	if v := l.admit(a); v != serverFull {
		t.Errorf("the eleventh: %d, want %d", v, serverFull)
	}
	l.set(20, 9)
	if v := l.admit(a); v != addressFull {
		t.Errorf("with a limit: %d, want %d", v, addressFull)
	}
	l.release(a)
	l.release(a)
	if v := l.admit(a); v != admitted {
		t.Errorf("a place is free, but: %d", v)
	}
}

// TestLimiterRace comes and goes from many goroutines; never are there too many.
func TestLimiterRace(t *testing.T) {
	const most, mostPerIP = 20, 3
	l := newLimiter(most, mostPerIP)
	var all sync.WaitGroup
	for i := range 16 {
		addr := netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", i%8))
		all.Go(func() {
			for range 500 {
				if l.admit(addr) != admitted {
					continue
				}
				l.mu.Lock()
				if l.all > most || l.perIP[network(addr)] > mostPerIP {
					t.Errorf("%d connections, %d of one address", l.all, l.perIP[network(addr)])
				}
				l.mu.Unlock()
				l.release(addr)
			}
		})
	}
	all.Wait()
	if l.all != 0 || len(l.perIP) != 0 {
		t.Errorf("%d connections and %d addresses are left, want none", l.all, len(l.perIP))
	}
}
