// Package moderation is what may be done to players by those who look after the
// world: kick, mute, ban, announce, say who is there. The operator's page, the
// HTTP API and the chat commands all come here, so that they mean the same and
// everything that was done stands in one audit log.
//
// What holds at present, bans, mutes and roles, is in memory and in the database;
// a change is on disk first, then in memory, then in the world. The package
// knows the loop only by functions that it asks it to run, and never waits in
// one: all that takes time happens on the goroutine of the caller, or, for chat
// commands, of Desk.Run.
package moderation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tavern/game"
	"tavern/game/account"
)

const (
	// loopPatience bounds the waiting for the loop, which answers within a tick
	// unless it is overloaded or has ended.
	loopPatience = 2 * time.Second
	// busyPause is how long a full queue of the loop is left alone.
	busyPause = 20 * time.Millisecond
	// mostCommands is how many chat commands may wait.
	mostCommands = 64
	// commandTime bounds one chat command.
	commandTime = 10 * time.Second
	// maxOperatorBytes bounds the name that an operator gives.
	maxOperatorBytes = 64
)

// Store is what a Desk needs of the database. Every change brings its entry of
// the audit log. *account.Store is one.
type Store interface {
	Named(ctx context.Context, name string) (account.Account, error)
	Bans(ctx context.Context) ([]account.Ban, error)
	Mutes(ctx context.Context) ([]account.Mute, error)
	Roles(ctx context.Context) ([]account.Account, error)
	PutBan(ctx context.Context, b account.Ban, e account.Entry) (account.Ban, error)
	LiftBan(ctx context.Context, id int64, e account.Entry) error
	PutMute(ctx context.Context, m account.Mute, e account.Entry) error
	LiftMute(ctx context.Context, account int64, e account.Entry) error
	SetRole(ctx context.Context, account int64, role string, e account.Entry) error
	Record(ctx context.Context, e account.Entry) error
}

var _ Store = (*account.Store)(nil)

// World is the loop.
type World interface {
	Do(f func(tx game.Tx)) error
}

var _ World = (*game.Loop)(nil)

// Config of a Desk. Store and World must be set.
type Config struct {
	Store  Store
	World  World
	Logger *slog.Logger     // gets what was done and what failed; default: discards
	Now    func() time.Time // default time.Now
}

// Desk is where players are looked after. All methods but Run may be called from
// any goroutine; those that take a context wait, and are not for the loop.
type Desk struct {
	store    Store
	world    World
	log      *slog.Logger
	now      func() time.Time
	began    time.Time
	rules    rules
	commands chan game.Command
	counts   [len(actions)]atomic.Uint64
	full     atomic.Uint64
	kicked   atomic.Uint64
	expelled atomic.Uint64
	panics   atomic.Uint64
	roster   roster

	whoMu sync.Mutex
	seen  []seen // Who's scratch
}

// New makes a Desk that knows the bans, mutes and roles in the database.
func New(ctx context.Context, cfg Config) (*Desk, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &Desk{
		store: cfg.Store, world: cfg.World, log: cfg.Logger, now: cfg.Now,
		commands: make(chan game.Command, mostCommands),
	}
	bans, err := d.store.Bans(ctx)
	if err != nil {
		return nil, err
	}
	mutes, err := d.store.Mutes(ctx)
	if err != nil {
		return nil, err
	}
	roles, err := d.store.Roles(ctx)
	if err != nil {
		return nil, err
	}
	d.began = d.now()
	d.rules.load(bans, mutes, roles, d.began)
	return d, nil
}

// By is who does something.
type By struct {
	name     string // for people
	via      string // page, api, command or chat
	account  int64  // of a player; 0 for a guest
	operator bool   // may do everything
}

// Operator is who runs the server, under a name of their own or none; via says
// what they use: page, api or command.
func Operator(name, via string) By {
	who := "operator"
	if name = cleaned(name, maxOperatorBytes); name != "" {
		who += " " + name
	}
	return By{name: who, via: via, operator: true}
}

// String is the name.
func (b By) String() string { return b.name }

// Kind says what a Refusal is about.
type Kind uint8

// The kinds of Refusal.
const (
	Invalid   Kind = iota // what was asked for makes no sense
	NotFound              // there is nobody, or nothing, of that name
	Forbidden             // who asks may not
	Busy                  // the world or the database did not answer in time
)

// Refusal is why something was not done, in a sentence for whoever asked. Every
// other error of this package is internal.
type Refusal struct {
	Kind   Kind
	Reason string
}

// Error is the sentence.
func (r *Refusal) Error() string { return r.Reason }

func refuse(kind Kind, format string, args ...any) *Refusal {
	return &Refusal{kind, fmt.Sprintf(format, args...)}
}

// actions are the names that the audit log and the metrics use.
var actions = [...]string{"announce", "ban", "kick", "mute", "role", "unban", "unmute"}

// count counts an action and logs it.
func (d *Desk) count(e account.Entry) {
	for i, name := range actions {
		if name == e.Action {
			d.counts[i].Add(1)
		}
	}
	d.log.Info("moderation", "action", e.Action, "target", e.Target, "by", e.By, "via", e.Via, "details", e.Details)
}

// Counts calls f for every action with how often it was done since the start.
func (d *Desk) Counts(f func(action string, n uint64)) {
	for i, name := range actions {
		f(name, d.counts[i].Load())
	}
}

// Kicked is how many connections kicks have closed, and Expelled how many bans of
// those who were in the world. Any goroutine.
func (d *Desk) Kicked() uint64 { return d.kicked.Load() }

// Expelled is how many were closed because of a ban. Any goroutine.
func (d *Desk) Expelled() uint64 { return d.expelled.Load() }

// CommandsFull is how many chat commands were refused because too many waited.
func (d *Desk) CommandsFull() uint64 { return d.full.Load() }

// Panics is how many chat commands ended in a mistake of ours.
func (d *Desk) Panics() uint64 { return d.panics.Load() }

func (d *Desk) entry(by By, action, target, details string) account.Entry {
	return account.Entry{At: d.now(), By: by.name, Via: by.via, Action: action, Target: target, Details: details}
}

// visit has the loop run f at its next tick and waits until it has. The error
// is a Refusal; then f may still run, so what it writes to must not be read.
func (d *Desk) visit(ctx context.Context, f func(tx game.Tx)) error {
	ctx, cancel := context.WithTimeout(ctx, loopPatience)
	defer cancel()
	done, whole := make(chan struct{}), false
	err := d.hand(ctx, func(tx game.Tx) {
		defer close(done)
		f(tx)
		whole = true
	})
	if err != nil {
		return err
	}
	select {
	case <-done:
		if !whole {
			return errors.New("moderation: panic in the world, which has logged it")
		}
		return nil
	case <-ctx.Done():
		return refuse(Busy, "The world does not answer")
	}
}

// hand gives f to the loop, which will run it at its next tick, and waits only
// while the loop's queue is full. The error is a Refusal; then f does not run.
func (d *Desk) hand(ctx context.Context, f func(tx game.Tx)) error {
	for {
		err := d.world.Do(f)
		if !errors.Is(err, game.ErrBusy) {
			return err
		}
		pause := time.NewTimer(busyPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return refuse(Busy, "The world is busy, try again in a moment")
		}
	}
}
