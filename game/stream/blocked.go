package stream

import "time"

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
		return
	}
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
			l.closed, l.blocked = true, false
			w.stats.Blocked.Add(-1)
			w.stats.SlowConsumers.Add(1)
			// Its cursors keep segments alive, and its session may take a
			// while to end.
			for i := range l.cursors {
				l.cursors[i] = Cursor{}
			}
			l.extra = nil
			l.conn.Close(w.cfg.SlowCode, w.cfg.SlowReason)
			continue
		}
		kept = append(kept, l)
	}
	clear(w.blocked[len(kept):])
	w.blocked = kept
}

func (w *writer) tooSlow(l *Listener, now int64) bool {
	if now-l.extra.blockedSince > int64(w.cfg.MaxBlocked) || l.extra.outboxBytes > w.cfg.MaxLagBytes {
		return true
	}
	for i, s := range l.sh.aud.hears {
		if s != nil && s.head.Load()-l.cursors[i].pos > uint64(w.cfg.MaxLagBytes) {
			return true
		}
	}
	return false
}
