package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"tavern/server/ws"
)

// routes is what the port answers: any path upgrades, a few are for machines, the
// rest are pages.
func routes(edge *ws.Server, g *gate, m *metrics, h *health, pages http.Handler, log *slog.Logger) http.Handler {
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
	return survive(m, log, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The edge reads the list, and tells who has it wrong.
		if strings.Contains(strings.ToLower(strings.Join(r.Header["Upgrade"], ",")), "websocket") {
			upgrade(edge, g, w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

// survive answers a request whose handler panics with 500, as long as that can be
// said, counts it and logs its stack. net/http would tell its debug log only.
func survive(m *metrics, log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause) // meant for net/http
			}
			m.webPanics.Add(1)
			log.Error("panic in a request", "method", r.Method, "path", r.URL.Path, "panic", cause, "stack", string(debug.Stack()))
			w.Header().Set("Connection", "close")
			http.Error(w, denyInternal, http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
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
	opened := false
	defer func() { // also from a panic
		if !opened {
			g.limiter.release(addr)
		}
	}()
	opened = edge.Upgrade(w, r, told)
}
