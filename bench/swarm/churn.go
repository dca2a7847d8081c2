package swarm

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// ChurnPlan lets people come and go beside a measurement, who belong to no room: all
// of a kind come at their rate and stay for their time, so that their number is
// bounded by the product. The fleet splits the rates.
type ChurnPlan struct {
	Nonce string // makes the account names new; four letters

	PerSecond float64       // visitors, see visitor
	Stay      time.Duration // of each

	Halfway float64 // per second, who reset in the middle of something, see halfway
	Garbage float64 // per second, who send what is no packet or no frame, see vandal

	Slow     float64       // per second, who read nothing or little, see laggard
	SlowStay time.Duration // of each

	Patience time.Duration // in which the server must answer, or end its side; default 5 s
}

// ChurnResult counts those who came, and what the server must have counted of them.
type ChurnResult struct {
	Guests, Players uint64 // visitors that came in
	Refused         uint64 // who did not
	Ended           uint64 // visits that the server ended
	Stuck           uint64 // visitors that were not in when their time was up
	Unanswered      uint64 // who ended a connection in order, and the server did not end its side

	Goodbyes uint64 // connections ended with a close frame, of everybody
	Vanished uint64 // and without

	Opened  Tally          // handshakes that succeeded, of everybody
	Parted  map[string]int // visitors, by the way in which they left
	Halves  map[string]int // who reset, by what they were in the middle of
	Garbage map[string]int // what got the answer that it must get, by kind
	Wrong   map[string]int // what did not, with what came instead
	Slow    map[string]int // slow readers, by what became of them

	Sent Sent
}

// Sent counts what the server was sent that it must have counted too.
type Sent struct {
	Chats, Commands, Empty, Targets Tally
	Registered, LoggedIn            Tally // granted
	Malformed, Faults, Floods       Tally
}

// Tally counts what the server has certainly taken, and what it may have: the rest is
// of connections that ended otherwise than in order.
type Tally struct{ Sure, Perhaps uint64 }

// Add adds o to t.
func (t *Tally) Add(o Tally) {
	t.Sure += o.Sure
	t.Perhaps += o.Perhaps
}

// Add adds o to s.
func (s *Sent) Add(o *Sent) {
	s.Chats.Add(o.Chats)
	s.Commands.Add(o.Commands)
	s.Empty.Add(o.Empty)
	s.Targets.Add(o.Targets)
	s.Registered.Add(o.Registered)
	s.LoggedIn.Add(o.LoggedIn)
	s.Malformed.Add(o.Malformed)
	s.Faults.Add(o.Faults)
	s.Floods.Add(o.Floods)
}

func newChurnResult() *ChurnResult {
	return &ChurnResult{
		Parted: make(map[string]int), Halves: make(map[string]int),
		Garbage: make(map[string]int), Wrong: make(map[string]int), Slow: make(map[string]int),
	}
}

// Add adds o to r.
func (r *ChurnResult) Add(o *ChurnResult) {
	r.Guests += o.Guests
	r.Players += o.Players
	r.Refused += o.Refused
	r.Ended += o.Ended
	r.Stuck += o.Stuck
	r.Unanswered += o.Unanswered
	r.Goodbyes += o.Goodbyes
	r.Vanished += o.Vanished
	r.Opened.Add(o.Opened)
	r.Parted = mergeCounts(maps.Clone(r.Parted), o.Parted)
	r.Halves = mergeCounts(maps.Clone(r.Halves), o.Halves)
	r.Garbage = mergeCounts(maps.Clone(r.Garbage), o.Garbage)
	r.Wrong = mergeCounts(maps.Clone(r.Wrong), o.Wrong)
	r.Slow = mergeCounts(maps.Clone(r.Slow), o.Slow)
	r.Sent.Add(&o.Sent)
}

// caller is the bot of one who comes for a while.
type caller interface {
	bot
	state() *call
	request(e *Engine) (request []byte, receiveBytes int) // what its connection begins with
	leave(e *Engine)                                      // its time is up
}

// call is where a caller stands.
type call struct {
	task *churnTask
	conn *conn
	in   bool  // the handshake has succeeded
	left bool  // its time is up, or it has gone of its own
	away bool  // the connection has ended
	at   int64 // when its time is up; after that, when it must have gone
}

func (c *call) state() *call { return c }

func (c *call) request(e *Engine) ([]byte, int) { return e.request, e.cfg.ReceiveBufferBytes }

func (c *call) packet(*Engine, *conn, []byte) {}

// opened notes the end of the handshake.
func (c *call) opened(_ *Engine, conn *conn) {
	c.conn, c.in = conn, true
	conn.apart = true
	c.task.result.Opened.Sure++
}

