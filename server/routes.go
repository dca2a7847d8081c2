package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tavern/codec"
	"tavern/server/ws"
)

// maxMessageBytes is the longest message a client may send.
const maxMessageBytes = codec.MaxPacketBytes

// routes is what the port answers: any path upgrades, a few are pages.
func routes(edge *ws.Server, g *gate, m *metrics, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("/", pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			upgrade(edge, g, w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// upgrade lets a connection in if there is room for it. Its place is given back
// by gate.Closed, or here when it came to nothing.
func upgrade(edge *ws.Server, g *gate, w http.ResponseWriter, r *http.Request) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		http.Error(w, "no peer address", http.StatusInternalServerError)
		return
	}
	switch g.limiter.admit(peer.Addr()) {
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
		g.limiter.release(peer.Addr())
	}
}
