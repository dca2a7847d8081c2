package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"tavern/game"
	"tavern/game/account"
	"tavern/game/stream"
	"tavern/server/ws"
)

// hot are the settings that change while the server runs, each with what takes it
// from the settings that were just read. All others wait for the next start.
var hot = map[string]func(now, next *config){
	"bandwidth":              func(now, next *config) { now.bandwidth = next.bandwidth },
	"chat-burst":             func(now, next *config) { now.chatBurst = next.chatBurst },
	"chat-range":             func(now, next *config) { now.chatRange = next.chatRange },
	"chat-rate":              func(now, next *config) { now.chatRate = next.chatRate },
	"guests":                 func(now, next *config) { now.guests = next.guests },
	"handshake-burst":        func(now, next *config) { now.limit.handshakeBurst = next.limit.handshakeBurst },
	"handshake-rate":         func(now, next *config) { now.limit.handshakeRate = next.limit.handshakeRate },
	"limits":                 func(now, next *config) { now.limits = next.limits },
	"log-level":              func(now, next *config) { now.logLevel = next.logLevel; now.level.Set(next.level.Level()) },
	"login-tries":            func(now, next *config) { now.limit.loginTries = next.limit.loginTries },
	"malformed-per-minute":   func(now, next *config) { now.limit.malformed = next.limit.malformed },
	"max-backlog":            func(now, next *config) { now.limit.backlog = next.limit.backlog },
	"max-blocked":            func(now, next *config) { now.limit.blocked = next.limit.blocked },
	"max-lag":                func(now, next *config) { now.limit.lag = next.limit.lag },
	"max-message":            func(now, next *config) { now.limit.message = next.limit.message },
	"max-per-ip":             func(now, next *config) { now.maxPerIP = next.maxPerIP },
	"max-players":            func(now, next *config) { now.maxPlayers = next.maxPlayers },
	"metrics":                func(now, next *config) { now.peers.metrics = next.peers.metrics },
	"motd":                   func(now, next *config) { now.motd = next.motd },
	"origins":                func(now, next *config) { now.peers.origins = next.peers.origins },
	"registrations-per-hour": func(now, next *config) { now.limit.registrations = next.limit.registrations },
	"requests-per-ip":        func(now, next *config) { now.limit.requests = next.limit.requests },
	"target-burst":           func(now, next *config) { now.limit.targetBurst = next.limit.targetBurst },
	"target-rate":            func(now, next *config) { now.limit.targetRate = next.limit.targetRate },
	"trusted-proxies":        func(now, next *config) { now.peers.trusted = next.peers.trusted },
	"view":                   func(now, next *config) { now.view = next.view },
}

// loopPatience bounds the waiting for the loop to take new settings.
const loopPatience = 2 * time.Second

// reloader takes over settings that have changed in the file of -config.
type reloader struct {
	cfg      *config // what holds; watch's goroutine
	gate     *gate
	edge     *ws.Server
	loop     *game.Loop
	accounts *account.Store
	log      *slog.Logger
}

// watch reloads whenever a signal comes, until ctx is done.
func (r *reloader) watch(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			r.reload(ctx)
		}
	}
}

// reload reads the settings again. A wrong file changes nothing.
func (r *reloader) reload(ctx context.Context) {
	next, err := r.cfg.parse()
	if err != nil {
		r.log.Error("settings are not reloaded, the old ones stay", "file", r.cfg.file, "error", err)
		return
	}
	var diff []string
	for _, name := range slices.Sorted(maps.Keys(next.values)) {
		from, to := r.cfg.values[name], next.values[name]
		switch {
		case from == to:
		case hot[name] == nil:
			r.log.Warn("this setting changes at the next start only", "setting", name, "now", shown(name, from), "file", shown(name, to))
		default:
			diff = append(diff, fmt.Sprintf("%s %q -> %q", name, from, to))
			r.cfg.values[name] = to
			hot[name](r.cfg, next)
		}
	}
	next.warnShadowed(r.log)
	if len(diff) == 0 {
		r.log.Info("settings reloaded, none has changed", "file", r.cfg.file)
		return
	}
	if err := r.apply(ctx); err != nil {
		r.log.Error("not all settings are in force", "error", err)
	}
	for _, change := range diff {
		r.log.Info("setting changed", "change", change)
	}
	e := account.Entry{At: time.Now(), By: "SIGHUP", Via: "server", Action: "settings", Details: strings.Join(diff, "; ")}
	if err := r.accounts.Record(ctx, e); err != nil {
		r.log.Error("the change of settings is not in the audit log", "error", err)
	}
}

// shown is a value as the log may have it.
func shown(name, value string) string {
	if name == "admin-token" && value != "" {
		return "(secret)"
	}
	return value
}

// apply puts the hot settings in force.
func (r *reloader) apply(ctx context.Context) error {
	c := r.cfg
	if c.maxPlayers > c.mostPlayers() {
		r.log.Warn("max-players beyond what was prepared for at the start: the rest after a restart", "wanted", c.maxPlayers, "now", c.mostPlayers())
	}
	c.warnLimits()
	r.gate.limits.set(c.limit, bool(c.limits))
	r.gate.limiter.set(min(c.maxPlayers, c.mostPlayers()), c.perIP())
	guests, peers := c.guests, c.peers
	r.gate.guests.Store(&guests)
	r.gate.peers.Store(&peers)
	r.gate.greeter.set(c.motd)
	r.edge.SetMaxMessage(c.limit.message)
	r.edge.SetMaxPending(c.limit.backlog)

	world := worldSettings{
		chatRate: c.rate(), chatBurst: c.chatBurst, targetRate: c.targets(), targetBurst: c.limit.targetBurst,
		chatRange: c.chatRange, view: c.view,
		writers: stream.Limits{MaxLagBytes: c.limit.lag, MaxBlocked: c.limit.blocked, BytesPerSecond: c.bandwidth},
	}
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(ctx, loopPatience)
	defer cancel()
	err := r.loop.Do(func(tx game.Tx) {
		world.apply(tx)
		close(done)
	})
	if err == nil {
		select {
		case <-done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("those of the world: %w", err)
	}
	return nil
}

// worldSettings are those that the loop takes.
type worldSettings struct {
	chatRate, targetRate   float64
	chatBurst, targetBurst int
	chatRange              float64
	view                   int
	writers                stream.Limits
}

// apply puts them in force. Loop.
func (s *worldSettings) apply(tx game.Tx) {
	tx.LimitChat(s.chatRate, s.chatBurst)
	tx.LimitTargets(s.targetRate, s.targetBurst)
	tx.LimitWriters(s.writers)
	tx.SetChatRange(s.chatRange)
	tx.SetView(s.view)
}
