package swarm

import (
	"math"
	"slices"
	"time"
)

// ChatPlan says what is said in the room. Its times are the run's.
type ChatPlan struct {
	Run         uint32  // names the measurement inside the texts, 24 bits
	PerSecond   float64 // chats of the whole fleet; 0: it only listens
	Senders     int     // of one engine, in turns; the fleet splits it. 0: everyone
	TextBytes   int     // of each text
	SampleEvery int     // takes the latency of one in so many chats heard
	Checked     int     // receivers of one engine whose senders' order is followed
}

// ChatResult adds up what was said and heard.
type ChatResult struct {
	Said       uint64     // chats that the server was sent
	SaidPrint  uint64     // their fingerprint
	Silent     uint64     // chats that were due when their sender was gone
	Unsent     int        // connections with bytes that the server never took
	Senders    int        // of the fleet
	Late       *Histogram // how late the generator itself was with its sends
	FrameBytes int        // of a chat as it was sent

	// In the measured window.
	Heard uint64
	// Over everything, filled in by the drain.
	Latency    *Histogram // of the sampled chats that were due in the window
	Receivers  int        // still connected
	Expected   uint64
	HeardAll   uint64
	Lost       uint64
	Doubled    uint64
	Wrong      int // receivers that missed one, heard one twice or heard an unknown one
	Checked    int // receivers whose senders' order was followed
	Reordered  uint64
	Odd        uint64        // frames that nobody can explain
	Worst      []int64       `json:",omitempty"` // ns, the slowest sampled chat of each receiver
	DrainTook  time.Duration // until the last chat was in
	DrainEnded bool          // everything was in before the patience ended
}

func (r *ChatResult) merge(o *ChatResult) {
	r.Said += o.Said
	r.SaidPrint += o.SaidPrint
	r.Silent += o.Silent
	r.Unsent += o.Unsent
	r.Latency = mergeHistograms(r.Latency, o.Latency)
	r.Late = mergeHistograms(r.Late, o.Late)
	r.Heard += o.Heard
	r.Receivers += o.Receivers
	r.Expected += o.Expected
	r.HeardAll += o.HeardAll
	r.Lost += o.Lost
	r.Doubled += o.Doubled
	r.Wrong += o.Wrong
	r.Checked += o.Checked
	r.Reordered += o.Reordered
	r.Odd += o.Odd
	r.Worst = append(r.Worst, o.Worst...)
	r.DrainTook = max(r.DrainTook, o.DrainTook)
	r.DrainEnded = r.DrainEnded && o.DrainEnded
}

// chatSlice is the shortest time between two rounds of sends: small enough that the
// server sees a stream and not bursts, long enough to leave time for reading.
const chatSlice = int64(time.Millisecond)

// chatTask sends on its own clock. A chat that leaves late still says when it was due.
type chatTask struct {
	e        *Engine
	result   *ChatResult
	senders  []*conn
	packet   []byte // the template of the next chat
	text     []byte // the text within packet
	start    int64
	interval float64 // ns between two chats of this engine
	count    int     // to send in all
	sent     int
	at       int64
}

// newChatTask prepares the room: everybody's counts begin anew.
func newChatTask(e *Engine, plan *ChatPlan, run *RunPlan) (*chatTask, error) {
	members := e.members()
	if len(members) == 0 {
		return nil, errEmptyRoom
	}
	t := &chatTask{e: e, result: &ChatResult{Late: NewHistogram()}}
	senders := len(members)
	if plan.Senders > 0 {
		senders = min(plan.Senders, senders)
	}
	t.senders = members[:senders]
	t.result.Senders = senders * e.cfg.Workers
	t.packet = append(t.packet, `{"a":"Chat","p0":"`...)
	t.packet = appendText(t.packet, plan.Run, plan.TextBytes)
	t.packet = append(t.packet, `"}`...)
	t.text = t.packet[guestHead : guestHead+plan.TextBytes]
	t.result.FrameBytes = len(appendFrame(nil, opText, t.packet))
	t.start = run.Start
	if plan.PerSecond > 0 {
		t.interval = 1e9 / plan.PerSecond * float64(e.cfg.Workers)
		t.start += int64(float64(e.cfg.Worker) * 1e9 / plan.PerSecond)
		t.count = int(math.Ceil(float64(run.End-t.start) / t.interval))
	}
	t.at = t.start

	checked := min(plan.Checked, len(members))
	for i, c := range members {
		c.heard, c.heardPrint, c.said, c.saidPrint, c.worst = 0, 0, 0, 0, 0
		c.order = nil
		// Spread over the room, and other ones in each run.
		if (i*checked+int(plan.Run))%len(members) < checked {
			c.order = newOrderCheck(t.result.Senders)
			t.result.Checked++
		}
	}
	e.hearing = hearing{
		marker:      word(t.text),
		textBytes:   plan.TextBytes,
		guestBytes:  len(t.packet),
		sampleEvery: max(1, plan.SampleEvery),
		from:        run.MeasureFrom,
		to:          run.End,
		latency:     NewHistogram(),
	}
	e.odd = 0
	return t, nil
}

