package account

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"tavern/game/account/argon2id"
)

// The defaults of Config. Those of the hash are OWASP's advice for argon2id
// with one lane.
const (
	DefaultHashMemoryKiB = 19456
	DefaultHashTime      = 2
	DefaultQueue         = 256
	DefaultSaveEvery     = time.Second

	mostDefaultWorkers = 4
)

// Config says how a Store works. Zero means the default, but for Path.
type Config struct {
	// Path is the database file. It is created, readable by its owner only,
	// when there is none; its folder must exist.
	Path string

	// HashMemoryKiB and HashTime (passes) are the cost of argon2id for new
	// hashes: default 19456 and 2. Every worker needs this memory while it
	// hashes. A login whose stored hash was made otherwise is hashed again.
	HashMemoryKiB, HashTime uint32

	// Workers is how many requests are worked on at a time. Default: the
	// number of processors that Go uses, at most 4.
	Workers int

	// Queue is how many requests may wait for a worker before others are
	// refused with ErrBusy. Default 256.
	Queue int

	// SaveEvery is how long a position may wait before it is written, and the
	// first delay after a write that failed. Default 1 s.
	SaveEvery time.Duration

	// ObserveHash, if set, hears how long each hash took. It is called on the
	// workers and must be quick.
	ObserveHash func(time.Duration)

	// Logger hears of migrations and of failures, never of a password or of a
	// single request. Default: slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.HashMemoryKiB == 0 {
		c.HashMemoryKiB = DefaultHashMemoryKiB
	}
	if c.HashTime == 0 {
		c.HashTime = DefaultHashTime
	}
	if c.Workers == 0 {
		c.Workers = min(runtime.GOMAXPROCS(0), mostDefaultWorkers)
	}
	if c.Queue == 0 {
		c.Queue = DefaultQueue
	}
	if c.SaveEvery == 0 {
		c.SaveEvery = DefaultSaveEvery
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	switch {
	case c.Path == "":
		return c, errors.New("account: no path to the database")
	case c.Workers < 0 || c.Queue < 0 || c.SaveEvery < 0:
		return c, errors.New("account: Workers, Queue and SaveEvery must not be negative")
	}
	if err := c.cost().check(); err != nil {
		return c, fmt.Errorf("account: %w", err)
	}
	return c, nil
}

func (c Config) observeHash() func(time.Duration) {
	if c.ObserveHash == nil {
		return func(time.Duration) {}
	}
	return c.ObserveHash
}

// cost is what new hashes cost.
func (c Config) cost() cost { return cost{c.HashMemoryKiB, c.HashTime, 1} }

// Bounds of the cost, of the configured one and of what is read from the
// database: a damaged hash must not take the machine's memory, or a worker for
// an hour.
const (
	minMemoryKiB = argon2id.MinMemoryKiB
	maxMemoryKiB = 1 << 20 // 1 GiB
	maxWorkKiB   = 4 << 20 // memory times passes: a few seconds
)

// cost is the price of one argon2id hash.
type cost struct {
	memoryKiB, passes uint32
	lanes             uint8
}

func (c cost) check() error {
	switch {
	case c.memoryKiB < minMemoryKiB || c.memoryKiB > maxMemoryKiB:
		return fmt.Errorf("hash memory is %d KiB, must be %d to %d", c.memoryKiB, minMemoryKiB, maxMemoryKiB)
	case c.passes < 1 || uint64(c.passes)*uint64(c.memoryKiB) > maxWorkKiB:
		return fmt.Errorf("hash time is %d, must be 1 to %d with %d KiB of memory", c.passes, maxWorkKiB/c.memoryKiB, c.memoryKiB)
	case c.lanes < 1:
		return errors.New("hash has no lanes")
	}
	return nil
}

// work is what a hash takes, in KiB times passes: its time goes with it.
func (c cost) work() int64 { return int64(c.memoryKiB) * int64(c.passes) }
