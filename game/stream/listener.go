package stream

import "sync/atomic"

// Conn is what a writer needs of a connection. All three may be called from any
// goroutine and never block.
type Conn interface {
	// Write takes whole frames, in order. It copies what it cannot hand to the
	// kernel at once. An error means that the connection is gone.
	Write(frames []byte) error
	// Pending is the number of bytes taken by Write that the kernel has not yet.
	Pending() int
	// Close sends a close frame after what was written and closes.
	Close(code int, reason string)
}

// A listener hears at most two streams. The area's comes first: what it says
// keeps its order with the packets sent to this listener alone.
const (
	Area = iota // who is in sight; may be nil
	Chat
	streams
)

// Audience is everybody who hears the same streams: the guests, or the players
// whose home is one cell of the grid. Made by the loop; its member lists belong
// to the writers, one shard each.
type Audience struct {
	hears  [streams]*Stream
	shards []shard
	poses  []*Pose               // of the scene to publish; loop only
	scene  atomic.Pointer[scene] // nil before the first publish; published by the loop
}

// Listener is one player's place in the streams, embedded in the player. The
// zero value is ready for Writers.Join, once. All fields belong to its writer, except
// that the loop sets conn and writer before it first hands the listener over,
// and aud is the loop's own note of where the player is.
type Listener struct {
	conn    Conn
	aud     *Audience // loop only
	sh      *shard    // writer only from here on
	extra   *extra    // nil unless something private waits
	cursors [streams]Cursor
	index   int32  // in sh.members
	seen    uint32 // tick of the scene that it was last shown
	period  uint8  // longest period of poses since all fitted, 0 when all did, see poses
	writer  uint8  // index of the writer that owns this listener
	blocked bool   // the last write is not flushed; stands in the blocked list
	closed  bool   // the connection failed or was closed as slow; nothing more is sent
	touched bool   // waits in the touched list
}

// Conn returns the connection given to Join, nil before. Loop only.
func (l *Listener) Conn() Conn { return l.conn }

// Audience returns where the listener was last put. Loop only.
func (l *Listener) Audience() *Audience { return l.aud }

// extra is what a listener needs only while something beside the streams waits
// for it. It goes back to its writer's free list when it is empty.
type extra struct {
	outbox       []op   // packets and moves for this listener alone, in order
	outboxBytes  int    // what the outbox holds, see opBytes
	moves        int    // how many of the outbox are moves
	skips        []span // ranges of its streams that it must not be sent
	own          *Pose  // of its own actor, when that walks and is not in the scene
	blockedSince int64  // nanoseconds on the writer's clock, 0 while not blocked
}

func (e *extra) empty() bool {
	return len(e.outbox) == 0 && len(e.skips) == 0 && e.own == nil && e.blockedSince == 0
}

func (w *writer) extraOf(l *Listener) *extra {
	if l.extra == nil {
		if n := len(w.free); n > 0 {
			l.extra, w.free[n-1] = w.free[n-1], nil
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
	if len(w.free) < 1024 && cap(e.outbox) <= 32 && cap(e.skips) <= 32 {
		w.free = append(w.free, e)
	}
}
