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

	bytesPerTick float64 // of poses, for one listener
	perSecond    uint32  // ticks: the longest pause that saves up bandwidth

	flush    time.Duration // bound on the last flush, set before stop
	shards   []*shard      // those with members
	dirty    []*shard      // those with news
	blocked  []*Listener
	touched  []*Listener
	free     []*extra
	pending  []*Pose // scratch of poses
	pieces   [][]byte
	scratch  []byte
	epoch    time.Time
	lastPass time.Time // start of the last pass
	lastTook time.Duration
}

func newWriter(id int, cfg *Config, stats *Stats) *writer {
	return &writer{
		id: id, cfg: cfg, stats: stats,
		out:   new(batch),
		wake:  make(chan struct{}, 1),
		epoch: time.Now(),

		bytesPerTick: float64(cfg.BytesPerSecond) * cfg.Tick.Seconds(),
		perSecond:    max(1, uint32(time.Second/cfg.Tick)),
	}
}

// send hands the filled batch over, if there is anything in it. Loop only.
func (w *writer) send() {
	b := w.out
	if len(b.ops) == 0 && len(b.news) == 0 {
		return
	}
	for {
		b.next = w.inbox.Load()
		if w.inbox.CompareAndSwap(b.next, b) {
			break // the batch is the writer's now
		}
	}
	w.handed = true
	w.out = w.spareBatch()
}

func (w *writer) spareBatch() *batch {
	for {
		b := w.spare.Load()
		if b == nil {
			return new(batch)
		}
		if w.spare.CompareAndSwap(b, b.next) {
			b.next = nil
			return b
		}
	}
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
		w.sweepBlocked()
		w.visitTouched()
		wait := time.Hour
		if len(w.blocked) > 0 {
			wait = blockedPoll
		}
		if len(w.touched) > 0 {
			continue // more than one write's worth is waiting
		}
		if len(w.dirty) > 0 {
			due := w.passDue()
			if due <= 0 {
				w.pass()
				continue
			}
			wait = min(wait, due)
		}
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

// passDue is how long the next pass must wait. While a pass fits into a tick it
// never waits; a longer one is followed by a pause, which makes the next visit
// carry more and so cost less for each frame.
func (w *writer) passDue() time.Duration {
	if w.lastTook < w.cfg.Tick {
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
		w.visitTouched()
		w.pass()
		if len(w.touched) > 0 {
			continue
		}
		if len(w.blocked) == 0 || time.Now().After(deadline) {
			return
		}
		<-time.After(blockedPoll / 10)
	}
}

// pass visits every listener of every shard with news.
func (w *writer) pass() {
	if len(w.dirty) == 0 {
		return
	}
	start := time.Now()
	w.lastPass = start
	visits := 0
	for len(w.dirty) > 0 {
		last := len(w.dirty) - 1
		sh := w.dirty[last]
		w.dirty = w.dirty[:last]
		sh.dirty = false
		// Downwards, because a batch taken between two visits may remove
		// members: the one that fills the gap has been visited already.
		for i := len(sh.members) - 1; i >= 0; i-- {
			if i >= len(sh.members) {
				continue
			}
			w.visit(sh.members[i])
			if visits++; visits%visitsPerYield == 0 {
				w.visitTouched()
				runtime.Gosched()
			}
		}
	}
	w.lastTook = time.Since(start)
	w.stats.Visits.Add(uint64(visits))
	w.stats.Passes.Add(1)
	w.stats.PassNanos.Add(uint64(w.lastTook))
}

// visitTouched visits those for whom something private waits, without waiting
// for a pass.
func (w *writer) visitTouched() {
	for n := len(w.touched); n > 0; n-- {
		last := len(w.touched) - 1
		l := w.touched[last]
		w.touched[last] = nil
		w.touched = w.touched[:last]
		l.touched = false
		if l.sh != nil {
			w.visit(l)
		}
	}
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
		sc := l.sh.aud.scene.Load()
		head := uint64(0)
		if s := l.sh.aud.hears[Chat]; s != nil {
			head = s.head.Load()
		}
		if w.inbox.Load() != nil {
			w.takeBatches()
			continue
		}
		if !w.deliver(l, sc, head) {
			return
		}
	}
}

