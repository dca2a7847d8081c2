// Package admin is the operator's listener: a page with live graphs, players,
// bans and the audit log, and the HTTP API behind it, which programs may use too
// (API.md). What its buttons mean is in package moderation.
//
// It is meant for a listener of its own, kept off the internet. It knows neither
// the loop nor the connections: counters are read through a function, once a
// second, players through moderation.Desk.
package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"tavern/game/account"
	"tavern/server/moderation"
)

// Store is what a Server needs of the database. *account.Store is one.
type Store interface {
	Audit(ctx context.Context, before int64, limit int) ([]account.Entry, error)
	Record(ctx context.Context, e account.Entry) error
	Setting(ctx context.Context, name string) (string, error)
	SetSetting(ctx context.Context, name, value string, e account.Entry) error
}

var _ Store = (*account.Store)(nil)

// Config of a Server. Desk, Store and Read must be set.
type Config struct {
	Desk  *moderation.Desk
	Store Store
	// Token opens everything. Empty means the one whose hash is in the database,
	// see EnsureToken.
	Token string
	// Read reads the counters. Any goroutine.
	Read func() Reading
	// Peaks tells the longest work and lateness of a tick since it was last asked.
	// Run's goroutine asks, once a second. May be nil.
	Peaks func() (work, late time.Duration)
	// World is minX, minY, maxX, maxY in pixels.
	World [4]float64
	// MaxPlayers, Version and Commit are shown.
	MaxPlayers      func() int
	Version, Commit string
	// More adds routes that need no login, such as /healthz. May be nil.
	More   func(mux *http.ServeMux)
	Logger *slog.Logger     // default: discards
	Now    func() time.Time // default time.Now
}

// Server answers the operator. It is an http.Handler; Run must run for there to
// be graphs.
type Server struct {
	cfg     Config
	started time.Time
	history history
	crowd   crowd
	doors   doors
	handler http.Handler
}

// New makes a Server.
func New(cfg Config) (*Server, error) {
	if cfg.Desk == nil || cfg.Store == nil || cfg.Read == nil {
		return nil, errors.New("admin: Desk, Store and Read must be set")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Peaks == nil {
		cfg.Peaks = func() (work, late time.Duration) { return 0, 0 }
	}
	if cfg.MaxPlayers == nil {
		cfg.MaxPlayers = func() int { return 0 }
	}
	s := &Server{cfg: cfg, started: cfg.Now()}
	s.crowd.desk, s.crowd.now = cfg.Desk, cfg.Now
	s.doors.now = cfg.Now
	s.doors.secret = s.secret
	s.handler = s.routes()
	return s, nil
}

// Run takes a sample every second until ctx is done.
func (s *Server) Run(ctx context.Context) {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	s.sample()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			s.sample()
		}
	}
}

func (s *Server) sample() {
	work, late := s.cfg.Peaks()
	s.history.take(s.cfg.Now(), s.cfg.Read(), work, late)
}

// ServeHTTP answers one request. See http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	s.handler.ServeHTTP(w, r)
}

// LoginFailures is how often somebody came with a wrong token. Any goroutine.
func (s *Server) LoginFailures() uint64 { return s.doors.failures.Load() }
