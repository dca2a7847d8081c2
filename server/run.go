package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"tavern/game"
	"tavern/game/account"
	"tavern/game/stream"
	"tavern/server/doctor"
	"tavern/server/moderation"
	"tavern/server/web"
	"tavern/server/ws"
)

// Bounds of the shutdown's steps. Together they stay under the five seconds that
// an operator waits for a SIGTERM to be obeyed, also when every client does its
// worst.
const (
	pageTime  = 250 * time.Millisecond  // for pages and handshakes under way
	flushTime = 1500 * time.Millisecond // for the last chats
	closeTime = 2 * time.Second         // for everybody's close handshake
	saveTime  = time.Second             // for the last positions, at least

	// When the disk is slow or another program has locked the database, saving
	// may take what the other steps have left.
	shutdownTime = 4500 * time.Millisecond
)

// run is the server, from opening the database to the last saved position. It
// returns nil when ctx ended it.
func run(ctx context.Context, cfg *config) error {
	log := cfg.logger
	cfg.warnLimits()
	cfg.warnShadowed(log)
	m := newMetrics()

	safe, err := openGuard(cfg)
	if err != nil {
		return err
	}
	if safe != nil {
		defer safe.close()
	}
	stored := account.Config{
		Path:          cfg.db,
		HashMemoryKiB: uint32(cfg.hashMemory),
		HashTime:      uint32(cfg.hashTime),
		Queue:         cfg.limit.hashQueue,
		ObserveHash:   func(took time.Duration) { m.hash.Observe(took.Seconds()) },
		Logger:        log,
	}
	cfg.rigged(&stored)
	accounts, err := account.Open(ctx, stored)
	if err != nil {
		return advised(err)
	}
	log.Info("database open", "file", cfg.db)
	for _, line := range doctor.Warnings(cfg.maxPlayers) {
		log.Warn(line)
	}

	leaving := &exits{Store: accounts}
	var desk *moderation.Desk // before the loop runs
	ruled := game.Config{
		Tick:      cfg.tick,
		Speed:     cfg.speed,
		World:     game.Bounds(cfg.world),
		Cell:      cfg.cell,
		View:      cfg.view,
		ChatRate:  cfg.rate(),
		ChatBurst: cfg.chatBurst,
		ChatRange: cfg.chatRange,

		TargetRate:  cfg.targets(),
		TargetBurst: cfg.limit.targetBurst,

		Command:  func(c game.Command) bool { return desk.Offer(c) },
		Accounts: leaving,
		Writers:  stream.Config{Writers: cfg.writers, BytesPerSecond: cfg.bandwidth, MaxLagBytes: cfg.limit.lag, MaxBlocked: cfg.limit.blocked},
		Observe:  m.tick,
		Logger:   log,
	}
	cfg.rigged(&ruled)
	loop := game.New(ruled)
	pages := web.Folder(cfg.web)
	if cfg.web == "" {
		if pages, err = web.BuiltIn(); err != nil {
			return errors.Join(err, accounts.Close(ctx))
		}
	}
	cfg.rigged(&pages)
	moderated := moderation.Config{Store: accounts, World: loop, Logger: log}
	cfg.rigged(&moderated)
	if desk, err = moderation.New(ctx, moderated); err != nil {
		return errors.Join(err, accounts.Close(ctx))
	}
	g := &gate{
		loop: loop, accounts: leaving, desk: desk, greeter: newGreeter(loop, cfg.motd),
		counts:  newCounts(m),
		limiter: newLimiter(cfg.maxPlayers, cfg.perIP()),
		limits:  newLimits(cfg.limit, bool(cfg.limits)),
		start:   time.Now(),
	}
	cfg.rigged(g.limits)
	guests, peers := cfg.guests, cfg.peers // reload changes cfg's
	g.guests.Store(&guests)
	g.peers.Store(&peers)
	cfg.reserved = cfg.maxSessions()
	edge, err := ws.New(ws.Config{
		MaxMessageBytes: cfg.limit.message, MaxPendingBytes: cfg.limit.backlog, MaxSessions: cfg.maxSessions(), Logger: log,
		CheckOrigin: func(r *http.Request) bool { return g.peers.Load().origins.allow(r) },
	}, g)
	if err != nil {
		return errors.Join(err, accounts.Close(ctx))
	}
	plain, err := ws.Listen(ctx, cfg.addr, ws.ListenConfig{})
	if err != nil {
		return errors.Join(fmt.Errorf("cannot listen on %s: %w", cfg.addr, err), accounts.Close(ctx))
	}
	ln, err := safe.front(plain, cfg, g)
	if err != nil {
		return errors.Join(err, plain.Close(), accounts.Close(ctx))
	}
	h := &health{accounts: accounts}
	administered := pageConfig(cfg, m, h, g, desk, accounts, edge)
	cfg.rigged(&administered)
	office, err := openOffice(ctx, cfg, log, administered, accounts)
	if err != nil {
		return errors.Join(err, ln.Close(), accounts.Close(ctx))
	}
	if office.web != nil {
		office.web.Handler = survive(m, log, office.web.Handler)
	}
	if err := edge.Start(); err != nil {
		office.close()
		return errors.Join(err, ln.Close(), accounts.Close(ctx))
	}
	m.register(parts{loop: loop, accounts: accounts, edge: edge, front: ln, gate: g, office: office})

	r := &running{edge: edge, accounts: accounts, health: h, office: office, log: log}
	var background context.Context
	background, r.stopLoop = context.WithCancel(context.Background())
	broken := make(chan error, 1)
	r.background.Go(func() {
		if err := loop.Run(background, flushTime); err != nil {
			broken <- err
		}
	})
	r.background.Go(func() { giveBackMemory(background) })
	r.background.Go(func() { edge.WatchSilence(background, ws.Silence{}) })
	r.background.Go(func() { desk.Run(background) })
	r.background.Go(func() { office.run(background) })
	if safe != nil {
		r.background.Go(func() { safe.run(background, ln.Addr()) })
	}
	go office.serve()
	if cfg.file != "" {
		reload := &reloader{cfg: cfg, gate: g, edge: edge, loop: loop, accounts: accounts, log: log}
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGHUP)
		defer signal.Stop(signals)
		r.background.Go(func() { reload.watch(background, signals) })
	}

	r.web = &http.Server{
		Handler:           routes(edge, g, m, h, pages, log),
		ReadHeaderTimeout: cfg.limit.headerTime,
		MaxHeaderBytes:    cfg.limit.headerBytes,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- r.web.Serve(ln) }()
	log.Info("listening", "address", ln.Addr().String(), "tls", safe != nil, "version", version)
	log.Info("open for players", "max_players", cfg.maxPlayers, "max_per_ip", cfg.maxPerIP, "guests", string(cfg.guests), "tick", cfg.tick)
	if cfg.listening != nil {
		cfg.listening(ln.Addr().String())
	}

	select {
	case <-ctx.Done():
	case err = <-served:
		err = fmt.Errorf("the port's server ended: %w", err)
	case err = <-broken: // whoever starts us again gives everybody a whole world
	}
	log.Info("shutting down", "players", loop.Stats().Players.Load(), "connections", edge.Counters().Open)
	return errors.Join(err, r.shutDown())
}

