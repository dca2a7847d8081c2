package admin

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// sessionTime is how long a login lasts without use.
	sessionTime = 12 * time.Hour
	// maxSessions bounds the logins that are remembered; the oldest is forgotten.
	maxSessions = 64
	// firstDelay is how long an address must wait after a wrong token. It doubles
	// with each further one, up to longestDelay.
	firstDelay   = time.Second
	longestDelay = time.Minute
	// maxGuessers bounds the addresses that are remembered for wrong tokens.
	maxGuessers = 1024
)

// Why nobody is let in.
var (
	errWrongToken = errors.New("the token is wrong")
	errNoToken    = errors.New("there is no token: make one with the command admin-token")
)

// tooSoon says how long to wait before the next try.
type tooSoon time.Duration

// Error says it in words.
func (t tooSoon) Error() string { return "too many wrong tokens, wait a moment" }

// doors lets the operator in: by token, and then by session. Any goroutine.
type doors struct {
	now      func() time.Time
	secret   func(context.Context) (hash string, err error)
	failures atomic.Uint64

	mu       sync.Mutex
	sessions map[string]*session // by the hash of their ID
	guessers map[netip.Prefix]*guesser
}

// session is one login of the page.
type session struct {
	name  string // of the operator, for the audit log
	token string // the hash of the token that it came with
	used  time.Time
}

// guesser is an address that came with a wrong token.
type guesser struct {
	wrong int
	until time.Time // when it may try again
}

// check tells whether token is the right one. A wrong one makes its address wait;
// who waits is not even looked at, so that guessing has a rate.
func (d *doors) check(ctx context.Context, addr netip.Addr, token string) (hash string, err error) {
	key := guesserKey(addr)
	now := d.now()
	d.mu.Lock()
	if g := d.guessers[key]; g != nil && now.Before(g.until) {
		wait := g.until.Sub(now)
		d.mu.Unlock()
		return "", tooSoon(wait)
	}
	d.mu.Unlock()

	want, err := d.secret(ctx)
	if err != nil {
		return "", err
	}
	if want == "" {
		return "", errNoToken
	}
	hash = hashed(token)
	right := subtle.ConstantTimeCompare([]byte(hash), []byte(want)) == 1
	d.mu.Lock()
	defer d.mu.Unlock()
	if right {
		delete(d.guessers, key)
		return hash, nil
	}
	d.failures.Add(1)
	d.wrong(key, now)
	return "", errWrongToken
}

// guesserKey is what counts as one address.
func guesserKey(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.Prefix(bits) // fails for the zero Addr only, which is a key like any other
	return p
}

// wrong notes a wrong token. d.mu is held.
func (d *doors) wrong(key netip.Prefix, now time.Time) {
	if d.guessers == nil {
		d.guessers = make(map[netip.Prefix]*guesser)
	}
	g := d.guessers[key]
	if g == nil {
		if len(d.guessers) >= maxGuessers {
			d.forgetGuesser()
		}
		g = new(guesser)
		d.guessers[key] = g
	}
	g.until = now.Add(min(firstDelay<<min(g.wrong, 10), longestDelay))
	g.wrong++
}

// forgetGuesser makes room: it drops whoever may try again soonest. d.mu is held.
func (d *doors) forgetGuesser() {
	var first netip.Prefix
	var until time.Time
	for key, g := range d.guessers {
		if until.IsZero() || g.until.Before(until) {
			first, until = key, g.until
		}
	}
	delete(d.guessers, first)
}

// open begins a session for one who came with the token of this hash, and returns
// its ID.
func (d *doors) open(tokenHash, name string) (id string) {
	id = secret()
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions == nil {
		d.sessions = make(map[string]*session)
	}
	if len(d.sessions) >= maxSessions {
		var oldest string
		for key, s := range d.sessions {
			if oldest == "" || s.used.Before(d.sessions[oldest].used) {
				oldest = key
			}
		}
		delete(d.sessions, oldest)
	}
	d.sessions[hashed(id)] = &session{name: name, token: tokenHash, used: now}
	return id
}

// enter tells whether id is that of a session, and whose. A session ends when its
// token is replaced.
func (d *doors) enter(ctx context.Context, id string) (name string, ok bool) {
	want, err := d.secret(ctx)
	if err != nil {
		return "", false
	}
	key, now := hashed(id), d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[key]
	if s == nil {
		return "", false
	}
	if now.Sub(s.used) > sessionTime || subtle.ConstantTimeCompare([]byte(s.token), []byte(want)) != 1 {
		delete(d.sessions, key)
		return "", false
	}
	s.used = now
	return s.name, true
}

// close ends a session.
func (d *doors) close(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, hashed(id))
}