// members returns the open connections of the room.
func (e *Engine) members() []*conn {
	return slices.DeleteFunc(slices.Clone(e.room), func(c *conn) bool {
		return c == nil || c.phase != open || c.apart
	})
}

func (t *chatTask) next() int64 { return t.at }
func (t *chatTask) over() bool  { return t.sent >= t.count }

func (t *chatTask) dueAt(i int) int64 {
	return t.start + int64(float64(i)*t.interval)
}

func (t *chatTask) step(now int64) {
	e := t.e
	for t.sent < t.count {
		due := t.dueAt(t.sent)
		if due > now {
			break
		}
		c := t.senders[t.sent%len(t.senders)]
		serial := uint32(t.sent*e.cfg.Workers + e.cfg.Worker)
		t.sent++
		if c.phase != open {
			t.result.Silent++
			continue
		}
		setText(t.text, due, serial)
		e.scratch = appendFrame(e.scratch[:0], opText, t.packet)
		c.said++
		c.saidPrint += fingerprint(serial)
		t.result.Said++
		t.result.SaidPrint += fingerprint(serial)
		t.result.Late.Record(nanos(now - due))
		e.send(c, e.scratch)
	}
	t.at = max(t.dueAt(t.sent), now+chatSlice)
}

// DrainPlan says what all engines said together, so that each can tell what its own
// connections must have heard.
type DrainPlan struct {
	Said, SaidPrint uint64
	Patience        time.Duration // without a single chat arriving; default 4 s
	Limit           time.Duration // altogether; default 20 s
	Worst           bool          // wants the slowest chat of each receiver
}

// drain reads until every connection has heard everything, or nothing comes any more,
// and settles the account.
func (e *Engine) drain(plan *DrainPlan) *ChatResult {
	if plan.Patience <= 0 {
		plan.Patience = 4 * time.Second
	}
	if plan.Limit <= 0 {
		plan.Limit = 20 * time.Second
	}
	began := Now()
	members := e.members()
	t := &drainTask{e: e, patience: int64(plan.Patience), members: members, said: plan.Said}
	t.progressAt, t.at = began, began
	e.run(began+int64(plan.Limit), t)

	r := &ChatResult{Latency: e.hearing.latency, DrainEnded: t.complete(), Odd: e.odd}
	r.DrainTook = nanos(max(0, t.progressAt-began))
	r.Receivers = len(members)
	for _, c := range members {
		e.settle(c, plan, r)
	}
	e.deaf() // what comes now is a straggler
	return r
}

// settle compares what one receiver heard with what it should have.
func (e *Engine) settle(c *conn, plan *DrainPlan, r *ChatResult) {
	expected := plan.Said - c.said
	r.Expected += expected
	r.HeardAll += c.heard
	if c.heard < expected {
		r.Lost += expected - c.heard
	} else {
		r.Doubled += c.heard - expected
	}
	if c.heard != expected || c.heardPrint+c.saidPrint != plan.SaidPrint {
		r.Wrong++
	}
	if len(c.out) > 0 {
		r.Unsent++
	}
	if o := c.order; o != nil {
		r.Reordered += o.reordered
		if c.heard == expected && o.doubled > 0 { // as many were lost as came twice
			r.Doubled += o.doubled
			r.Lost += o.doubled
		}
		c.order = nil
	}
	if plan.Worst {
		r.Worst = append(r.Worst, c.worst)
	}
}

// drainTask watches the sum of what was heard.
type drainTask struct {
	e          *Engine
	members    []*conn
	said       uint64
	patience   int64
	heard      uint64
	progressAt int64 // when something was heard last
	at         int64
	done       bool
}

func (t *drainTask) next() int64 { return t.at }
func (t *drainTask) over() bool  { return t.done }

func (t *drainTask) step(now int64) {
	if heard := t.e.hearing.heard; heard != t.heard {
		t.heard = heard
		t.progressAt = now
	}
	t.done = t.complete() || now-t.progressAt > t.patience
	t.at = now + int64(5*time.Millisecond)
}

// complete reports whether every member that is still there has heard everything.
func (t *drainTask) complete() bool {
	for _, c := range t.members {
		if c.phase == open && c.heard+c.said < t.said {
			return false
		}
	}
	return true
}
