package stream

import (
	"runtime"
	"sync/atomic"
	"time"
)

// visitsPerYield is how many listeners a writer visits before it lets other
// goroutines of its processor run, so that on one core the loop's tick is never
// late by more than these few writes (about 5 us each).
const visitsPerYield = 64

// blockedPoll is how often unflushed listeners are looked at again while
// nothing else wakes the writer.
const blockedPoll = 50 * time.Millisecond

// writer moves its listeners' cursors to the heads. Everything below the inbox
// belongs to its goroutine.
type writer struct {
	id    int
	cfg   *Config
	stats *Stats

	// The loop's side.
	out    *batch // being filled
	handed bool   // a batch was handed over and the writer not yet woken

	// inbox holds the batches handed over, newest first. The loop pushes, the
	// writer takes all. spare holds used ones on their way back: the writer
	// pushes, the loop is the only one to pop, so a pop cannot be fooled by a
	// batch that left and came back.
	inbox atomic.Pointer[batch]
	spare atomic.Pointer[batch]
	wake  chan struct{}
	lag   atomic.Int64  // of the slowest blocked listener, bytes; the writer stores it
	done  atomic.Uint32 // tick of the last news after which nobody was behind; the writer stores it
	owes  atomic.Bool   // wants to be woken in the next tick though nothing is said; the writer stores it

	clock        *atomic.Uint32
	limits       Limits
	bytesPerTick float64 // of poses, for one listener: of limits
	perSecond    uint32  // ticks: the longest pause that saves up bandwidth

	flush    time.Duration // bound on the last flush, set before stop
	shards   []*shard      // those with members
	dirty    []*shard      // those with news
	urgent   bool          // an area has news
	passing  []*shard      // those that the pass under way visits, empty between passes
	blocked  []*Listener
	owing    []*shard // those with a member that was left something out, see poses
	reminded uint32   // tick in which owing was last made dirty
	touched  []*Listener
	told     uint32 // tick of the last news taken
	served   int    // of touched, those visited already
	free     []*extra
	pending  []*Pose // scratch of poses
	pieces   [][]byte
	scratch  []byte
	epoch    time.Time
	lastPass time.Time // start of the last pass
	lastTook time.Duration
}

func newWriter(id int, cfg *Config, stats *Stats, clock *atomic.Uint32) *writer {
	w := &writer{
		id: id, cfg: cfg, stats: stats,
		out:   new(batch),
		wake:  make(chan struct{}, 1),
		epoch: time.Now(),

		clock:     clock,
		perSecond: max(1, uint32(time.Second/cfg.Tick)),
	}
	w.limit(Limits{cfg.MaxLagBytes, cfg.MaxBlocked, cfg.BytesPerSecond})
	return w
}

func (w *writer) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake or about to be
	}
}

// run is the writer's goroutine.
func (w *writer) run(stop <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		w.takeBatches()
		w.remind()
		w.sweepBlocked()
		w.visitTouched(len(w.touched))
		wait := time.Hour
		if len(w.blocked) > 0 {
			wait = blockedPoll
		}
		if len(w.dirty) > 0 {
			due := w.passDue()
			if due <= 0 {
				w.pass()
				continue
			}
			wait = min(wait, due)
		}
		if len(w.touched) > 0 {
			continue // more than one write's worth is waiting
		}
		w.noteDone()
		timer.Reset(wait)
		select {
		case <-w.wake:
		case <-timer.C:
		case <-stop:
			w.finish()
			return
		}
	}
}

// noteDone notes that all news so far have arrived everywhere, when they have.
func (w *writer) noteDone() {
	if len(w.dirty) == 0 && len(w.blocked) == 0 && len(w.owing) == 0 && len(w.touched) == 0 {
		w.done.Store(w.told)
	}
}

// passDue is how long the next pass must wait. While a pass fits into a tick it
// never waits; a longer one is followed by a pause, which makes the next visit
// carry more and so cost less for each frame. Where somebody walks there is no
// pause: poses do not add up, they only grow old.
func (w *writer) passDue() time.Duration {
	if w.lastTook < w.cfg.Tick || w.urgent {
		return 0
	}
	return time.Until(w.lastPass.Add(w.cfg.PassEvery))
}

// finish sends what is published and waits, bounded, for the unflushed.
func (w *writer) finish() {
	deadline := time.Now().Add(w.flush)
	for {
		w.takeBatches()
		w.sweepBlocked()
		w.visitTouched(len(w.touched))
		w.pass()
		if len(w.touched) > 0 || len(w.dirty) > 0 || w.inbox.Load() != nil {
			continue
		}
		if len(w.blocked) == 0 || time.Now().After(deadline) {
			return
		}
		<-time.After(blockedPoll / 10)
	}
}

// pass visits every listener of every shard that has news now. What gets news
// while the pass runs waits for the next one: a pass that took it in would never
// end once a visit of all takes longer than a tick, and whoever stands further
// down the list, or is blocked, would wait for ever.
func (w *writer) pass() {
	if len(w.dirty) == 0 {
		return
	}
	start := time.Now()
	w.lastPass, w.urgent = start, false
	w.dirty, w.passing = w.passing, w.dirty
	visits := 0
	for _, sh := range w.passing {
		sh.dirty = false
		// Downwards, because a batch taken between two visits may remove
		// members: the one that fills the gap has been visited already.
		for i := len(sh.members) - 1; i >= 0; i-- {
			if i >= len(sh.members) {
				continue
			}
			w.visit(sh.members[i])
			if visits++; visits%visitsPerYield == 0 {
				w.visitTouched(visitsPerYield)
				runtime.Gosched()
			}
		}
	}
	clear(w.passing)
	w.passing = w.passing[:0]
	w.lastTook = time.Since(start)
	w.stats.Visits.Add(uint64(visits))
	w.stats.Passes.Add(1)
	w.stats.PassNanos.Add(uint64(w.lastTook))
}

// visitTouched visits those for whom something private waits, or more than went
// into their last write, without waiting for a pass: at most n of them, first
// come, first served, so that nobody who has much to be sent keeps others waiting.
func (w *writer) visitTouched(n int) {
	n = min(n, len(w.touched)-w.served)
	for range n {
		l := w.touched[w.served]
		w.touched[w.served] = nil
		w.served++
		l.touched = false
		w.visit(l)
	}
	if 2*w.served >= len(w.touched) {
		rest := copy(w.touched, w.touched[w.served:])
		clear(w.touched[rest:])
		w.touched, w.served = w.touched[:rest], 0
	}
	w.stats.Visits.Add(uint64(n))
}

func (w *writer) touch(l *Listener) {
	if !l.touched {
		l.touched = true
		w.touched = append(w.touched, l)
	}
}

// visit gives a listener everything between its cursors and the heads, and the
// latest poses.
//
// The scene and the head are read first and the inbox after them: the loop hands
// a tick's operations over before it publishes, so an empty inbox here means that
// every operation older than what was read has been taken.
func (w *writer) visit(l *Listener) {
	for l.sh != nil && !l.blocked && !l.closed {
		now := w.clock.Load() // first: no scene of this tick or before is missed
		sc := l.sh.aud.scene.Load()
		head := uint64(0)
		if s := l.sh.aud.hears[Chat]; s != nil {
			head = s.head.Load()
		}
		if w.inbox.Load() != nil {
			w.takeBatches()
			continue
		}
		if !w.deliver(l, sc, now, head) {
			return
		}
	}
}
