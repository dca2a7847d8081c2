package main

import (
	"net/netip"
	"sync"
)

// limiter counts connections, in all and per address, from before the upgrade to
// the end of the session. Its lock is taken when a connection comes or goes,
// never for a packet.
type limiter struct {
	mu              sync.Mutex
	most, mostPerIP int // mostPerIP 0: no limit per address
	all             int
	perIP           map[netip.Prefix]int // also without a limit: there may be one later
}

func newLimiter(most, mostPerIP int) *limiter {
	return &limiter{most: most, mostPerIP: mostPerIP, perIP: make(map[netip.Prefix]int)}
}

// set changes the limits for those who come from now on.
func (l *limiter) set(most, mostPerIP int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.most, l.mostPerIP = most, mostPerIP
}

// limit is the most connections at a time.
func (l *limiter) limit() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most
}

type verdict uint8

const (
	admitted verdict = iota
	serverFull
	addressFull
)

// admit counts a connection in, or says why not.
func (l *limiter) admit(addr netip.Addr) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.most {
		return serverFull
	}
	key := network(addr)
	if l.mostPerIP > 0 && l.perIP[key] >= l.mostPerIP {
		return addressFull
	}
	l.perIP[key]++
	l.all++
	return admitted
}

// release counts a connection out that admit had counted in.
func (l *limiter) release(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	key := network(addr)
	if l.perIP[key]--; l.perIP[key] <= 0 {
		delete(l.perIP, key)
	}
}

// network is what counts as one address: all of IPv4, the /64 of IPv6, which is
// what one subscriber is given (RFC 6177).
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.Prefix(bits) // fails for the zero Addr only, which is a key like any other
	return p
}
