// Package game is the world and the one loop that runs it. Twenty times a second
// the loop takes what the players sent, moves who walks, and says what happened
// into streams that the writers carry out.
//
// It knows packets and accounts' positions, and nothing of sockets, frames on
// the way in, passwords or databases. Everything that changes the world runs on
// the loop's goroutine; what other goroutines may call says so.
package game

import (
	"context"
	"log/slog"
	"time"

	"tavern/game/ring"
	"tavern/game/stream"
)

// Accounts is what the loop needs of the accounts. Neither method may block.
type Accounts interface {
	// Save keeps a position; only the last one of an account matters.
	Save(id int64, x, y float64)
	// Release says that the account is in the world no more.
	Release(id int64)
}

// Bounds of the world in pixels, inclusive.
type Bounds struct{ MinX, MinY, MaxX, MaxY float64 }

// Config of a Loop. Zero values mean the documented defaults.
type Config struct {
	Tick      time.Duration // length of a tick, default 50 ms
	Speed     float64       // of a walking actor in pixels per second, default 70
	World     Bounds        // default -2048,-2048 to 2048,2048
	Cell      float64       // edge of a cell of the interest grid in pixels, default 640
	View      int           // most actors shown to one player, default 100
	ChatRate  float64       // chats per second and player in the long run, 0 = no limit
	ChatBurst int           // chats in a row, default 10
	// TargetRate is targets per second and player in the long run, 0 = no limit,
	// TargetBurst targets in a row, default 40.
	TargetRate  float64
	TargetBurst int
	ChatRange   float64 // how far a player's chat is heard in pixels, 0 = everywhere
	// Command, if set, gets every chat that begins with a slash instead of the
	// room. Loop's goroutine; it must not block. False means that it cannot take
	// one more now, which the sender is told.
	Command  func(Command) bool
	Accounts Accounts // default: nobody is saved
	Writers  stream.Config
	Now      func() time.Time // for what lasts minutes, such as mutes; default time.Now
	Logger   *slog.Logger     // gets panics and nothing else; default: discards
	// Observe is told after each tick how long its work took and how late it
	// began. Loop's goroutine; it must not block.
	Observe func(work, late time.Duration)
}

// maxLateTicks is how many ticks run in a row when the loop is late. What is
// later still is dropped and counted: catching up would only be late again.
const maxLateTicks = 2

// forgetTicks is how often the poses of those who stand are looked at.
const forgetTicks = 40

func (c Config) withDefaults() Config {
	if c.Tick <= 0 {
		c.Tick = 50 * time.Millisecond
	}
	if c.Speed <= 0 {
		c.Speed = 70
	}
	if c.World == (Bounds{}) {
		c.World = Bounds{-2048, -2048, 2048, 2048}
	}
	if c.Cell <= 0 {
		c.Cell = 640
	}
	if c.View <= 0 {
		c.View = 100
	}
	if c.ChatBurst <= 0 {
		c.ChatBurst = 10
	}
	if c.TargetBurst <= 0 {
		c.TargetBurst = 40
	}
	if c.Accounts == nil {
		c.Accounts = nopAccounts{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = func(work, late time.Duration) {}
	}
	c.Writers.Tick = c.Tick
	return c
}

// nopAccounts stands in where nothing is to be saved.
type nopAccounts struct{}

func (nopAccounts) Save(int64, float64, float64) {}
func (nopAccounts) Release(int64)                {}

// Loop is the game loop and owns the world. See the ownership table in DESIGN.md.
type Loop struct {
	cfg     Config
	ready   ring.ReadyList[Player] // pushed by anyone, taken by the loop
	world   *world
	writers *stream.Writers
	now     uint32 // tick number, from 1; wraps after six years
	warm    warmQueue
	asked   chan func(Tx) // by anyone, run by the loop
	stats   Stats

	panics     int    // survived since panicSince
	panicSince uint32 // tick
}

// New makes a loop; it starts no goroutine.
func New(cfg Config) *Loop {
	cfg = cfg.withDefaults()
	l := &Loop{cfg: cfg, writers: stream.NewWriters(cfg.Writers), asked: make(chan func(Tx), maxAsked)}
	l.world = newWorld(&l.cfg, l.writers, &l.stats)
	return l
}

// Stats returns the loop's counters. Any goroutine.
func (l *Loop) Stats() *Stats { return &l.stats }

// WriterStats returns the writers' counters. Any goroutine.
func (l *Loop) WriterStats() *stream.Stats { return l.writers.Stats() }

// Run ticks until ctx is done, then takes what has arrived, saves every
// position, and returns when the writers have sent what was said or flush has
// passed. Nobody may enter once ctx is done. It returns earlier, with ErrBroken,
// when the world cannot go on; then too it saves and sends what it can.
func (l *Loop) Run(ctx context.Context, flush time.Duration) error {
	l.writers.Run()
	due := time.Now().Add(l.cfg.Tick)
	timer := time.NewTimer(l.cfg.Tick)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.end(l.tryTick(time.Now(), 0), flush)
		case <-timer.C:
		}
		var err error
		if due, err = l.catchUp(due); err != nil {
			return l.end(err, flush)
		}
		timer.Reset(time.Until(due))
	}
}

// catchUp runs the ticks that are due, at most maxLateTicks, and returns when
// the next one is.
func (l *Loop) catchUp(due time.Time) (time.Time, error) {
	for range maxLateTicks {
		start := time.Now()
		late := start.Sub(due)
		if late < 0 {
			return due, nil
		}
		if err := l.tryTick(start, late); err != nil {
			return due, err
		}
		due = due.Add(l.cfg.Tick)
	}
	if behind := time.Since(due); behind >= l.cfg.Tick {
		dropped := behind / l.cfg.Tick
		l.stats.TicksDropped.Add(uint64(dropped))
		due = due.Add(dropped * l.cfg.Tick)
	}
	return due, nil
}

// tick is one step of the world: its phases, in order.
func (l *Loop) tick() {
	l.now++
	l.world.now = l.now
	l.input()
	l.runAsked()
	l.world.walk()
	if l.now%forgetTicks == 0 {
		l.world.forgetPoses()
	}
	l.world.growViews()
	l.world.showViews()
	l.retireRings()
	l.writers.Publish()
	l.stats.Ticks.Add(1)
}

// end keeps everybody's position after the last tick, of which it returns the
// error, and lets the writers finish.
func (l *Loop) end(err error, flush time.Duration) error {
	l.saveAll()
	l.writers.Stop(flush)
	return err
}