// deliver writes to l what it has not been sent, up to the scene and the head of
// its chat and bounded by MaxWriteBytes, in one write. It reports whether l has
// moved to another audience on the way, whose scene the caller must read.
func (w *writer) deliver(l *Listener, sc *scene, head uint64) (moved bool) {
	g := gather{w: w, room: w.cfg.MaxWriteBytes}
	from := l.sh
	if l.extra != nil && len(l.extra.outbox) > 0 {
		g.outbox(l)
	}
	moved = l.sh != from
	if sc != nil && !moved && !g.full {
		g.stream(l, Area, sc.head)
		if !g.full && l.cursors[Area].pos == sc.head {
			g.poses(l, sc)
		}
	}
	if !moved && !g.full {
		g.stream(l, Chat, head)
	}
	if l.extra != nil {
		l.forgetSkips()
		if l.extra.empty() {
			w.releaseExtra(l)
		}
	}
	w.write(l, g.bytes)
	if g.full && !l.blocked {
		w.touch(l)
	}
	return moved && !g.full
}

// write sends the gathered pieces as one.
func (w *writer) write(l *Listener, n int) {
	if n == 0 {
		return
	}
	out := w.pieces[0]
	if len(w.pieces) > 1 {
		w.scratch = w.scratch[:0]
		for _, p := range w.pieces {
			w.scratch = append(w.scratch, p...)
		}
		out = w.scratch
		w.stats.Copied.Add(uint64(n))
	}
	clear(w.pieces)
	w.pieces = w.pieces[:0]
	w.stats.Writes.Add(1)
	w.stats.Bytes.Add(uint64(n))
	if err := l.conn.Write(out); err != nil {
		l.closed = true // its session reports the leave
		return
	}
	if l.conn.Pending() > 0 {
		w.block(l)
	}
}

// gather collects the pieces of one visit in the writer's buffers.
type gather struct {
	w     *writer
	room  int
	bytes int
	full  bool // more is waiting than fits into one write
}

func (g *gather) add(p []byte) {
	g.w.pieces = append(g.w.pieces, p)
	g.bytes += len(p)
	g.room -= len(p)
}

// outbox gathers the private packets of l, each after what its area stream said
// before it.
func (g *gather) outbox(l *Listener) {
	e := l.extra
	for i := range e.outbox {
		o := &e.outbox[i]
		g.stream(l, Area, o.area)
		if g.full || g.bytes > 0 && len(o.frames) > g.room {
			g.full = true
			n := copy(e.outbox, e.outbox[i:])
			clear(e.outbox[n:])
			e.outbox = e.outbox[:n]
			return
		}
		if o.kind == opMove {
			l.settle(g.w, o.aud, o.cursors)
			continue
		}
		e.outboxBytes -= len(o.frames)
		g.add(o.frames)
	}
	clear(e.outbox)
	e.outbox = e.outbox[:0]
}

// stream gathers one stream of l up to limit, without the spans that l must not
// be sent.
func (g *gather) stream(l *Listener, i int, limit uint64) {
	c := &l.cursors[i]
	for c.pos < limit {
		to, skip := l.until(l.sh.aud.hears[i], c.pos, limit)
		if skip {
			c.skipTo(to)
			continue
		}
		before := *c
		p := c.read(to)
		if len(p) > g.room && g.bytes > 0 {
			*c = before
			g.full = true
			return
		}
		g.add(p)
	}
}

// until tells how far l may go on from pos: to the next span that it must not be
// sent, or, with skip, to the end of the span it stands in.
func (l *Listener) until(s *Stream, pos, limit uint64) (to uint64, skip bool) {
	if l.extra == nil {
		return limit, false
	}
	for _, sp := range l.extra.skips { // spans of one stream are in order
		if sp.stream != s || sp.to <= pos {
			continue
		}
		if sp.from <= pos {
			return min(sp.to, limit), true
		}
		return min(sp.from, limit), false
	}
	return limit, false
}

// forgetSkips drops the spans that the cursors have passed, and those of streams
// that l hears no more.
func (l *Listener) forgetSkips() {
	e := l.extra
	kept := e.skips[:0]
	for _, sp := range e.skips {
		for i, s := range l.sh.aud.hears {
			if s == sp.stream && l.cursors[i].pos < sp.to {
				kept = append(kept, sp)
			}
		}
	}
	clear(e.skips[len(kept):])
	e.skips = kept
}

