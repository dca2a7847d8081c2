package main

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	// forgetAfter is how long after the last one failures count.
	forgetAfter = 15 * time.Minute
	// mostAccountWait bounds the delay of an account: whoever fails in its name
	// on purpose must not keep its owner out for long.
	mostAccountWait = 30 * time.Second
	// mostAddressWait bounds that of an address.
	mostAddressWait = 5 * time.Minute
	// friendTime is how long an address from which an account was logged in to is
	// spared that account's delay, so that its owner does not wait for others.
	friendTime = 30 * 24 * time.Hour
)

// failures are the failed logins of an account or from an address.
type failures struct {
	n     int       // failed, or under way
	last  time.Time // the last of them
	until time.Time // nothing before then
}

// rested: too long ago to count.
func (f failures) rested(now time.Time) bool { return now.Sub(f.last) > forgetAfter }

// wait is how long f has to wait at now, when so many are free.
func (f failures) wait(now time.Time, free int) time.Duration {
	if f.n < free { // more are free than when until was set
		return 0
	}
	return max(0, f.until.Sub(now))
}

// add counts one more, of which free cost nothing, and each further one the double
// of the one before.
func (f *failures) add(now time.Time, free int, most time.Duration) {
	if f.rested(now) {
		*f = failures{}
	}
	f.n++
	f.last = now
	if over := f.n - free; over >= 0 {
		f.until = now.Add(min(most, time.Second<<min(over, 30)))
	}
}

// takeBack makes one uncounted.
func (f *failures) takeBack(free int) {
	f.n = max(0, f.n-1)
	if f.n < free {
		f.until = time.Time{}
	}
}

// friend is an account and an address from which it was logged in to. It is a number
// too, and when it was last seen is seconds since the first of all, because there is
// one for each player: 16 bytes in the table, where the words themselves took 64.
func (l *limits) friend(account uint64, from netip.Prefix) uint64 {
	return maphash.Comparable(l.seed, struct {
		account uint64
		from    netip.Prefix
	}{account, from})
}

// befriend notes a login. mu is held.
func (l *limits) befriend(account uint64, from netip.Prefix, now time.Time) {
	if l.began.IsZero() {
		l.began = now
	}
	l.friends.put(l.friend(account, from), uint32(now.Sub(l.began)/time.Second), now)
}

// strangers: so long ago that the table may forget it.
func (l *limits) strangers(seen uint32, now time.Time) bool {
	return now.Sub(l.began)-time.Duration(seen)*time.Second > friendTime
}

// login lets a Login be tried, or says for how long it must not. What passes
// counts as failed until loggedIn says otherwise: many at a time are many.
func (l *limits) login(addr netip.Addr, name string) (wait time.Duration) {
	free := l.cfg.Load().loginTries
	if !l.on.Load() || free == 0 {
		return 0
	}
	now, account, from := l.now(), l.accountKey(name), network(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	a, _ := l.addresses.get(from)
	if wait := a.wait(now, addressFactor*free); wait > 0 {
		l.refused[limitAddress].Add(1)
		return wait
	}
	c, _ := l.accounts.get(account)
	if _, known := l.friends.get(l.friend(account, from)); !known {
		if wait := c.wait(now, free); wait > 0 {
			l.refused[limitLogins].Add(1)
			return wait
		}
	}
	a.add(now, addressFactor*free, mostAddressWait)
	c.add(now, free, mostAccountWait)
	l.addresses.put(from, a, now)
	l.accounts.put(account, c, now)
	return 0
}

// lesson is what became of a Login that had passed.
type lesson uint8

const (
	wrongPassword lesson = iota
	rightPassword
	nothingLearned // it was not tried: the server was busy, the client had gone
)

// loggedIn tells what became of a Login.
func (l *limits) loggedIn(addr netip.Addr, name string, what lesson) {
	free := l.cfg.Load().loginTries
	if what == wrongPassword || free == 0 {
		return
	}
	now, account, from := l.now(), l.accountKey(name), network(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	if a, ok := l.addresses.get(from); ok {
		a.takeBack(addressFactor * free)
		l.addresses.put(from, a, now)
	}
	if what == rightPassword {
		l.accounts.remove(account)
		if l.on.Load() {
			l.befriend(account, from, now)
		}
	} else if c, ok := l.accounts.get(account); ok {
		c.takeBack(free)
		l.accounts.put(account, c, now)
	}
}