// ended notes the end of the connection; false for one that never opened.
func (c *call) ended(reason string) bool {
	c.away = true
	if c.in {
		switch {
		case !c.conn.leaving:
		case reason == "1000":
			c.task.result.Goodbyes++
		default:
			c.task.result.Vanished++
		}
		return true
	}
	if c.left { // it did not wait any longer; the answer may have been on its way
		c.task.result.Opened.Perhaps++
	} else {
		c.task.result.Refused++
	}
	return false
}

// expect counts what was to be, or what came instead.
func (r *ChurnResult) expect(into map[string]int, kind, got string, want ...string) {
	if slices.Contains(want, got) {
		into[kind]++
		return
	}
	r.Wrong[kind+": "+cmp.Or(got, "nothing")]++
}

// line is everybody of one kind: they come at a rate and go in the order of their coming.
type line struct {
	next     func(number int) caller
	interval float64 // ns between two
	stay     int64
	until    int64 // nobody comes after it
	came     int
	present  []caller // whose time is not up
	leaving  []caller // whose time is, in the same order
}

type churnTask struct {
	e      *Engine
	plan   ChurnPlan
	result *ChurnResult
	start  int64
	to     int64
	lines  []*line
	at     int64

	slow   []*laggard // who are acting their part
	slowAt int64
}

func newChurnTask(e *Engine, plan *ChurnPlan, run *RunPlan) *churnTask {
	t := &churnTask{e: e, plan: *plan, result: newChurnResult(), start: run.Start, to: run.End, at: run.Start}
	if t.plan.Patience <= 0 {
		t.plan.Patience = 5 * time.Second
	}
	t.line(plan.PerSecond, plan.Stay, plan.Stay, func(n int) caller { return newVisitor(t, n) })
	t.line(plan.Halfway, halfwayStay, halfwayStay, func(n int) caller { return newHalfway(t, n) })
	t.line(plan.Garbage, t.plan.Patience, usualAnswer, func(n int) caller { return newVandal(t, n) })
	t.line(plan.Slow, plan.SlowStay, plan.SlowStay, func(n int) caller { return newLaggard(t, n) })
	return t
}

// usualAnswer is in what time an answer comes as a rule.
const usualAnswer = time.Second

// line adds a kind. Nobody comes later than so long before the run's end.
func (t *churnTask) line(perSecond float64, stay, before time.Duration, next func(int) caller) {
	if perSecond > 0 {
		t.lines = append(t.lines, &line{next: next, interval: 1e9 / perSecond, stay: int64(stay), until: t.to - int64(before)})
	}
}

func (t *churnTask) next() int64 { return t.at }

// over also waits for the last to go, which is bounded by their stay and the patience.
func (t *churnTask) over() bool {
	if t.e.now < t.to {
		return false
	}
	for _, l := range t.lines {
		if len(l.present)+len(l.leaving) > 0 {
			return false
		}
	}
	return true
}

func (t *churnTask) step(now int64) {
	for _, l := range t.lines {
		t.send(l, now)
		for t.start+int64(float64(l.came)*l.interval) <= min(now, l.until) {
			t.come(l, now)
		}
	}
	t.actSlow(now)
	t.at = now + 5*chatSlice
}

// come lets one in.
func (t *churnTask) come(l *line, now int64) {
	c := l.next(t.number(l.came))
	l.came++
	s := c.state()
	s.at = now + l.stay
	request, receiveBytes := c.request(t.e)
	conn, err := t.e.dialWith(c, request, receiveBytes)
	if err != nil {
		t.result.Refused++
		return
	}
	s.conn = conn
	l.present = append(l.present, c)
}

// send sends those home whose time is up, and gives up on those that do not get away.
func (t *churnTask) send(l *line, now int64) {
	for len(l.present) > 0 {
		c := l.present[0]
		s := c.state()
		if !s.away && now < s.at {
			break
		}
		l.present = l.present[1:]
		if s.away {
			continue
		}
		s.at = now + int64(t.plan.Patience)
		l.leaving = append(l.leaving, c)
		if !s.left {
			s.left = true
			c.leave(t.e)
		}
	}
	for len(l.leaving) > 0 {
		s := l.leaving[0].state()
		if !s.away && now < s.at {
			break
		}
		l.leaving = l.leaving[1:]
		if !s.away {
			t.result.Unanswered++
			t.e.abort(s.conn)
		}
	}
}

// end resets who is still there when a run was cut short.
func (t *churnTask) end() {
	for _, l := range t.lines {
		for _, c := range append(l.present, l.leaving...) {
			s := c.state()
			s.left = true
			t.e.abort(s.conn)
		}
	}
}

// number makes a kind's own number one of the whole fleet.
func (t *churnTask) number(n int) int { return n*t.e.cfg.Workers + t.e.cfg.Worker }

// name returns an account name that nobody else has; kind keeps the kinds apart.
func (t *churnTask) name(kind byte, number int) string {
	return string(kind) + accountName(t.plan.Nonce, number)
}
