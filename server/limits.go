package main

import (
	"flag"
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

	"tavern/codec"
)

// maxMessageBytes is the longest message that a client may ever send.
const maxMessageBytes = codec.MaxPacketBytes

// mostRate bounds what may be asked for in a second, or in a row: nobody could do
// more, and four times as much is still a number (see tlsFactor).
const mostRate = 1_000_000

// limitConfig are the settings of LIMITS.md that are nobody else's. In all of
// them 0 means no limit, where it says so.
type limitConfig struct {
	handshakeRate  float64
	handshakeBurst int
	loginTries     int
	registrations  int
	requests       int
	targetRate     float64
	targetBurst    int
	message        int
	headerBytes    int
	headerTime     time.Duration
	lag            int
	backlog        int
	blocked        time.Duration
}

func (c *limitConfig) flags(fs *flag.FlagSet) {
	fs.Float64Var(&c.handshakeRate, "handshake-rate", 10, "WebSocket handshakes per `second` from one address (IPv6: one /64) in the long run, and four times as many of TLS; 0 = no limit")
	fs.IntVar(&c.handshakeBurst, "handshake-burst", 100, "`handshakes` in a row before -handshake-rate counts")
	fs.IntVar(&c.loginTries, "login-tries", 5, "failed `logins` of one account before each further one has to wait, 1 s, 2 s, 4 s and so on; one address has four times as many; 0 = no limit")
	fs.IntVar(&c.registrations, "registrations-per-hour", 20, "new `accounts` per hour from one address, of which so many may come at once; 0 = no limit")
	fs.IntVar(&c.requests, "requests-per-ip", 32, "logins and registrations of one address that may wait for their `hash` at a time, of 256 in all; 0 = no limit")
	fs.Float64Var(&c.targetRate, "target-rate", 20, "Targets per `second` and player in the long run; 0 = no limit")
	fs.IntVar(&c.targetBurst, "target-burst", 40, "`Targets` in a row before -target-rate counts")
	fs.IntVar(&c.message, "max-message", codec.MaxPacketBytes, fmt.Sprintf("longest message a client may send in `bytes`, 256 to %d", codec.MaxPacketBytes))
	fs.IntVar(&c.headerBytes, "max-header", 8192, "longest HTTP header in `bytes`, 1024 to 1048576")
	fs.DurationVar(&c.headerTime, "header-time", 5*time.Second, "`duration` in which a header, or a TLS handshake, must have come, 100ms to 1m")
	fs.IntVar(&c.lag, "max-lag", 4<<20, "how far a player may stay behind in what there is to hear, in `bytes`, 65536 or more")
	fs.IntVar(&c.backlog, "max-backlog", 1<<20, "most `bytes` that wait for one player behind the kernel's buffer, 524288 to 1073741824")
	fs.DurationVar(&c.blocked, "max-blocked", 5*time.Minute, "`duration` for which a player may read nothing of what waits for it, 1s or more")
}

