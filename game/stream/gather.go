package stream

import "slices"

// deliver writes to l what it has not been sent, up to the scene and the head of
// its chat and bounded by MaxWriteBytes, in one write. It reports whether l has
// moved to another audience on the way, whose scene the caller must read.
func (w *writer) deliver(l *Listener, sc *scene, now uint32, head uint64) (moved bool) {
	g := gather{w: w, room: w.cfg.MaxWriteBytes}
	from := l.sh
	if l.extra != nil && len(l.extra.outbox) > 0 {
		g.outbox(l)
	}
	moved = l.sh != from
	if sc != nil && !moved && !g.full {
		g.stream(l, Area, sc.head)
		if !g.full && l.cursors[Area].pos == sc.head {
			g.poses(l, sc, now)
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
	if w.stats.Writes.Add(1)%sampleEvery == 0 {
		w.stats.FramesPerWrite.add(countFrames(out))
	}
	w.stats.Bytes.Add(uint64(n))
	if err := l.conn.Write(out); err != nil {
		l.shut() // its session reports the leave
		if l.conn.Pending() > 0 {
			// Or it lives, and what others than we wrote to it, pongs, left no room: of a
			// stream with a hole nobody has any use.
			l.conn.Close(w.cfg.SlowCode, w.cfg.SlowReason)
		}
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
		g.stream(l, Area, o.ends[Area])
		if o.kind == opMove && !g.full && l.sh.aud.hears[Chat] != o.aud.hears[Chat] {
			g.stream(l, Chat, o.ends[Chat])
		}
		if g.full || g.bytes > 0 && len(o.frames) > g.room {
			g.full = true
			n := copy(e.outbox, e.outbox[i:])
			clear(e.outbox[n:])
			e.outbox = e.outbox[:n]
			return
		}
		e.outboxBytes -= opBytes + len(o.frames)
		if o.kind == opMove {
			e.moves--
			l.settle(g.w, o.aud, o.cursors)
			continue
		}
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
	if c.seg != nil {
		c.settle()
	}
}

// span is the range [from, to) of one of the listener's streams.
type span struct {
	stream   *Stream
	from, to uint64
}

// skip adds a span. Those of one stream stay in order and apart: the new one
// ends last, and takes in those that it touches, however many they are.
func (e *extra) skip(sp span) {
	for i := len(e.skips) - 1; i >= 0; i-- {
		old := e.skips[i]
		if old.stream != sp.stream {
			continue
		}
		if old.to < sp.from {
			break
		}
		sp.from = min(sp.from, old.from)
		e.skips = slices.Delete(e.skips, i, i+1)
	}
	e.skips = append(e.skips, sp)
}

// until tells how far l may go on from pos: to the next span that it must not be
// sent, or, with skip, to the end of the span it stands in.
func (l *Listener) until(s *Stream, pos, limit uint64) (to uint64, skip bool) {
	if l.extra == nil {
		return limit, false
	}
	for _, sp := range l.extra.skips { // in order, see skip
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
// that l hears no more and has no move waiting that could be to.
func (l *Listener) forgetSkips() {
	e := l.extra
	if len(e.skips) == 0 {
		return
	}
	kept := e.skips[:0]
	for _, sp := range e.skips {
		keep := e.moves > 0
		for i, s := range l.sh.aud.hears {
			keep = keep || s == sp.stream && l.cursors[i].pos < sp.to
		}
		if keep {
			kept = append(kept, sp)
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
