package stream

import (
	"math"
	"time"
)

// block notes that the last write to l is not flushed. It must be noted at once:
// if the flush ended before anything new was said, nobody would visit l again.
func (w *writer) block(l *Listener) {
	l.blocked = true
	w.extraOf(l).blockedSince = int64(time.Since(w.epoch)) + 1
	w.blocked = append(w.blocked, l)
	w.stats.Blocked.Add(1)
}

// sweepBlocked looks at every unflushed listener: the flushed ones go on, those
// too far behind or too long stuck are slow consumers.
func (w *writer) sweepBlocked() {
	if len(w.blocked) == 0 {
		if w.lag.Load() != 0 {
			w.lag.Store(0)
		}
		return
	}
	most := int64(0)
	now := int64(time.Since(w.epoch)) + 1
	kept := w.blocked[:0]
	for _, l := range w.blocked {
		if l.sh == nil { // left
			l.blocked = false
			w.stats.Blocked.Add(-1)
			continue
		}
		if l.conn.Pending() == 0 {
			l.blocked = false
			w.stats.Blocked.Add(-1)
			l.extra.blockedSince = 0
			if l.extra.empty() {
				w.releaseExtra(l)
			}
			w.touch(l)
			continue
		}
		if w.tooSlow(l, now) {
			l.blocked = false
			w.stats.Blocked.Add(-1)
			w.stats.SlowConsumers.Add(1)
			l.shut()
			l.conn.Close(w.cfg.SlowCode, w.cfg.SlowReason)
			continue
		}
		kept = append(kept, l)
		most = max(most, l.sh.aud.lag(&l.cursors)+int64(l.extra.outboxBytes))
	}
	w.lag.Store(most)
	clear(w.blocked[len(kept):])
	w.blocked = kept
}

// tooSlow reports whether l, which is blocked, has been so for too long or holds
// too much memory: segments behind a cursor, its own or one that a move will give
// it, or packets for it alone.
func (w *writer) tooSlow(l *Listener, now int64) bool {
	e := l.extra
	if now-e.blockedSince > int64(w.limits.MaxBlocked) || e.outboxBytes > w.limits.MaxLagBytes ||
		l.sh.aud.lag(&l.cursors) > int64(w.limits.MaxLagBytes) {
		return true
	}
	for i := 0; e.moves > 0 && i < len(e.outbox); i++ {
		o := &e.outbox[i]
		if o.kind == opMove && o.aud.lag(&o.cursors) > int64(w.limits.MaxLagBytes) {
			return true
		}
	}
	return false
}

// lag is how many bytes the streams of aud are ahead of the cursors, the greater
// of the two. It is negative while what a cursor has passed, together with an
// operation of the same tick, is not published yet.
func (aud *Audience) lag(at *[streams]Cursor) int64 {
	most := int64(math.MinInt64)
	for i, s := range aud.hears {
		if s != nil {
			most = max(most, int64(s.head.Load()-at[i].pos))
		}
	}
	return most
}

// shut ends what is sent to l, and lets go of the memory that it holds: its
// session may take a while to report the leave.
func (l *Listener) shut() {
	l.closed = true
	l.extra = nil
	l.cursors = [streams]Cursor{}
}
