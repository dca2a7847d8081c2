package main

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"tavern/codec"
	"tavern/game/account"
)

// Why the limits deny, in metrics.
const (
	denyAttempts      = "attempts"
	denyRegistrations = "registrations"
	denyRequests      = "requests"
)

// held tells why a Login or Register may not go to the accounts now, in a
// sentence that says when, and what metrics call it. With no sentence it may, and
// g.answered must follow.
func (g *gate) held(c *client, packet codec.Packet) (label, why string) {
	addr := c.session.RemoteAddr()
	if !g.limits.request(addr) {
		return denyRequests, "Too many requests from your address, try again in a moment"
	}
	if packet.Action == codec.Register {
		if wait := g.limits.register(addr); wait > 0 {
			g.limits.done(addr)
			return denyRegistrations, tryAgain("Too many registrations", wait)
		}
	} else if wait := g.limits.login(addr, packet.S0); wait > 0 {
		g.limits.done(addr)
		return denyAttempts, tryAgain("Too many attempts", wait)
	}
	return "", ""
}

// answered tells the limits what the accounts said, once for each packet that
// was not held.
func (g *gate) answered(c *client, packet codec.Packet, err error) {
	addr := c.session.RemoteAddr()
	g.limits.done(addr)
	if packet.Action == codec.Register {
		return
	}
	what := nothingLearned
	switch {
	case errors.Is(err, account.ErrWrong):
		what = wrongPassword
	case err == nil, errors.Is(err, account.ErrLoggedIn):
		what = rightPassword
	}
	g.limits.loggedIn(addr, packet.S0, what)
}

// tooMany answers a handshake of an address that makes too many.
func tooMany(w http.ResponseWriter, wait time.Duration) {
	seconds := int64(wait/time.Second) + 1
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	w.Header().Set("Connection", "close")
	http.Error(w, tryAgain("Too many connections from your address", wait), http.StatusTooManyRequests)
}