func (c *limitConfig) check() error {
	bad := func(v float64) bool { return !(v >= 0 && v <= mostRate) }
	switch {
	case bad(c.handshakeRate):
		return fmt.Errorf("-handshake-rate %v: must be from 0 (no limit) to %d", c.handshakeRate, mostRate)
	case c.handshakeBurst < 1 || c.handshakeBurst > mostRate:
		return fmt.Errorf("-handshake-burst %d: must be from 1 to %d", c.handshakeBurst, mostRate)
	case c.loginTries < 0 || c.loginTries > 1000:
		return fmt.Errorf("-login-tries %d: must be from 0 (no limit) to 1000", c.loginTries)
	case c.registrations < 0 || c.registrations > mostRate:
		return fmt.Errorf("-registrations-per-hour %d: must be from 0 (no limit) to %d", c.registrations, mostRate)
	case c.requests < 0 || c.requests > mostRate:
		return fmt.Errorf("-requests-per-ip %d: must be from 0 (no limit) to %d", c.requests, mostRate)
	case bad(c.targetRate):
		return fmt.Errorf("-target-rate %v: must be from 0 (no limit) to %d", c.targetRate, mostRate)
	case c.targetBurst < 1 || c.targetBurst > mostRate:
		return fmt.Errorf("-target-burst %d: must be from 1 to %d", c.targetBurst, mostRate)
	case c.message < 256 || c.message > codec.MaxPacketBytes:
		return fmt.Errorf("-max-message %d: must be from 256 to %d bytes", c.message, codec.MaxPacketBytes)
	case c.headerBytes < 1024 || c.headerBytes > 1<<20:
		return fmt.Errorf("-max-header %d: must be from 1024 to 1048576 bytes", c.headerBytes)
	case c.headerTime < 100*time.Millisecond || c.headerTime > time.Minute:
		return fmt.Errorf("-header-time %v: must be from 100ms to 1m", c.headerTime)
	case c.lag < 64<<10:
		return fmt.Errorf("-max-lag %d: must be at least 65536 bytes", c.lag)
	case c.backlog < 512<<10 || c.backlog > 1<<30:
		return fmt.Errorf("-max-backlog %d: must be from 524288 to 1073741824 bytes", c.backlog)
	case c.blocked < time.Second:
		return fmt.Errorf("-max-blocked %v: must be at least 1s", c.blocked)
	}
	return nil
}

// targets is the rate that holds: none when -limits is off.
func (c *config) targets() float64 {
	if !c.limits {
		return 0
	}
	return c.limit.targetRate
}

// The limits that refuse, in metrics.
const (
	limitHandshakes    = iota // before the upgrade
	limitTLS                  // before a TLS handshake
	limitLogins               // failed logins of an account
	limitAddress              // failed logins from an address
	limitRegistrations        // from an address
	limitRequests             // of an address in the hash queue
	limitCount
)

var limitLabels = [limitCount]string{"handshakes", "tls_handshakes", "logins_of_account", "logins_from_address", "registrations", "requests"}

// tlsFactor is how many times -handshake-rate TLS handshakes may be: pages need
// them too, and a refusal without TLS would be no answer.
const tlsFactor = 4

// addressFactor is how many times -login-tries an address may fail: a family, a
// school.
const addressFactor = 4

// limits are those per address and account. Each table is bounded; its lock is
// taken for a handshake, a login or a registration, never for a packet.
type limits struct {
	cfg     limitConfig
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
	friends       table[friend, time.Time]
}

func newLimits(cfg limitConfig, on bool) *limits {
	l := &limits{cfg: cfg, now: time.Now, seed: maphash.MakeSeed(), requests: make(map[netip.Prefix]int)}
	l.on.Store(on)
	rested := func(r *rate.Limiter, now time.Time) bool { return r.TokensAt(now) >= float64(r.Burst()) }
	l.handshakes.rested, l.tls.rested, l.registrations.rested = rested, rested, rested
	l.accounts.rested, l.addresses.rested = failures.rested, failures.rested
	l.friends.rested = func(since, now time.Time) bool { return now.Sub(since) > friendTime }
	return l
}

// handshake lets a WebSocket handshake pass, or says for how long it should not
// be tried again.
func (l *limits) handshake(addr netip.Addr) (wait time.Duration) {
	return l.pace(&l.handshakes, limitHandshakes, addr, l.cfg.handshakeRate, l.cfg.handshakeBurst)
}

// greet lets a TLS handshake pass.
func (l *limits) greet(addr netip.Addr) bool {
	return l.pace(&l.tls, limitTLS, addr, tlsFactor*l.cfg.handshakeRate, tlsFactor*l.cfg.handshakeBurst) == 0
}

// register lets a registration pass, or says for how long none will.
func (l *limits) register(addr netip.Addr) (wait time.Duration) {
	return l.pace(&l.registrations, limitRegistrations, addr, float64(l.cfg.registrations)/3600, l.cfg.registrations)
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
	if l.on.Load() && l.cfg.requests > 0 && l.requests[key] >= l.cfg.requests {
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
