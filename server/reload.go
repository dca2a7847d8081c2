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
)

// hot are the settings that change while the server runs. All others wait for the
// next start.
var hot = map[string]bool{
	"chat-burst": true, "chat-rate": true, "guests": true, "limits": true, "log-level": true,
	"max-per-ip": true, "max-players": true, "motd": true,
}

// loopPatience bounds the waiting for the loop to take new settings.
const loopPatience = 2 * time.Second

// reloader takes over settings that have changed in the file of -config.
type reloader struct {
	cfg      *config // what holds; watch's goroutine
	gate     *gate
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
		case !hot[name]:
			r.log.Warn("this setting changes at the next start only", "setting", name, "now", shown(name, from), "file", shown(name, to))
		default:
			diff = append(diff, fmt.Sprintf("%s %q -> %q", name, from, to))
			r.cfg.values[name] = to
		}
	}
	next.warnShadowed(r.log)
	if len(diff) == 0 {
		r.log.Info("settings reloaded, none has changed", "file", r.cfg.file)
		return
	}
	if err := r.apply(ctx, next); err != nil {
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

// apply puts the hot settings of next in force.
func (r *reloader) apply(ctx context.Context, next *config) error {
	c := r.cfg
	c.maxPlayers, c.maxPerIP, c.chatRate, c.chatBurst = next.maxPlayers, next.maxPerIP, next.chatRate, next.chatBurst
	c.guests, c.limits, c.motd, c.logLevel = next.guests, next.limits, next.motd, next.logLevel
	c.level.Set(next.level.Level())
	if c.maxPlayers > c.mostPlayers() {
		r.log.Warn("max-players beyond what was prepared for at the start: the rest after a restart", "wanted", c.maxPlayers, "now", c.mostPlayers())
	}
	c.warnLimits()
	r.gate.limits.on.Store(bool(c.limits))
	r.gate.limiter.set(min(c.maxPlayers, c.mostPlayers()), c.perIP())
	guests := c.guests
	r.gate.guests.Store(&guests)
	r.gate.greeter.set(c.motd)

	rate, burst, targets, targetBurst := c.rate(), c.chatBurst, c.targets(), c.limit.targetBurst
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(ctx, loopPatience)
	defer cancel()
	err := r.loop.Do(func(tx game.Tx) {
		tx.LimitChat(rate, burst)
		tx.LimitTargets(targets, targetBurst)
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
		return fmt.Errorf("chat-rate and chat-burst: %w", err)
	}
	return nil
}
