package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tavern/game"
	"tavern/game/account"
	"tavern/server/admin"
	"tavern/server/moderation"
	"tavern/server/ws"
)

// office is the operator's listener.
type office struct {
	admin *admin.Server // nil when there is none
	web   *http.Server
	ln    net.Listener
}

// openOffice listens for the operator and serves nobody yet. A default address
// that is taken means that there is no page; one that was asked for must be had.
func openOffice(ctx context.Context, cfg *config, log *slog.Logger, page admin.Config, store *account.Store) (*office, error) {
	if cfg.admin == "" {
		return &office{}, nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.admin)
	if err != nil {
		if cfg.given["admin"] {
			return nil, fmt.Errorf("cannot listen on %s for the operator's page: %w", cfg.admin, err)
		}
		log.Warn("there is no operator's page", "error", err)
		return &office{}, nil
	}
	if cfg.adminToken == "" {
		token, err := admin.EnsureToken(ctx, store)
		if err != nil {
			_ = ln.Close()
			return nil, err
		}
		if token != "" { // a warning, so that no usual level hides it
			log.Warn("token for the operator's page: keep it, it is shown only now", "token", token)
		}
	}
	if addr := ln.Addr().(*net.TCPAddr); !addr.IP.IsLoopback() {
		log.Warn("the operator's page can be reached from other machines: have a proxy with TLS before it, and a firewall", "address", addr.String())
	}
	o := &office{ln: ln}
	if o.admin, err = admin.New(page); err != nil {
		_ = ln.Close()
		return nil, err
	}
	o.web = &http.Server{
		Handler:           o.admin,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	log.Info("operator's page", "address", "http://"+ln.Addr().String()+"/")
	return o, nil
}

// serve answers the operator until close.
func (o *office) serve() {
	if o.ln != nil {
		_ = o.web.Serve(o.ln) // ErrServerClosed
	}
}

// run takes samples until ctx is done.
func (o *office) run(ctx context.Context) {
	if o.admin != nil {
		o.admin.Run(ctx)
	}
}

// close ends serve; requests under way have a moment.
func (o *office) close() {
	if o.web == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), officeTime)
	defer cancel()
	if o.web.Shutdown(ctx) != nil {
		_ = o.web.Close()
	}
	_ = o.ln.Close() // if serve has not begun
}

// officeTime bounds what the operator's listener adds to a shutdown.
const officeTime = 300 * time.Millisecond

// pageConfig is what the operator's page shows of this server.
func pageConfig(cfg *config, m *metrics, h *health, g *gate, desk *moderation.Desk, accounts *account.Store, edge *ws.Server) admin.Config {
	return admin.Config{
		Desk: desk, Store: accounts, Token: cfg.adminToken, Logger: cfg.logger,
		Version: version, Commit: commit(),
		World:      [4]float64{cfg.world.MinX, cfg.world.MinY, cfg.world.MaxX, cfg.world.MaxY},
		MaxPlayers: g.limiter.limit,
		Read:       func() admin.Reading { return reading(m, g.loop, accounts, edge) },
		Peaks: func() (work, late time.Duration) {
			return time.Duration(m.maxWork.Swap(0)), time.Duration(m.maxLate.Swap(0))
		},
		More: func(mux *http.ServeMux) {
			h.routes(mux)
			mux.Handle("GET /metrics", m.handler())
		},
	}
}

// reading reads the counters for the operator's page. Any goroutine.
func reading(m *metrics, loop *game.Loop, accounts *account.Store, edge *ws.Server) admin.Reading {
	st, c := loop.Stats(), edge.Counters()
	return admin.Reading{
		Players: st.Players.Load(), Guests: st.Guests.Load(), Connections: c.Open,
		Queue: accounts.Stats().Queued, Memory: residentBytes(),
		Ticks: st.Ticks.Load(), Messages: c.Messages, BytesIn: c.BytesIn, BytesOut: c.BytesOut, Chats: st.Chats.Load(),
		Work: time.Duration(m.worked.Load()), CPU: processTime(),
	}
}

// processTime is how long the process has been on a processor.
func processTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// residentBytes is the memory that the process holds: by the kernel's account, or
// where that cannot be read by Go's.
func residentBytes() uint64 {
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			if pages, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
				return pages * uint64(os.Getpagesize())
			}
		}
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return mem.Sys - mem.HeapReleased
}
