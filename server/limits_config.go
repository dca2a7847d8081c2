package main

import (
	"flag"
	"fmt"
	"time"

	"tavern/codec"
	"tavern/game/account"
)

// maxMessageBytes is the longest message that a client may send unless -max-message
// says otherwise: enough for the longest text in any script, all of it escaped.
const maxMessageBytes = 4096

// mostRate bounds what may be asked for in a second, or in a row: nobody could do
// more, and four times as much is still a number (see tlsFactor).
const mostRate = 1_000_000

// limitConfig are the settings of LIMITS.md that are nobody else's. In all of
// them 0 means no limit, where it says so.
type limitConfig struct {
	handshakeRate  float64
	handshakeBurst int
	loginTries     int
	registrations  int
	requests       int
	targetRate     float64
	targetBurst    int
	message        int
	headerBytes    int
	headerTime     time.Duration
	lag            int
	backlog        int
	blocked        time.Duration
	malformed      int
	hashQueue      int
	greetings      int
}

func (c *limitConfig) flags(fs *flag.FlagSet) {
	fs.Float64Var(&c.handshakeRate, "handshake-rate", 10, "WebSocket handshakes per `second` from one address (IPv6: one /64) in the long run, and four times as many of TLS; 0 = no limit")
	fs.IntVar(&c.handshakeBurst, "handshake-burst", 100, "`handshakes` in a row before -handshake-rate counts")
	fs.IntVar(&c.loginTries, "login-tries", 5, "failed `logins` of one account before each further one has to wait, 1 s, 2 s, 4 s and so on; one address has four times as many; 0 = no limit")
	fs.IntVar(&c.registrations, "registrations-per-hour", 20, "new `accounts` per hour from one address, of which so many may come at once; 0 = no limit")
	fs.IntVar(&c.requests, "requests-per-ip", 32, "logins and registrations of one address that may wait for their `hash` at a time, of -hash-queue in all; 0 = no limit")
	fs.Float64Var(&c.targetRate, "target-rate", 20, "Targets per `second` and player in the long run; 0 = no limit")
	fs.IntVar(&c.targetBurst, "target-burst", 40, "`Targets` in a row before -target-rate counts")
	fs.IntVar(&c.message, "max-message", maxMessageBytes, fmt.Sprintf("longest message a client may send in `bytes`, 256 to %d", codec.MaxPacketBytes))
	fs.IntVar(&c.headerBytes, "max-header", 8192, "longest HTTP header in `bytes`, 1024 to 1048576")
	fs.DurationVar(&c.headerTime, "header-time", 5*time.Second, "`duration` in which a header, or a TLS handshake, must have come, 100ms to 1m")
	fs.IntVar(&c.lag, "max-lag", 4<<20, "how far a player may stay behind in what there is to hear, in `bytes`, 65536 or more")
	fs.IntVar(&c.backlog, "max-backlog", 1<<20, "most `bytes` that wait for one player behind the kernel's buffer, 524288 to 1073741824")
	fs.DurationVar(&c.blocked, "max-blocked", 5*time.Minute, "`duration` for which a player may read nothing of what waits for it, 1s or more")
	fs.IntVar(&c.malformed, "malformed-per-minute", 10, "the how many-th malformed `packet` within a minute ends a connection, at most 250; 0 = none does")
	fs.IntVar(&c.hashQueue, "hash-queue", account.DefaultQueue, "logins and registrations that may wait for a `hash`, of all addresses together, 1 to 65536")
	fs.IntVar(&c.greetings, "max-greetings", 4096, "`connections` in their TLS handshake or PROXY header at a time, 1 to 65536; more wait in the kernel")
}

func (c *limitConfig) check() error {
	bad := func(v float64) bool { return !(v >= 0 && v <= mostRate) }
	switch {
	case bad(c.handshakeRate):
		return fmt.Errorf("-handshake-rate %v: must be from 0 (no limit) to %d", c.handshakeRate, mostRate)
	case c.handshakeBurst < 1 || c.handshakeBurst > mostRate:
		return fmt.Errorf("-handshake-burst %d: must be from 1 to %d", c.handshakeBurst, mostRate)
	case c.loginTries < 0 || c.loginTries > 1000:
		return fmt.Errorf("-login-tries %d: must be from 0 (no limit) to 1000", c.loginTries)
	case c.registrations < 0 || c.registrations > mostRate:
		return fmt.Errorf("-registrations-per-hour %d: must be from 0 (no limit) to %d", c.registrations, mostRate)
	case c.requests < 0 || c.requests > mostRate:
		return fmt.Errorf("-requests-per-ip %d: must be from 0 (no limit) to %d", c.requests, mostRate)
	case bad(c.targetRate):
		return fmt.Errorf("-target-rate %v: must be from 0 (no limit) to %d", c.targetRate, mostRate)
	case c.targetBurst < 1 || c.targetBurst > mostRate:
		return fmt.Errorf("-target-burst %d: must be from 1 to %d", c.targetBurst, mostRate)
	case c.message < 256 || c.message > codec.MaxPacketBytes:
		return fmt.Errorf("-max-message %d: must be from 256 to %d bytes", c.message, codec.MaxPacketBytes)
	case c.headerBytes < 1024 || c.headerBytes > 1<<20:
		return fmt.Errorf("-max-header %d: must be from 1024 to 1048576 bytes", c.headerBytes)
	case c.headerTime < 100*time.Millisecond || c.headerTime > time.Minute:
		return fmt.Errorf("-header-time %v: must be from 100ms to 1m", c.headerTime)
	case c.lag < 64<<10:
		return fmt.Errorf("-max-lag %d: must be at least 65536 bytes", c.lag)
	case c.backlog < 512<<10 || c.backlog > 1<<30:
		return fmt.Errorf("-max-backlog %d: must be from 524288 to 1073741824 bytes", c.backlog)
	case c.blocked < time.Second:
		return fmt.Errorf("-max-blocked %v: must be at least 1s", c.blocked)
	case c.malformed < 0 || c.malformed > 250:
		return fmt.Errorf("-malformed-per-minute %d: must be from 0 (no limit) to 250", c.malformed)
	case c.hashQueue < 1 || c.hashQueue > 1<<16:
		return fmt.Errorf("-hash-queue %d: must be from 1 to 65536", c.hashQueue)
	case c.greetings < 1 || c.greetings > 1<<16:
		return fmt.Errorf("-max-greetings %d: must be from 1 to 65536", c.greetings)
	}
	return nil
}

// targets is the rate that holds: none when -limits is off.
func (c *config) targets() float64 {
	if !c.limits {
		return 0
	}
	return c.limit.targetRate
}
