package swarm

import (
	"time"
)

// LoginPlan brings the room's connections into the world as players. Those that are in
// stay as they are.
type LoginPlan struct {
	Nonce     string // makes the account names new; four letters
	Count     int    // only so many of the room, the others stay guests; 0: all
	Register  bool   // makes the accounts first
	InFlight  int    // players on their way at a time; default 64
	Place     *Place // where each goes once it is in; nil: it stays where it is
	Observers int    // players of one engine that follow what they see; the fleet splits it
	Limit     time.Duration
}

// LoginResult tells how it went.
type LoginResult struct {
	In        int            // who got in
	Present   int            // who is in, with those who were before
	Failures  map[string]int // by reason; these stayed outside
	Denied    map[string]int // answers that were tried again
	From, To  int64
	Register  *Histogram     // from the request to Ok
	Login     *Histogram     // from the request to the own model
	Tenths    [10]int64      // when each tenth of the players was in
	TenthsP50 [10]*Histogram // the logins of each tenth
	Strangers int            // first models that were somebody else's
	Displaced int            // players that were not where they had been left
	Shown     *Counts        // actors shown to each, once all are in
}

// Counts sums up one number per client.
type Counts struct {
	N        int
	Sum      float64
	Min, Max float64
}

func (c *Counts) add(v float64) {
	if c.N == 0 || v < c.Min {
		c.Min = v
	}
	if c.N == 0 || v > c.Max {
		c.Max = v
	}
	c.N++
	c.Sum += v
}

func (c *Counts) merge(o *Counts) {
	if o == nil || o.N == 0 {
		return
	}
	if c.N == 0 {
		*c = *o
		return
	}
	c.N += o.N
	c.Sum += o.Sum
	c.Min = min(c.Min, o.Min)
	c.Max = max(c.Max, o.Max)
}

// Mean returns the average; 0 of nothing.
func (c *Counts) Mean() float64 {
	if c == nil || c.N == 0 {
		return 0
	}
	return c.Sum / float64(c.N)
}

func newLoginResult() *LoginResult {
	r := &LoginResult{
		Failures: make(map[string]int), Denied: make(map[string]int),
		Register: NewHistogram(), Login: NewHistogram(), Shown: &Counts{},
	}
	for i := range r.TenthsP50 {
		r.TenthsP50[i] = NewHistogram()
	}
	return r
}

func (r *LoginResult) merge(o *LoginResult) {
	r.In += o.In
	r.Present += o.Present
	r.Failures = mergeCounts(r.Failures, o.Failures)
	r.Denied = mergeCounts(r.Denied, o.Denied)
	r.From = min(r.From, o.From)
	r.To = max(r.To, o.To)
	r.Register.Merge(o.Register)
	r.Login.Merge(o.Login)
	for i := range r.Tenths {
		r.Tenths[i] = max(r.Tenths[i], o.Tenths[i])
		r.TenthsP50[i].Merge(o.TenthsP50[i])
	}
	r.Strangers += o.Strangers
	r.Displaced += o.Displaced
	r.Shown.merge(o.Shown)
}

// login brings everybody in the room in.
func (e *Engine) login(plan *LoginPlan, first int) *LoginResult {
	t := &loginTask{e: e, plan: *plan, result: newLoginResult()}
	if t.plan.InFlight <= 0 {
		t.plan.InFlight = 64
	}
	if t.plan.Limit <= 0 {
		t.plan.Limit = 5 * time.Minute
	}
	e.players = nil
	e.strangers = 0
	var newcomers []*player
	for i, c := range e.room {
		if c == nil || c.phase != open || plan.Count > 0 && i >= plan.Count {
			continue
		}
		if p, is := c.bot.(*player); is && p.stage == inWorld {
			e.players = append(e.players, p)
			continue
		}
		p := &player{number: first + i, conn: c, login: t, name: accountName(plan.Nonce, first+i)}
		if (i*plan.Observers)%len(e.room) < plan.Observers {
			p.view = newView(p)
		}
		c.bot = p
		newcomers = append(newcomers, p)
	}
	e.players = append(e.players, newcomers...)
	t.waiting = newcomers
	t.total = len(newcomers)
	t.result.From = Now()
	e.run(t.result.From+int64(t.plan.Limit), t)
	t.finish()
	return t.result
}