func (c *Cursor) skipTo(pos uint64) {
	for c.pos < pos {
		c.read(pos)
	}
}

// takeBatches carries out what the loop handed over, oldest first.
func (w *writer) takeBatches() {
	newest := w.inbox.Swap(nil)
	if newest == nil {
		return
	}
	var oldest *batch
	for b := newest; b != nil; {
		next := b.next
		b.next, oldest, b = oldest, b, next
	}
	for b := oldest; b != nil; {
		for i := range b.ops {
			w.carryOut(&b.ops[i])
		}
		for _, s := range b.news {
			w.markNews(s)
		}
		next := b.next
		w.recycle(b)
		b = next
	}
}

func (w *writer) recycle(b *batch) {
	clear(b.ops)
	clear(b.news)
	b.ops, b.news = b.ops[:0], b.news[:0]
	if cap(b.ops) > 1<<14 {
		b.ops = nil
	}
	for {
		b.next = w.spare.Load()
		if w.spare.CompareAndSwap(b.next, b) {
			return
		}
	}
}

func (w *writer) carryOut(o *op) {
	l := o.l
	switch o.kind {
	case opJoin:
		l.settle(w, o.aud, o.cursors)
		l.seen = o.tick
	case opLeave:
		l.unlist(w)
		l.sh, l.extra = nil, nil
		for i := range l.cursors {
			l.cursors[i] = Cursor{}
		}
	case opSkip:
		if l.sh != nil && !l.closed {
			e := w.extraOf(l)
			e.skips = append(e.skips, o.skip)
		}
	case opSend, opMove:
		if l.sh == nil || l.closed {
			return
		}
		e := w.extraOf(l)
		e.outbox = append(e.outbox, *o)
		e.outboxBytes += len(o.frames)
		w.touch(l)
	}
}

// settle puts l into aud at the cursors. A stream that it heard before goes on
// where it was.
func (l *Listener) settle(w *writer, aud *Audience, at [streams]Cursor) {
	for i := range at {
		if l.sh == nil || l.sh.aud.hears[i] != aud.hears[i] {
			l.cursors[i] = at[i]
		}
	}
	l.unlist(w)
	sh := &aud.shards[w.id]
	l.sh = sh
	l.index = int32(len(sh.members))
	sh.members = append(sh.members, l)
	if sh.listed < 0 {
		sh.listed = int32(len(w.shards))
		w.shards = append(w.shards, sh)
	}
}

// unlist takes l out of its shard, and the shard out of the writer's list with
// its last member.
func (l *Listener) unlist(w *writer) {
	sh := l.sh
	if sh == nil {
		return
	}
	last := len(sh.members) - 1
	sh.members[l.index] = sh.members[last]
	sh.members[l.index].index = l.index
	sh.members[last] = nil
	sh.members = sh.members[:last]
	if last == 0 {
		sh.members = nil
		end := len(w.shards) - 1
		w.shards[sh.listed] = w.shards[end]
		w.shards[sh.listed].listed = sh.listed
		w.shards[end] = nil
		w.shards = w.shards[:end]
		sh.listed = -1
	}
}

func (w *writer) markNews(s *Stream) {
	if s.only != nil {
		w.markDirty(&s.only.shards[w.id])
		return
	}
	for _, sh := range w.shards {
		if sh.aud.hears[Chat] == s {
			w.markDirty(sh)
		}
	}
}

func (w *writer) markDirty(sh *shard) {
	if !sh.dirty && len(sh.members) > 0 {
		sh.dirty = true
		w.dirty = append(w.dirty, sh)
	}
}

func (w *writer) extraOf(l *Listener) *extra {
	if l.extra == nil {
		if n := len(w.free); n > 0 {
			l.extra = w.free[n-1]
			w.free = w.free[:n-1]
		} else {
			l.extra = new(extra)
		}
	}
	return l.extra
}

func (w *writer) releaseExtra(l *Listener) {
	e := l.extra
	l.extra = nil
	if len(w.free) < 1024 && cap(e.outbox) <= 256 && cap(e.skips) <= 256 {
		w.free = append(w.free, e)
	}
}
