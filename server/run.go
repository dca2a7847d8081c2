package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tavern/game"
	"tavern/game/account"
	"tavern/game/stream"
	"tavern/server/doctor"
	"tavern/server/web"
	"tavern/server/ws"
)

// Bounds of the shutdown's steps. Together they stay under the five seconds that
// an operator waits for a SIGTERM to be obeyed.
const (
	flushTime = 1500 * time.Millisecond // for the last chats
	closeTime = 2 * time.Second         // for everybody's close handshake
	saveTime  = time.Second             // for the last positions
)

// run is the server, from opening the database to the last saved position. It
// returns nil when ctx ended it.
func run(ctx context.Context, cfg *config) error {
	log := cfg.logger
	if !cfg.limits {
		log.Warn("limits are off: anybody can flood this server; for load tests only")
		cfg.chatRate, cfg.maxPerIP = 0, 0
	}
	m := newMetrics()

	accounts, err := account.Open(ctx, account.Config{
		Path:          cfg.db,
		HashMemoryKiB: uint32(cfg.hashMemory),
		HashTime:      uint32(cfg.hashTime),
		Logger:        log,
	})
	if err != nil {
		return err
	}
	log.Info("database open", "file", cfg.db)
	for _, line := range doctor.Warnings(cfg.maxPlayers) {
		log.Warn(line)
	}

	leaving := &exits{Store: accounts}
	loop := game.New(game.Config{
		Tick:      cfg.tick,
		Speed:     cfg.speed,
		World:     game.Bounds(cfg.world),
		Cell:      cfg.cell,
		View:      cfg.view,
		ChatRate:  cfg.chatRate,
		ChatBurst: cfg.chatBurst,
		ChatRange: cfg.chatRange,
		Accounts:  leaving,
		Writers:   stream.Config{Writers: cfg.writers, BytesPerSecond: cfg.bandwidth},
		Observe:   m.tick,
	})
	pages := web.Folder(cfg.web)
	if cfg.web == "" {
		if pages, err = web.BuiltIn(); err != nil {
			return errors.Join(err, accounts.Close(ctx))
		}
	}
	g := &gate{
		loop: loop, accounts: leaving, guests: cfg.guests, counts: counts{bad: m.bad},
		limiter: newLimiter(cfg.maxPlayers, cfg.maxPerIP),
		start:   time.Now(),
	}
	edge, err := ws.New(ws.Config{MaxMessageBytes: maxMessageBytes, MaxSessions: cfg.maxSessions(), Logger: log}, g)
	if err != nil {
		return errors.Join(err, accounts.Close(ctx))
	}
	ln, err := ws.Listen(ctx, cfg.addr, ws.ListenConfig{})
	if err != nil {
		return errors.Join(fmt.Errorf("cannot listen on %s: %w", cfg.addr, err), accounts.Close(ctx))
	}
	if err := edge.Start(); err != nil {
		return errors.Join(err, ln.Close(), accounts.Close(ctx))
	}
	m.register(loop, accounts, edge, g)

	r := &running{edge: edge, accounts: accounts, log: log}
	var background context.Context
	background, r.stopLoop = context.WithCancel(context.Background())
	r.background.Go(func() { loop.Run(background, flushTime) })
	r.background.Go(func() { giveBackMemory(background) })
	r.background.Go(func() { edge.WatchSilence(background, ws.Silence{}) })

	r.web = &http.Server{
		Handler:           routes(edge, g, m, pages),
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    8 << 10,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- r.web.Serve(ln) }()
	log.Info("listening", "address", ln.Addr().String(), "version", version)
	log.Info("open for players", "max_players", cfg.maxPlayers, "max_per_ip", cfg.maxPerIP, "guests", string(cfg.guests), "tick", cfg.tick)
	if cfg.listening != nil {
		cfg.listening(ln.Addr().String())
	}

	select {
	case <-ctx.Done():
	case err = <-served:
		err = fmt.Errorf("the port's server ended: %w", err)
	}
	log.Info("shutting down", "players", loop.Stats().Players.Load(), "connections", edge.Counters().Open)
	return errors.Join(err, r.shutDown())
}

// running is what run has started and shutDown ends.
type running struct {
	web        *http.Server
	edge       *ws.Server
	accounts   *account.Store
	log        *slog.Logger
	stopLoop   func()
	background sync.WaitGroup
}

// shutDown lets nobody in any more, says what was said, closes everybody with
// 1001, and keeps every position.
func (r *running) shutDown() error {
	start := time.Now()
	// Hijacked connections are not the web server's: this ends the port, and
	// waits for handshakes that are under way.
	closing, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	err := r.web.Shutdown(closing)
	if errors.Is(err, context.DeadlineExceeded) { // a page that nobody reads
		err = r.web.Close()
	}
	r.stopLoop()
	r.background.Wait()
	ending, cancelEnding := context.WithTimeout(context.Background(), closeTime)
	defer cancelEnding()
	if gone := r.edge.Shutdown(ending); gone != nil && !errors.Is(gone, context.DeadlineExceeded) {
		err = errors.Join(err, gone)
	}
	saving, cancelSaving := context.WithTimeout(context.Background(), saveTime)
	defer cancelSaving()
	err = errors.Join(err, r.accounts.Close(saving))
	r.log.Info("stopped", "took", time.Since(start).Round(time.Millisecond))
	return err
}
