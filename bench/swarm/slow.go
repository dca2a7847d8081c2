package swarm

import (
	"fmt"
	"time"
)

// SlowPlan adds one reader that the server must not let the others feel.
type SlowPlan struct {
	Kind  string        // SlowStop, SlowTrickle or SlowReset
	After time.Duration // SlowReset: how long it does not read before it resets
}

// The kinds of slow reader.
const (
	SlowStop    = "stop"    // never reads again, keeps the connection
	SlowTrickle = "trickle" // reads 4 KB a second
	SlowReset   = "reset"   // stops reading, then resets in the middle of a write
)

// SlowResult tells what became of the slow reader.
type SlowResult struct {
	Kind  string
	Ended string // how the server ended the connection; empty when it did not
	Read  uint64 // bytes
}

// trickleBytes are read every trickleEvery: 4 KB a second.
const (
	trickleBytes = 409
	trickleEvery = int64(100 * time.Millisecond)
)

// slowTask is the bot of the slow reader and acts its part.
type slowTask struct {
	e      *Engine
	plan   SlowPlan
	result *SlowResult
	conn   *conn
	begun  int64
	to     int64
	at     int64
}

func newSlowTask(e *Engine, plan *SlowPlan, run *RunPlan) (*slowTask, error) {
	switch plan.Kind {
	case SlowStop, SlowTrickle, SlowReset:
	default:
		return nil, fmt.Errorf("swarm: no slow reader of kind %q", plan.Kind)
	}
	t := &slowTask{e: e, plan: *plan, result: &SlowResult{Kind: plan.Kind}, to: run.End, at: run.Start}
	_, err := e.dial(t)
	return t, err
}

func (t *slowTask) next() int64 { return t.at }
func (t *slowTask) over() bool  { return t.e.now >= t.to }

func (t *slowTask) opened(e *Engine, c *conn) {
	t.conn = c
	c.apart = true
	c.muted = true
	if t.over() {
		e.abort(c)
		return
	}
	e.poller.forget(c.fd)
	t.begun = e.now
}

func (t *slowTask) packet(*Engine, *conn, []byte) {}

func (t *slowTask) gone(_ *Engine, c *conn, reason string) {
	if !c.leaving {
		t.result.Ended = reason
	}
	t.result.Read = c.bytes
}

func (t *slowTask) step(now int64) {
	t.at = now + trickleEvery
	if t.conn == nil || t.conn.phase == closed {
		return
	}
	switch t.plan.Kind {
	case SlowTrickle:
		t.e.receive(t.conn, trickleBytes)
	case SlowReset:
		if now-t.begun > int64(t.plan.After) {
			t.e.abort(t.conn)
		}
	}
}

// end reads what is left, to learn how the server ended it, if it did, and leaves.
func (t *slowTask) end() {
	if t.conn == nil {
		return
	}
	for range 4096 {
		if t.conn.phase == closed {
			return
		}
		before := t.conn.bytes
		t.e.receive(t.conn, t.e.cfg.ReadBytes)
		if t.conn.bytes == before {
			break
		}
	}
	t.e.abort(t.conn)
}
