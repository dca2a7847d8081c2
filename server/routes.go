package main

import (
	"net/http"
	"strings"

	"tavern/server/ws"
)

// routes is what the port answers: any path upgrades, a few are for machines, the
// rest are pages.
func routes(edge *ws.Server, g *gate, m *metrics, h *health, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	h.routes(mux)
	m.routes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if !turnedAway(g, w, r) {
			pages.ServeHTTP(w, r)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The edge reads the list, and tells who has it wrong.
		if strings.Contains(strings.ToLower(strings.Join(r.Header["Upgrade"], ",")), "websocket") {
			upgrade(edge, g, w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// turnedAway answers one whose address is banned, in a sentence for people, and
// reports whether it did. A browser does not show the answer to an upgrade, but
// that to a page.
func turnedAway(g *gate, w http.ResponseWriter, r *http.Request) bool {
	addr, _, err := g.trusted.client(r)
	if err != nil {
		return false
	}
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
	addr, _, err := g.trusted.client(r)
	if err != nil {
		http.Error(w, "no peer address", http.StatusInternalServerError)
		return
	}
	if turnedAway(g, w, r) {
		return
	}
	if wait := g.limits.handshake(addr); wait > 0 {
		tooMany(w, wait)
		return
	}
	switch g.limiter.admit(addr) {
	case serverFull:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "The server is full, try again in a moment", http.StatusServiceUnavailable)
		return
	case addressFull:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many connections from your address", http.StatusServiceUnavailable)
		return
	}
	if !edge.Upgrade(w, r) {
		g.limiter.release(addr)
	}
}
