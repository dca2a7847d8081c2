package swarm

import (
	"math/rand/v2"

	"golang.org/x/sys/unix"
)

// laggard is the bot of one who hears the room and reads nothing, or little, until its
// time is up. Then it reads what there is, and so learns what has become of it: the
// server has thrown it out, or, when the room was quiet or the time short, kept it.
type laggard struct {
	call
	kind   string // SlowStop, SlowTrickle or slowDoze
	wakeAt int64  // of one who dozes
}

// slowDoze reads nothing for a while, like a telephone in a pocket, and then everything:
// some of those wake while the server waits with its goodbye, and hear it.
const slowDoze = "doze"

// narrowBytes is the receive buffer of one who does not read, so that the server soon
// feels it, and wideBytes what it gets when it reads again.
const (
	narrowBytes = 16 << 10
	wideBytes   = 1 << 20
)

func newLaggard(t *churnTask, number int) *laggard {
	kind := [...]string{SlowStop, SlowTrickle, slowDoze, slowDoze}[number/t.e.cfg.Workers%4]
	return &laggard{call: call{task: t}, kind: kind}
}

func (l *laggard) request(e *Engine) ([]byte, int) { return e.request, narrowBytes }

func (l *laggard) opened(e *Engine, c *conn) {
	l.call.opened(e, c)
	c.muted = true
	e.poller.forget(c.fd)
	switch l.kind {
	case slowDoze:
		l.wakeAt = e.now + rand.Int64N(max(1, l.at-e.now))
		fallthrough
	case SlowTrickle:
		l.task.slow = append(l.task.slow, l)
	}
}

// leave reads everything: behind it is the server's close frame, or the answer to a
// ping, or the connection just ends.
func (l *laggard) leave(e *Engine) {
	c := l.conn
	if !l.in {
		e.abort(c)
		return
	}
	c.muted = false
	_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, wideBytes)
	if err := e.poller.watch(c.fd, c.index, c.generation, false); err != nil {
		e.drop(c, "epoll")
		return
	}
	e.ping(c)
}

// pong says that the server kept it.
func (l *laggard) pong(e *Engine, c *conn) {
	if l.left {
		e.leave(c)
	}
}

func (l *laggard) gone(_ *Engine, c *conn, reason string) {
	if !l.ended(reason) {
		return
	}
	r := l.task.result
	switch {
	case c.leaving:
		r.expect(r.Slow, l.kind+": kept", reason, "1000")
	case reason == "1013":
		r.Slow[l.kind+": 1013"]++
	default:
		// The server waits a few seconds for its goodbye to be read, no longer.
		r.expect(r.Slow, l.kind+": cut off", reason, "eof", "reset", "broken pipe")
	}
}

// actSlow lets those read a little who do so now and then, and wakes those who doze.
func (t *churnTask) actSlow(now int64) {
	if now < t.slowAt {
		return
	}
	t.slowAt = now + trickleEvery
	kept := t.slow[:0]
	for _, l := range t.slow {
		switch {
		case l.left || l.away:
		case l.kind == SlowTrickle:
			t.e.receive(l.conn, trickleBytes)
		case now >= l.wakeAt:
			l.left = true
			l.leave(t.e)
		}
		if !l.left && !l.away {
			kept = append(kept, l)
		}
	}
	clear(t.slow[len(kept):])
	t.slow = kept
}
