package ws

import (
	"context"
	"time"
)

// Silence says how long a peer may be silent. Zero values mean the defaults.
//
// The kernel finds dead peers by itself on direct connections (see ListenConfig).
// A ping finds those whose process hangs while its kernel answers, and keeps the
// proxies and routers between from taking a quiet connection for a dead one.
type Silence struct {
	// PingAfter is how long a peer may be silent before it is pinged. Default 2
	// minutes. Pinging earlier costs more than all else that an idle server does.
	// Behind a trusted proxy it is 40 s at most.
	PingAfter time.Duration
	// CloseAfter is how long it may then leave the pings unanswered. Default 45 s.
	CloseAfter time.Duration
}

// proxiedPing is Silence.PingAfter, in seconds, where a proxy stands between, if
// that is less: many of them cut connections that are silent for a minute, and the
// sweep comes round up to silenceStripes seconds late.
const proxiedPing = 40

// silenceStripes is the seconds in which the sweep comes round to every session.
const silenceStripes = 15

// WatchSilence pings and closes silent peers until ctx is done. Every second it
// looks at one stripe of the sessions, so that the pings of those who came
// together are spread. It needs a goroutine of its own.
func (s *Server) WatchSilence(ctx context.Context, cfg Silence) {
	if cfg.PingAfter <= 0 {
		cfg.PingAfter = 2 * time.Minute
	}
	if cfg.CloseAfter <= 0 {
		cfg.CloseAfter = 45 * time.Second
	}
	ping := uint32(cfg.PingAfter / time.Second)
	reap := ping + uint32(cfg.CloseAfter/time.Second)
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for stripe := 0; ; stripe = (stripe + 1) % silenceStripes {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		s.sweepSilence(stripe, ping, reap)
	}
}

// sweepSilence looks at one stripe of the sessions. ping and reap are seconds of
// silence.
func (s *Server) sweepSilence(stripe int, ping, reap uint32) {
	now := s.Clock()
	slots := s.slots()
	for fd := stripe; fd < len(slots); fd += silenceStripes {
		sess := slots[fd].Load()
		if sess == nil || sess.mute() {
			continue
		}
		ping, reap := ping, reap
		if sess.proxied && ping > proxiedPing {
			ping, reap = proxiedPing, proxiedPing+reap-ping
		}
		switch silent := now - sess.LastHeard(); {
		case int32(silent) < int32(ping):
		case silent >= reap:
			s.counters.silent.Add(1)
			sess.Close(CloseGoingAway, "no answer to pings")
		default:
			_ = sess.Ping() // an error means that it is ending or far behind, which others see to
		}
	}
}
