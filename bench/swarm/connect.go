package swarm

import (
	"errors"
	"time"
)

// ConnectPlan asks for a room of so many connections. Those that are open stay.
type ConnectPlan struct {
	Count    int           // of one engine; the fleet takes the sum and splits it
	InFlight int           // handshakes at a time; default 256
	Limit    time.Duration // for all of it; default a minute
	Hello    string        // a text that each says once it is connected; empty for none
}

// ConnectResult tells how it went. Times are on the clock of Now.
type ConnectResult struct {
	Opened   int
	Failures map[string]int // by reason
	From, To int64          // the first dial and the last answer
	Latency  *Histogram     // from dial to answer
}

func (r *ConnectResult) merge(other *ConnectResult) {
	r.Opened += other.Opened
	r.Failures = mergeCounts(r.Failures, other.Failures)
	r.From = min(r.From, other.From)
	r.To = max(r.To, other.To)
	r.Latency.Merge(other.Latency)
}

func mergeCounts(into, from map[string]int) map[string]int {
	if into == nil {
		into = make(map[string]int)
	}
	for name, n := range from {
		into[name] += n
	}
	return into
}

// connect fills the room.
func (e *Engine) connect(plan *ConnectPlan) (*ConnectResult, error) {
	t := &connectTask{
		e:      e,
		plan:   *plan,
		result: &ConnectResult{Failures: make(map[string]int), Latency: NewHistogram()},
	}
	if t.plan.InFlight <= 0 {
		t.plan.InFlight = 256
	}
	if t.plan.Limit <= 0 {
		t.plan.Limit = time.Minute
	}
	if plan.Hello != "" {
		t.hello = appendFrame(nil, opText, appendGuestChat(nil, plan.Hello))
	}
	for len(e.room) < plan.Count {
		e.room = append(e.room, nil)
	}
	for number := range plan.Count {
		if c := e.room[number]; c == nil || c.phase == closed {
			t.missing = append(t.missing, number)
		}
	}
	t.total = len(t.missing)
	t.result.From = Now()
	t.result.To = t.result.From
	e.run(t.result.From+int64(t.plan.Limit), t)
	if t.err != nil {
		return nil, t.err
	}
	if left := t.total - t.result.Opened - t.failed; left > 0 {
		t.result.Failures["not answered in time"] += left
	}
	return t.result, nil
}

// connectTask dials the missing connections, a bounded number at a time. It is the
// bot of each until the handshake is over.
type connectTask struct {
	e        *Engine
	plan     ConnectPlan
	hello    []byte
	missing  []int
	total    int
	inFlight int
	failed   int
	err      error
	result   *ConnectResult
}

func (t *connectTask) next() int64 {
	if t.inFlight < t.plan.InFlight && len(t.missing) > 0 {
		return t.e.now
	}
	return far
}

func (t *connectTask) over() bool {
	return t.err != nil || len(t.missing) == 0 && t.inFlight == 0
}

// dialsAtOnce bounds how long answers wait while new connections are dialled.
const dialsAtOnce = 16

func (t *connectTask) step(int64) {
	for range dialsAtOnce {
		if t.inFlight >= t.plan.InFlight || len(t.missing) == 0 {
			return
		}
		number := t.missing[0]
		t.missing = t.missing[1:]
		t.inFlight++
		c, err := t.e.dial(t)
		if err != nil {
			t.err = err
			return
		}
		t.e.room[number] = c
	}
}

func (t *connectTask) opened(e *Engine, c *conn) {
	t.inFlight--
	c.bot = nil
	t.result.Opened++
	t.result.To = e.now
	t.result.Latency.Record(nanos(e.now - c.began))
	if t.hello != nil {
		e.send(c, t.hello)
	}
	e.progress(t.result.Opened, t.total)
	e.due = min(e.due, t.next())
}

func (t *connectTask) packet(*Engine, *conn, []byte) {}

func (t *connectTask) gone(e *Engine, _ *conn, reason string) {
	t.inFlight--
	t.failed++
	t.result.Failures[reason]++
	e.due = min(e.due, t.next())
}

var errEmptyRoom = errors.New("swarm: nobody is in the room")
