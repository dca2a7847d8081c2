package main

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"tavern/game/account"
)

// health answers those who ask whether the server lives and whether it should be
// sent people.
type health struct {
	accounts *account.Store
	closing  atomic.Bool // the server is shutting down
}

// routes adds /healthz and /readyz to mux.
func (h *health) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if why := h.unwell(); why != "" { // it lives, and starting it again would lose what it keeps
			fmt.Fprintln(w, "ok, but "+why)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if why := h.unready(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
}

// unready says why nobody should be sent here, or nothing.
func (h *health) unready() string {
	switch {
	case h.closing.Load():
		return "shutting down"
	}
	return h.unwell()
}

// unwell says what does not work though the server lives, or nothing.
func (h *health) unwell() string {
	if h.accounts.SaverError() != nil {
		return "positions cannot be saved" // the log knows why; strangers need not
	}
	return ""
}
