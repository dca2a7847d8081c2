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

// shard is one writer's part of an audience. Only that writer touches it.
type shard struct {
	aud     *Audience
	members []*Listener
	listed  int32 // index in the writer's list of shards with members, -1 for none
	dirty   bool  // waits in the writer's dirty list
}

// Listener is one player's place in the streams, embedded in the player. The
// zero value is ready for Writers.Join. All fields belong to its writer, except
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
	outboxBytes  int    // sum of the outbox's frames
	skips        []span // ranges of its streams that it must not be sent
	blockedSince int64  // nanoseconds on the writer's clock, 0 while not blocked
}

func (e *extra) empty() bool {
	return len(e.outbox) == 0 && len(e.skips) == 0 && e.blockedSince == 0
}

// span is the range [from, to) of one of the listener's streams.
type span struct {
	stream   *Stream
	from, to uint64
}

type opKind uint8

const (
	opJoin  opKind = iota // a new listener, in aud at the cursors
	opMove                // to aud, at the cursors
	opSend                // frames for this listener alone
	opSkip                // a range of a stream that this listener must not be sent
	opLeave               // forget this listener
)

// op is one thing the loop tells a writer about one listener.
//
// area is the position of the listener's area stream when the loop said it:
// everything before it goes out first, everything behind it later, so that one
// listener hears the stream and its own packets in the order the loop made them.
type op struct {
	kind    opKind
	l       *Listener
	aud     *Audience
	area    uint64
	cursors [streams]Cursor
	tick    uint32 // of a join: the last one whose poses it need not be shown
	frames  []byte
	skip    span
}

// batch is what one tick tells one writer.
type batch struct {
	ops  []op
	news []*Stream
	next *batch
}