// loginTask leads a bounded number of players at a time through Register, Login and
// the walk to their place.
type loginTask struct {
	e        *Engine
	plan     LoginPlan
	waiting  []*player
	again    []retry // refused for the moment, in the order of their time
	total    int
	inFlight int
	lost     int
	result   *LoginResult
}

type retry struct {
	at int64
	p  *player
}

// retryAfter is how long a bot that was refused waits before it asks again.
const retryAfter = int64(50 * time.Millisecond)

func (t *loginTask) next() int64 {
	if t.inFlight < t.plan.InFlight && len(t.waiting) > 0 {
		return t.e.now
	}
	if len(t.again) > 0 {
		return t.again[0].at
	}
	return far
}

func (t *loginTask) over() bool { return t.result.In+t.lost == t.total }

func (t *loginTask) step(now int64) {
	for len(t.again) > 0 && t.again[0].at <= now {
		p := t.again[0].p
		t.again = t.again[1:]
		t.ask(p)
	}
	for range dialsAtOnce {
		if t.inFlight >= t.plan.InFlight || len(t.waiting) == 0 {
			return
		}
		p := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.inFlight++
		p.stage = loggingIn
		if t.plan.Register {
			p.stage = registering
		}
		t.ask(p)
	}
}

// final are the refusals that no later try will change.
var final = map[string]bool{
	"This username is already taken":         true,
	"Username or password must not be empty": true,
	"Username or password incorrect":         true,
}

// ask sends the request of the player's stage.
func (t *loginTask) ask(p *player) {
	if p.conn.phase != open {
		t.failed(t.e, p, "closed")
		return
	}
	p.conn.began = Now()
	if p.stage == registering {
		t.e.say(p.conn, appendRegister(nil, p.name))
	} else {
		t.e.say(p.conn, appendLogin(nil, p.name))
	}
}

// answered takes an Ok or a Deny.
func (t *loginTask) answered(e *Engine, p *player, payload []byte) {
	if actionOf(payload) == actDeny {
		reason := reasonOf(payload)
		if final[reason] {
			t.failed(e, p, reason)
			return
		}
		t.result.Denied[reason]++
		t.again = append(t.again, retry{e.now + retryAfter, p})
		e.due = min(e.due, t.next())
		return
	}
	switch p.stage {
	case registering:
		t.result.Register.Record(nanos(e.now - p.conn.began))
		p.stage = loggingIn
		t.ask(p)
	case loggingIn:
		p.stage = awaitingSelf
	}
}

// entered is called with the own model.
func (t *loginTask) entered(e *Engine, p *player) {
	took := nanos(e.now - p.conn.began)
	t.result.Login.Record(took)
	tenth := min(9, t.result.In*10/t.total)
	t.result.TenthsP50[tenth].Record(took)
	if t.plan.Place == nil {
		t.arrived(e, p)
		return
	}
	p.stage = placing
	x, y := t.plan.Place.HomeOf(p.number)
	if near(p.x, p.y, x, y) {
		t.arrived(e, p)
		return
	}
	if !t.plan.Register {
		t.result.Displaced++ // it had been placed before, and left there
	}
	e.say(p.conn, appendTarget(nil, x, y))
}

// movedTo is called with each own delta until the player has arrived.
func (t *loginTask) movedTo(e *Engine, p *player) {
	if p.stage != placing {
		return
	}
	if x, y := t.plan.Place.HomeOf(p.number); near(p.x, p.y, x, y) {
		t.arrived(e, p)
	}
}

func (t *loginTask) arrived(e *Engine, p *player) {
	p.stage = inWorld
	p.login = nil
	t.inFlight--
	t.result.Tenths[min(9, t.result.In*10/t.total)] = e.now
	t.result.In++
	t.result.To = e.now
	e.progress(t.result.In, t.total)
	e.due = min(e.due, t.next())
}

func (t *loginTask) failed(e *Engine, p *player, reason string) {
	p.login = nil
	t.inFlight--
	t.lost++
	t.result.Failures[reason]++
	e.due = min(e.due, t.next())
}

// finish gives up on who is still outside and takes stock.
func (t *loginTask) finish() {
	for _, p := range t.e.players {
		if p.login != nil {
			p.login = nil
			t.result.Failures["not in before the time was up"]++
		}
		if p.stage == inWorld {
			t.result.Present++
			t.result.Shown.add(float64(p.shown))
		}
	}
	t.result.Strangers = t.e.strangers
	t.result.To = max(t.result.To, t.result.From)
}