// running is what run has started and shutDown ends.
type running struct {
	web        *http.Server
	edge       *ws.Server
	accounts   *account.Store
	health     *health
	office     *office
	log        *slog.Logger
	stopLoop   func()
	background sync.WaitGroup
}

// shutDown lets nobody in any more, says what was said, closes everybody with
// 1001, and keeps every position.
func (r *running) shutDown() error {
	start := time.Now()
	r.health.closing.Store(true)
	// Hijacked connections are not the web server's: this ends the port, and
	// waits for handshakes that are under way.
	closing, cancel := context.WithTimeout(context.Background(), pageTime)
	defer cancel()
	err := r.web.Shutdown(closing)
	if errors.Is(err, context.DeadlineExceeded) { // a page that nobody reads, a request that nobody ends
		err = r.web.Close()
	}
	r.stopLoop()
	r.background.Wait()
	ending, cancelEnding := context.WithTimeout(context.Background(), closeTime)
	defer cancelEnding()
	if gone := r.edge.Shutdown(ending); gone != nil && !errors.Is(gone, context.DeadlineExceeded) {
		err = errors.Join(err, gone)
	}
	r.office.close()
	saving, cancelSaving := context.WithTimeout(context.Background(), max(saveTime, shutdownTime-time.Since(start)))
	defer cancelSaving()
	err = errors.Join(err, r.accounts.Close(saving))
	r.log.Info("stopped", "took", time.Since(start).Round(time.Millisecond))
	return err
}
