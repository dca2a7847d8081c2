package main

import (
	"fmt"
	"hash/maphash"
	"math"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/time/rate"
)

// The limits that refuse, in metrics.
const (
	limitHandshakes    = iota // before the upgrade
	limitTLS                  // before a TLS handshake
	limitLogins               // failed logins of an account
	limitAddress              // failed logins from an address
	limitRegistrations        // from an address
	limitRequests             // of an address in the hash queue
	limitConnections          // in all
	limitOfAddress            // connections
	limitCount
)

var limitLabels = [limitCount]string{"handshakes", "tls_handshakes", "logins_of_account", "logins_from_address", "registrations", "requests",
	"connections", "connections_of_address"}

// tlsFactor is how many times -handshake-rate TLS handshakes may be: pages need
// them too, and a refusal without TLS would be no answer.
const tlsFactor = 4

// addressFactor is how many times -login-tries an address may fail: a family, a
// school.
const addressFactor = 4

// limits are those per address and account. Each table is bounded; its lock is
// taken for a handshake, a login or a registration, never for a packet.
type limits struct {
	cfg     atomic.Pointer[limitConfig]
	on      atomic.Bool
	refused [limitCount]atomic.Uint64
	now     func() time.Time
	seed    maphash.Seed

	mu            sync.Mutex
	handshakes    table[netip.Prefix, *rate.Limiter]
	tls           table[netip.Prefix, *rate.Limiter]
	registrations table[netip.Prefix, *rate.Limiter]
	requests      map[netip.Prefix]int // bounded by the hash queue and the connections
	accounts      table[uint64, failures]
	addresses     table[netip.Prefix, failures]
	friends       table[uint64, uint32]
	began         time.Time // of the friends' clock
}

func newLimits(cfg limitConfig, on bool) *limits {
	l := &limits{now: time.Now, seed: maphash.MakeSeed(), requests: make(map[netip.Prefix]int)}
	l.set(cfg, on)
	rested := func(r *rate.Limiter, now time.Time) bool { return r.TokensAt(now) >= float64(r.Burst()) }
	l.handshakes.rested, l.tls.rested, l.registrations.rested = rested, rested, rested
	l.accounts.rested, l.addresses.rested = failures.rested, failures.rested
	l.friends.rested = l.strangers
	return l
}

// set changes the limits. What is counted so far stays: buckets go on at the new
// rate, and whoever has fewer failures than are free now need not wait. Any goroutine.
func (l *limits) set(cfg limitConfig, on bool) {
	l.cfg.Store(&cfg)
	l.on.Store(on)
}

// malformed is how many malformed packets in a minute are too many, 0 if none are.
func (l *limits) malformed() int {
	if !l.on.Load() {
		return 0
	}
	return l.cfg.Load().malformed
}

// handshake lets a WebSocket handshake pass, or says for how long it should not
// be tried again.
func (l *limits) handshake(addr netip.Addr) (wait time.Duration) {
	c := l.cfg.Load()
	return l.pace(&l.handshakes, limitHandshakes, addr, c.handshakeRate, c.handshakeBurst)
}

// greet lets a TLS handshake pass.
func (l *limits) greet(addr netip.Addr) bool {
	c := l.cfg.Load()
	return l.pace(&l.tls, limitTLS, addr, tlsFactor*c.handshakeRate, tlsFactor*c.handshakeBurst) == 0
}

// register lets a registration pass, or says for how long none will.
func (l *limits) register(addr netip.Addr) (wait time.Duration) {
	n := l.cfg.Load().registrations
	return l.pace(&l.registrations, limitRegistrations, addr, float64(n)/3600, n)
}

// pace takes a token of addr's bucket, or says when there will be one.
func (l *limits) pace(t *table[netip.Prefix, *rate.Limiter], label int, addr netip.Addr, perSecond float64, burst int) time.Duration {
	if !l.on.Load() || perSecond <= 0 {
		return 0
	}
	now, key := l.now(), network(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, ok := t.get(key)
	if !ok {
		bucket = rate.NewLimiter(rate.Limit(perSecond), burst)
		t.put(key, bucket, now)
	} else if bucket.Limit() != rate.Limit(perSecond) || bucket.Burst() != burst {
		bucket.SetLimitAt(now, rate.Limit(perSecond))
		bucket.SetBurstAt(now, burst)
	}
	token := bucket.ReserveN(now, 1)
	wait := token.DelayFrom(now)
	if wait > 0 {
		token.CancelAt(now)
		l.refused[label].Add(1)
	}
	return wait
}

// request lets one more Login or Register of addr wait for its hash, until done.
func (l *limits) request(addr netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := network(addr)
	if most := l.cfg.Load().requests; l.on.Load() && most > 0 && l.requests[key] >= most {
		l.refused[limitRequests].Add(1)
		return false
	}
	l.requests[key]++
	return true
}

// done is called once for each request that passed.
func (l *limits) done(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := network(addr)
	if l.requests[key]--; l.requests[key] <= 0 {
		delete(l.requests, key)
	}
}

// tryAgain is a sentence that says when: what comes before the when, and the wait.
func tryAgain(what string, wait time.Duration) string {
	n, unit := int64(math.Ceil(wait.Seconds())), "second"
	if n > 90 {
		n, unit = int64(math.Ceil(wait.Minutes())), "minute"
	}
	if n = max(n, 1); n > 1 {
		unit += "s"
	}
	return fmt.Sprintf("%s, try again in %d %s", what, n, unit)
}

// accountKey is what counts as one account: names that the accounts take for the
// same are one. It is a number, so that a table's size does not depend on what
// strangers write.
func (l *limits) accountKey(name string) uint64 {
	name = name[:min(len(name), 256)] // no account's is as long
	name = cases.Fold().String(norm.NFKC.String(strings.TrimSpace(name)))
	return maphash.String(l.seed, norm.NFKC.String(name))
}
