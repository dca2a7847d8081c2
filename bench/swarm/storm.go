package swarm

// StormPlan keeps so many newcomers at the door: each connects, registers, logs in,
// leaves, and comes again under a new name.
type StormPlan struct {
	Nonce string // makes the account names new; four letters
	Bots  int    // of one engine; the fleet splits it
}

// StormResult counts what was answered in the measured window.
type StormResult struct {
	Registered, LoggedIn uint64
	Denied               map[string]int
	Failures             map[string]int
	Register, Login      *Histogram
}

func newStormResult() *StormResult {
	return &StormResult{
		Denied: make(map[string]int), Failures: make(map[string]int),
		Register: NewHistogram(), Login: NewHistogram(),
	}
}

func (r *StormResult) merge(o *StormResult) {
	r.Registered += o.Registered
	r.LoggedIn += o.LoggedIn
	r.Denied = mergeCounts(r.Denied, o.Denied)
	r.Failures = mergeCounts(r.Failures, o.Failures)
	r.Register.Merge(o.Register)
	r.Login.Merge(o.Login)
}

// stormTask brings a bot back whenever one has left.
type stormTask struct {
	e        *Engine
	plan     StormPlan
	result   *StormResult
	from, to int64
	missing  int
	names    int
	bots     map[*conn]*stormBot
	again    []*stormBot
	at       int64
}

// stormBot is one newcomer, from dial to farewell.
type stormBot struct {
	task    *stormTask
	conn    *conn
	name    string
	stage   stage
	asked   int64
	retryAt int64
}

func newStormTask(e *Engine, plan *StormPlan, run *RunPlan) *stormTask {
	return &stormTask{
		e: e, plan: *plan, result: newStormResult(), from: run.MeasureFrom, to: run.End,
		missing: plan.Bots, bots: make(map[*conn]*stormBot), at: run.Start,
	}
}

func (t *stormTask) next() int64 { return t.at }
func (t *stormTask) over() bool  { return t.e.now >= t.to }

func (t *stormTask) step(now int64) {
	for len(t.again) > 0 && t.again[0].retryAt <= now {
		b := t.again[0]
		t.again = t.again[1:]
		b.ask(t.e)
	}
	for i := 0; i < dialsAtOnce && t.missing > 0; i++ {
		t.missing--
		t.names++
		number := t.names*t.e.cfg.Workers + t.e.cfg.Worker
		if _, err := t.e.dial(&stormBot{task: t, name: accountName(t.plan.Nonce, number)}); err != nil {
			t.missing++
			t.result.Failures["no socket"]++
			break
		}
	}
	t.at = now + chatSlice
}

// end resets whoever is still at the door.
func (t *stormTask) end() {
	for c, b := range t.bots {
		b.stage = inWorld
		t.e.abort(c)
	}
}

func (b *stormBot) opened(e *Engine, c *conn) {
	b.conn = c
	c.apart = true
	if b.task.over() { // the storm passed during the handshake
		e.abort(c)
		return
	}
	b.task.bots[c] = b
	b.stage = registering
	b.ask(e)
}

func (b *stormBot) ask(e *Engine) {
	if b.conn.phase != open {
		return
	}
	b.asked = e.now
	if b.stage == registering {
		e.say(b.conn, appendRegister(nil, b.name))
	} else {
		e.say(b.conn, appendLogin(nil, b.name))
	}
}

func (b *stormBot) packet(e *Engine, c *conn, payload []byte) {
	t := b.task
	counts := e.now >= t.from && e.now < t.to
	switch actionOf(payload) {
	case actOk:
		if b.stage == loggingIn {
			b.stage = awaitingSelf
			return
		}
		if counts {
			t.result.Registered++
			t.result.Register.Record(nanos(e.now - b.asked))
		}
		b.stage = loggingIn
		b.ask(e)
	case actDeny:
		t.result.Denied[reasonOf(payload)]++
		b.retryAt = e.now + retryAfter
		t.again = append(t.again, b)
	case actModel:
		if b.stage == awaitingSelf {
			if counts {
				t.result.LoggedIn++
				t.result.Login.Record(nanos(e.now - b.asked))
			}
			b.stage = inWorld
			e.leave(c)
		}
	}
}

func (b *stormBot) gone(_ *Engine, c *conn, reason string) {
	delete(b.task.bots, c)
	b.task.missing++
	if b.stage != inWorld {
		b.task.result.Failures[reason]++
	}
}
