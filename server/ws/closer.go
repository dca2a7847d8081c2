package ws

import (
	"sync"
	"time"
)

// closer sees closing sessions off: one goroutine for all of them, asleep while
// there are none. It reports local closes to the handler (on no caller's stack,
// so that Close may be called with locks held), and bounds two waits:
//
//	drain    the close frame is queued behind a backlog that the peer has to read
//	linger   the close frame and our end of the stream are with the kernel; the
//	         peer has yet to end its side. Closing at once would answer whatever the
//	         peer is still sending with a reset, which may overtake our last bytes.
//
// Each wait is as long for every session, so each is a first-in, first-out
// queue, and only its head is looked at.
type closer struct {
	drainTimeout  time.Duration
	lingerTimeout time.Duration
	truncated     func() // a session was cut off with bytes pending
	start         time.Time

	mu      sync.Mutex // taken last, after any session's and connection's
	reports []ending
	drains  waitQueue
	lingers waitQueue
	stopped bool

	wake       chan struct{} // holds one token: look at the queues
	quit, done chan struct{}
}

// ending is a local close that the handler has not heard of.
type ending struct {
	s      *Session
	code   int
	reason string
}

// waiting is a session in one of the queues; times are since closer.start.
type waiting struct {
	s            *Session
	since, until time.Duration
}

// waitQueue holds sessions in the order of their deadlines.
type waitQueue struct {
	list []waiting
	head int // list[:head] is done
}

func (q *waitQueue) empty() bool { return q.head == len(q.list) }

func (q *waitQueue) push(w waiting) {
	if q.head > 32 && q.head > len(q.list)/2 {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, w)
}

// due takes what is due at now from the head and appends it to dst, and drops
// sessions that are gone.
func (q *waitQueue) due(dst []waiting, now time.Duration) []waiting {
	for ; !q.empty(); q.head++ {
		w := &q.list[q.head]
		if !w.s.is(stateGone) {
			if w.until > now {
				return dst
			}
			dst = append(dst, *w)
		}
		*w = waiting{}
	}
	*q = waitQueue{} // a storm's worth of room is not kept
	return dst
}

func (c *closer) run() {
	defer close(c.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-c.wake:
		case <-timer.C:
		case <-c.quit:
			c.mu.Lock()
			c.stopped = true
			c.mu.Unlock()
			c.sweep()
			return
		}
		if next, ok := c.sweep(); ok {
			timer.Reset(next)
		} else {
			timer.Stop()
		}
	}
}

// sweep does what is due and returns how long nothing else will be; !ok means
// until somebody wakes us.
func (c *closer) sweep() (next time.Duration, ok bool) {
	now := time.Since(c.start)
	c.mu.Lock()
	reports := c.reports
	c.reports = nil
	drained := c.drains.due(nil, now)
	lingered := c.lingers.due(nil, now)
	c.mu.Unlock()

	for _, e := range reports {
		e.s.report(e.code, e.reason)
	}
	for _, w := range drained {
		if !w.s.is(stateShut) {
			c.truncated()
			w.s.hangup()
		}
	}
	for _, w := range lingered {
		// A slow reader still fetches its last bytes from the kernel: they would
		// be lost if it sent anything to a closed socket meanwhile.
		if w.s.unsent() > 0 && now-w.since < c.drainTimeout {
			c.wait(&c.lingers, waiting{w.s, w.since, now + c.lingerTimeout})
			continue
		}
		w.s.hangup()
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range []*waitQueue{&c.drains, &c.lingers} {
		if !q.empty() {
			if d := q.list[q.head].until - now; !ok || d < next {
				next, ok = d, true
			}
		}
	}
	if len(c.reports) > 0 {
		next, ok = 0, true
	}
	return next, ok
}

// report hands over the news of a local close.
func (c *closer) report(s *Session, code int, reason string) {
	c.mu.Lock()
	stopped := c.stopped
	if !stopped {
		c.reports = append(c.reports, ending{s, code, reason})
	}
	c.mu.Unlock()
	if stopped { // Close met the very end of the connection, and of the server
		go s.report(code, reason)
		return
	}
	c.nudge()
}

// drain begins the wait for the backlog of s.
func (c *closer) drain(s *Session) {
	now := time.Since(c.start)
	c.wait(&c.drains, waiting{s, now, now + c.drainTimeout})
}

// linger begins the wait for the peer of s. May be called with the connection locked.
func (c *closer) linger(s *Session) {
	now := time.Since(c.start)
	c.wait(&c.lingers, waiting{s, now, now + c.lingerTimeout})
}

func (c *closer) wait(q *waitQueue, w waiting) {
	c.mu.Lock()
	first := q.empty()
	q.push(w)
	c.mu.Unlock()
	if first {
		c.nudge()
	}
}

func (c *closer) nudge() {
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// hangup ends the connection; the poller closes it.
func (s *Session) hangup() {
	s.mu.Lock()
	s.conn.Hangup()
	s.mu.Unlock()
}

func (s *Session) unsent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.Unsent()
}
