package main

import (
	"net/http"
	"net/netip"
	"strings"

	"tavern/server/ws"
)

// routes is what the port answers: any path upgrades, a few are for machines, the
// rest are pages.
func routes(edge *ws.Server, g *gate, m *metrics, h *health, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	h.routes(mux)
	metrics := m.handler()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !readsMetrics(g, r) {
			http.Error(w, "These numbers are for the operator, who can say otherwise with -metrics.", http.StatusForbidden)
			return
		}
		metrics.ServeHTTP(w, r)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		addr, _, err := g.peers.Load().trusted.client(r)
		if err != nil || !turnedAway(g, w, addr) {
			pages.ServeHTTP(w, r)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			upgrade(edge, g, w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// readsMetrics tells whether a request comes from where -metrics says. Whoever
// comes through a proxy that is not trusted may be anybody.
func readsMetrics(g *gate, r *http.Request) bool {
	peers := g.peers.Load()
	addr, proxied, err := peers.trusted.client(r)
	if err != nil || !proxied && (len(r.Header["X-Forwarded-For"]) > 0 || len(r.Header["Forwarded"]) > 0) {
		return false
	}
	return peers.metrics.has(addr)
}

// turnedAway answers one whose address is banned, in a sentence for people, and
// reports whether it did. A browser does not show the answer to an upgrade, but
// that to a page.
func turnedAway(g *gate, w http.ResponseWriter, addr netip.Addr) bool {
	why, banned := g.desk.BannedAddress(addr)
	if !banned {
		return false
	}
	g.counts.turnedAway.Add(1)
	w.Header().Set("Connection", "close")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, http.StatusForbidden)
	return true
}

// upgrade lets a connection in if there is room for it. Its place is given back
// by gate.Closed, or here when it came to nothing.
func upgrade(edge *ws.Server, g *gate, w http.ResponseWriter, r *http.Request) {
	// Once: the proxies may change meanwhile, and the place is given back by what
	// the session takes for its peer.
	addr, proxied, err := g.peers.Load().trusted.client(r)
	if err != nil {
		http.Error(w, "no peer address", http.StatusInternalServerError)
		return
	}
	if turnedAway(g, w, addr) {
		return
	}
	if wait := g.limits.handshake(addr); wait > 0 {
		tooMany(w, wait)
		return
	}
	switch g.limiter.admit(addr) {
	case serverFull:
		g.limits.refused[limitConnections].Add(1)
		w.Header().Set("Retry-After", "30")
		http.Error(w, "The server is full, try again in a moment", http.StatusServiceUnavailable)
		return
	case addressFull:
		g.limits.refused[limitOfAddress].Add(1)
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many connections from your address", http.StatusServiceUnavailable)
		return
	}
	told := netip.Addr{}
	if proxied {
		told = addr
	}
	if !edge.Upgrade(w, r, told) {
		g.limiter.release(addr)
	}
}
