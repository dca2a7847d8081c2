package swarm

import (
	"time"
)

// ChurnPlan lets visitors come and go beside a measurement. They are of four kinds,
// in turns: guests that say goodbye, guests that vanish with a reset, players that
// log in, walk, talk and say goodbye, and players that vanish.
type ChurnPlan struct {
	Nonce     string        // makes the account names new; four letters
	PerSecond float64       // visitors of one engine; the fleet splits it
	Stay      time.Duration // of each
}

// ChurnResult counts the visits.
type ChurnResult struct {
	Guests, Players uint64 // who came in
	Refused         uint64 // who did not
	Ended           uint64 // visits that the server ended
	Stuck           uint64 // visitors that were not in when their time was up
}

func (r *ChurnResult) merge(o *ChurnResult) {
	r.Guests += o.Guests
	r.Players += o.Players
	r.Refused += o.Refused
	r.Ended += o.Ended
	r.Stuck += o.Stuck
}

type churnTask struct {
	e        *Engine
	plan     ChurnPlan
	result   *ChurnResult
	start    int64
	to       int64
	interval float64
	came     int
	present  []*visitor // in the order of their coming
	at       int64
}

// visitor is the bot of one visit.
type visitor struct {
	task    *churnTask
	conn    *conn
	name    string
	player  bool
	vanish  bool
	stage   stage
	leaveAt int64
	left    bool
}

func newChurnTask(e *Engine, plan *ChurnPlan, run *RunPlan) *churnTask {
	return &churnTask{
		e: e, plan: *plan, result: &ChurnResult{}, start: run.Start, to: run.End,
		interval: 1e9 / plan.PerSecond, at: run.Start,
	}
}

func (t *churnTask) next() int64 { return t.at }
func (t *churnTask) over() bool  { return t.e.now >= t.to }

func (t *churnTask) step(now int64) {
	for len(t.present) > 0 && t.present[0].leaveAt <= now {
		v := t.present[0]
		t.present = t.present[1:]
		v.leave(t.e)
	}
	for t.start+int64(float64(t.came)*t.interval) <= now {
		number := t.came*t.e.cfg.Workers + t.e.cfg.Worker
		v := &visitor{
			task: t, name: accountName(t.plan.Nonce, number),
			player: t.came&1 == 1, vanish: t.came&2 == 2, leaveAt: now + int64(t.plan.Stay),
		}
		t.came++
		if _, err := t.e.dial(v); err != nil {
			t.result.Refused++
			continue
		}
		t.present = append(t.present, v)
	}
	t.at = now + 5*chatSlice
}

// end sends the last visitors home.
func (t *churnTask) end() {
	for _, v := range t.present {
		v.leave(t.e)
	}
}

func (v *visitor) opened(e *Engine, c *conn) {
	v.conn = c
	c.apart = true
	if v.left { // its time was up during the handshake
		e.abort(c)
		return
	}
	if v.player {
		v.stage = registering
		e.say(c, appendRegister(nil, v.name))
		return
	}
	v.stage = inWorld
	v.task.result.Guests++
	e.say(c, appendGuestChat(nil, "good evening"))
}

func (v *visitor) packet(e *Engine, c *conn, payload []byte) {
	switch actionOf(payload) {
	case actOk:
		if v.stage == registering {
			v.stage = loggingIn
			e.say(c, appendLogin(nil, v.name))
		}
	case actModel:
		if v.stage == loggingIn {
			v.stage = inWorld
			v.task.result.Players++
			e.say(c, appendTarget(nil, 100, 100))
			e.say(c, appendPlayerChat(nil, v.name, "what a fine tavern"))
		}
	case actDeny: // busy, or still hashing: the visit is short, so ask at once
		v.stage = outside
	}
}

func (v *visitor) gone(_ *Engine, _ *conn, _ string) {
	switch {
	case v.left:
	case v.conn == nil:
		v.task.result.Refused++
	default:
		v.task.result.Ended++
	}
	v.left = true
}

// leave ends the visit in the visitor's own way.
func (v *visitor) leave(e *Engine) {
	if v.left {
		return
	}
	v.left = true
	if v.stage != inWorld {
		v.task.result.Stuck++
	}
	if v.conn == nil {
		return // opened will end it
	}
	if v.vanish {
		e.abort(v.conn)
	} else {
		e.leave(v.conn)
	}
}
