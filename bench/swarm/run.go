package swarm

import (
	"time"
)

// RunPlan is a measurement: what happens between Start and End, all on the clock of
// Now. What a nil part would do does not happen.
type RunPlan struct {
	Start       int64
	MeasureFrom int64 // before it things only warm up
	End         int64

	Chat  *ChatPlan
	Walk  *WalkPlan
	Storm *StormPlan
	Churn *ChurnPlan
	Slow  *SlowPlan
}

// Window returns the measured time.
func (p *RunPlan) Window() time.Duration { return nanos(p.End - p.MeasureFrom) }

// RunResult is what one run gave. The figures of the engine are of the measured window.
type RunResult struct {
	Window  time.Duration
	CPU     []time.Duration // used by the thread of each engine
	OneCPU  bool            // which all of them are pinned to
	Frames  uint64          // text frames received
	Bytes   uint64
	Reads   uint64
	Odd     uint64         // frames of no known kind, since the start
	Closes  map[string]int // connections of the room that the server ended, by close code
	Present int            // still connected at the end

	Chat  *ChatResult  `json:",omitempty"`
	Walk  *WalkResult  `json:",omitempty"`
	Storm *StormResult `json:",omitempty"`
	Churn *ChurnResult `json:",omitempty"`
	Slow  *SlowResult  `json:",omitempty"`
}

// Busy returns the share of the window in which the busiest engine's thread was
// running, or all of them on their one processor: near 1 the generator, and not the server, is the limit.
func (r *RunResult) Busy() float64 {
	if r.Window <= 0 {
		return 0
	}
	top, sum := time.Duration(0), time.Duration(0)
	for _, cpu := range r.CPU {
		top = max(top, cpu)
		sum += cpu
	}
	if r.OneCPU {
		top = sum
	}
	return float64(top) / float64(r.Window)
}

func (r *RunResult) merge(o *RunResult) {
	r.Window = max(r.Window, o.Window)
	r.CPU = append(r.CPU, o.CPU...)
	r.Frames += o.Frames
	r.Bytes += o.Bytes
	r.Reads += o.Reads
	r.Odd += o.Odd
	r.Closes = mergeCounts(r.Closes, o.Closes)
	r.Present += o.Present
	if r.Chat != nil && o.Chat != nil {
		r.Chat.merge(o.Chat)
	}
	if r.Walk != nil && o.Walk != nil {
		r.Walk.merge(o.Walk)
	}
	if r.Storm != nil && o.Storm != nil {
		r.Storm.merge(o.Storm)
	}
	if r.Churn != nil && o.Churn != nil {
		r.Churn.Add(o.Churn)
	}
	if r.Slow == nil {
		r.Slow = o.Slow
	}
}

// measure carries out a plan.
func (e *Engine) measure(plan *RunPlan) (*RunResult, error) {
	e.odd = 0
	clear(e.closes)
	result := &RunResult{}
	meter := &meterTask{e: e, from: plan.MeasureFrom, to: plan.End, at: plan.MeasureFrom, result: result}
	tasks := []task{meter}
	if plan.Chat != nil {
		t, err := newChatTask(e, plan.Chat, plan)
		if err != nil {
			return nil, err
		}
		result.Chat = t.result
		tasks = append(tasks, t)
	}
	if plan.Walk != nil {
		t := newWalkTask(e, plan.Walk, plan)
		result.Walk = t.result
		tasks = append(tasks, t)
		defer func() {
			for _, w := range t.walkers {
				w.player.walker = nil
			}
		}()
	}
	if plan.Storm != nil {
		t := newStormTask(e, plan.Storm, plan)
		result.Storm = t.result
		tasks = append(tasks, t)
		defer t.end()
	}
	if plan.Churn != nil {
		t := newChurnTask(e, plan.Churn, plan)
		result.Churn = t.result
		tasks = append(tasks, t)
		defer t.end()
	}
	if plan.Slow != nil {
		t, err := newSlowTask(e, plan.Slow, plan)
		if err != nil {
			return nil, err
		}
		result.Slow = t.result
		tasks = append(tasks, t)
		defer t.end()
	}
	e.run(far, tasks...)
	meter.finish(plan)
	result.Odd = e.odd
	result.Closes = mergeCounts(nil, e.closes)
	result.Present = len(e.members())
	return result, nil
}

// meterTask reads the engine's own counters at both ends of the window.
type meterTask struct {
	e        *Engine
	from, to int64
	at       int64
	over_    bool
	result   *RunResult

	began                       int64
	cpu                         time.Duration
	frames, bytes, reads, heard uint64
}

func (m *meterTask) next() int64 { return m.at }
func (m *meterTask) over() bool  { return m.over_ }

func (m *meterTask) step(now int64) {
	e := m.e
	if m.began == 0 {
		m.began, m.cpu = now, threadCPU()
		m.frames, m.bytes, m.reads, m.heard = e.frames, e.bytes, e.reads, e.hearing.heard
		for _, c := range e.room {
			if c != nil {
				c.bytes = 0
			}
		}
		for _, p := range e.players {
			p.updates = 0
		}
		m.at = m.to
		return
	}
	r := m.result
	r.Window = nanos(now - m.began)
	r.CPU = []time.Duration{threadCPU() - m.cpu}
	r.Frames, r.Bytes, r.Reads = e.frames-m.frames, e.bytes-m.bytes, e.reads-m.reads
	if r.Chat != nil {
		r.Chat.Heard = e.hearing.heard - m.heard
	}
	if r.Walk != nil {
		m.countClients(r.Walk)
	}
	m.over_ = true
}

// countClients sums up what each walker got in the window.
func (m *meterTask) countClients(r *WalkResult) {
	for _, p := range m.e.players {
		if p.walker == nil || p.conn.phase != open {
			continue
		}
		r.Walkers++
		r.Updates.add(float64(p.updates))
		r.Bytes.add(float64(p.conn.bytes))
		r.Shown.add(float64(p.shown))
		if p.view != nil {
			r.Observers++
			r.Unknown += p.view.unknown
			r.Doubled += p.view.doubled
		}
	}
}

// finish stands in for an end that was never reached because the run was stopped.
func (m *meterTask) finish(plan *RunPlan) {
	if !m.over_ && m.began != 0 {
		m.step(m.e.now)
	}
	if m.result.Window == 0 {
		m.result.Window = plan.Window()
	}
}
