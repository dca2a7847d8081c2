package stream

import "time"

// Limits are those of Config that may change while the writers run, under the
// same names. Zero values mean the same defaults.
type Limits struct {
	MaxLagBytes    int
	MaxBlocked     time.Duration
	BytesPerSecond int
}

func (l Limits) withDefaults() Limits {
	if l.MaxLagBytes <= 0 {
		l.MaxLagBytes = 4 << 20
	}
	if l.MaxBlocked <= 0 {
		l.MaxBlocked = 5 * time.Minute
	}
	if l.BytesPerSecond <= 0 {
		l.BytesPerSecond = 64000
	}
	l.BytesPerSecond = max(l.BytesPerSecond, 8000)
	return l
}

// Limit changes the limits for every listener, from the end of this tick on. Each
// writer gets them in its batch. Loop only.
func (ws *Writers) Limit(l Limits) {
	l = l.withDefaults()
	for _, w := range ws.writers {
		w.out.limits = &l
	}
}

// limit puts limits in force. The writer's goroutine, or before it runs.
func (w *writer) limit(l Limits) {
	w.limits = l
	w.bytesPerTick = float64(l.BytesPerSecond) * w.cfg.Tick.Seconds()
}
