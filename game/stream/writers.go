package stream

import (
	"sync"
	"sync/atomic"
	"time"
)

// Config of the writers. Zero values mean the documented defaults.
type Config struct {
	// Writers is the number of writer goroutines, default 1, at most 64. One per
	// core that has nothing else to do; a second one on the same core costs p99.
	Writers int
	// MaxLagBytes is how far a listener may stay behind the head of a stream, or
	// how much may wait for it alone (a packet or move counts for some 150 bytes
	// more than its frames), before it is closed as a slow consumer.
	// Default 4 MiB. It bounds memory: segments live as long as the slowest cursor.
	MaxLagBytes int
	// MaxBlocked is how long a listener may leave the last write unflushed before
	// it is closed as a slow consumer. Default 5 minutes: a hidden browser tab may
	// stop reading for that long and come back.
	MaxBlocked time.Duration
	// MaxWriteBytes is the most that one visit writes, unless a single segment or
	// packet is longer. Default 128 KiB, the size of the socket's send buffer: more
	// would only be copied into the edge's queue.
	MaxWriteBytes int
	// PassEvery is the least time from the start of one pass to the start of the
	// next when a pass takes longer than Tick. Default 100 ms.
	PassEvery time.Duration
	// Tick is the loop's step. Default 50 ms.
	Tick time.Duration
	// BytesPerSecond is the most that one listener is sent of poses. Default
	// 64,000, under what the clients' 64 KiB buffers drain. At least 8,000.
	BytesPerSecond int
	// SlowCode and SlowReason close a slow consumer. Default 1013 (RFC 6455's
	// registry: try again later) and a sentence.
	SlowCode   int
	SlowReason string
}

func (c Config) withDefaults() Config {
	if c.Writers <= 0 {
		c.Writers = 1
	}
	c.Writers = min(c.Writers, 64)
	l := Limits{c.MaxLagBytes, c.MaxBlocked, c.BytesPerSecond}.withDefaults()
	c.MaxLagBytes, c.MaxBlocked, c.BytesPerSecond = l.MaxLagBytes, l.MaxBlocked, l.BytesPerSecond
	if c.MaxWriteBytes <= 0 {
		c.MaxWriteBytes = 128 << 10
	}
	if c.PassEvery <= 0 {
		c.PassEvery = 100 * time.Millisecond
	}
	if c.Tick <= 0 {
		c.Tick = 50 * time.Millisecond
	}
	if c.SlowCode == 0 {
		c.SlowCode = 1013
	}
	if c.SlowReason == "" {
		c.SlowReason = "You are reading too slowly"
	}
	return c
}

// Stats counts what the writers did. All fields only grow, except Blocked. Read
// from any goroutine.
type Stats struct {
	Visits        atomic.Uint64 // listeners looked at
	Writes        atomic.Uint64 // Conn.Write calls
	Bytes         atomic.Uint64 // bytes given to Conn.Write
	Copied        atomic.Uint64 // of those, bytes that had to be gathered first
	Passes        atomic.Uint64
	PassNanos     atomic.Uint64 // time spent in passes
	SlowConsumers atomic.Uint64
	Throttled     atomic.Uint64 // visits for which not all poses fitted into the bandwidth
	Blocked       atomic.Int64  // listeners with an unflushed write now

	FramesPerWrite Frames // of one write in sampleEvery

	lags []*atomic.Int64 // of each writer
}

// Writers is the loop's end of the writer goroutines. Its methods belong to the
// loop's goroutine, except Stats.
type Writers struct {
	cfg     Config
	writers []*writer
	stats   Stats
	tick    uint32        // number of the tick that is being filled, from 1
	clock   atomic.Uint32 // the last tick whose scenes are published
	next    int           // writer of the next listener, round robin
	news    []*Stream     // appended to since the last publish
	awake   []*Stream     // whose tails have buffers
	arena   []byte        // frames of this tick's sends; the collector frees it with its last op
	stop    chan struct{}
	running sync.WaitGroup
}

// NewWriters starts no goroutine; see Run and Step.
func NewWriters(cfg Config) *Writers {
	ws := &Writers{cfg: cfg.withDefaults(), tick: 1, stop: make(chan struct{})}
	for i := range ws.cfg.Writers {
		w := newWriter(i, &ws.cfg, &ws.stats, &ws.clock)
		ws.writers = append(ws.writers, w)
		ws.stats.lags = append(ws.stats.lags, &w.lag)
	}
	return ws
}

// Stats returns the counters. Any goroutine.
func (ws *Writers) Stats() *Stats { return &ws.stats }

// NewAudience makes an audience of an area stream, heard by nobody else and nil
// for none, and a chat stream that other audiences may hear too.
func (ws *Writers) NewAudience(area, chat *Stream) *Audience {
	aud := &Audience{shards: make([]shard, len(ws.writers))}
	aud.hears[Area], aud.hears[Chat] = area, chat
	if area != nil {
		area.only = aud
	}
	for i := range aud.shards {
		aud.shards[i] = shard{aud: aud, listed: -1}
	}
	return aud
}

// Append says frames to everybody who hears s. The cost does not depend on how
// many that are. The frames are copied.
func (ws *Writers) Append(s *Stream, frames []byte) {
	s.append(frames, ws.tick)
	if !s.awake {
		s.awake = true
		ws.awake = append(ws.awake, s)
	}
	ws.tell(s)
}

// tell notes that the audiences of s have news at the end of the tick.
func (ws *Writers) tell(s *Stream) {
	if !s.dirty {
		s.dirty = true
		ws.news = append(ws.news, s)
	}
}

// Join puts a new listener into aud; it hears what is said from now on. One that
// has left cannot join again.
func (ws *Writers) Join(l *Listener, conn Conn, aud *Audience) {
	l.conn = conn
	l.writer = uint8(ws.next)
	ws.next = (ws.next + 1) % len(ws.writers)
	l.aud = aud
	ws.push(op{kind: opJoin, l: l, aud: aud, cursors: aud.here(), tick: ws.tick - 1})
}

// Move puts a listener into another audience. It has then been sent everything
// that was said before in the one it leaves, and hears what is said from now on
// in the new one; a stream that both hear goes on without a gap.
func (ws *Writers) Move(l *Listener, aud *Audience) {
	o := op{kind: opMove, l: l, aud: aud, ends: l.ends(), cursors: aud.here()}
	l.aud = aud
	ws.push(o)
}

// Send gives frames to one listener alone, in order with what its area stream
// says. The frames are copied.
func (ws *Writers) Send(l *Listener, frames []byte) { ws.SendKept(l, ws.Keep(frames)) }

// Keep copies frames for SendKept, which may give the copy to many.
func (ws *Writers) Keep(frames []byte) []byte {
	if len(ws.arena)+len(frames) > cap(ws.arena) {
		ws.arena = make([]byte, 0, max(4<<10, len(frames)))
	}
	from := len(ws.arena)
	ws.arena = append(ws.arena, frames...)
	return ws.arena[from:len(ws.arena):len(ws.arena)]
}

// SendKept is Send without the copy: frames, made by Keep, must not change.
func (ws *Writers) SendKept(l *Listener, frames []byte) {
	if len(frames) == 0 {
		return
	}
	ws.push(op{kind: opSend, l: l, ends: l.ends(), frames: frames})
}

// SendOwn gives a listener the pose of its own actor, which is not in the scene.
func (ws *Writers) SendOwn(l *Listener, p *Pose) {
	ws.push(op{kind: opSend, l: l, ends: l.ends(), frames: p.frame[:p.n], own: p})
}

// ForgetOwn lets go of what SendOwn gave; the listener is ranked by it no more.
func (ws *Writers) ForgetOwn(l *Listener) { ws.push(op{kind: opOwn, l: l}) }

// Skip keeps the bytes that were appended to s since position from away from l,
// which must hear s.
func (ws *Writers) Skip(l *Listener, s *Stream, from uint64) {
	ws.push(op{kind: opSkip, l: l, skip: span{s, from, s.end}})
}

// Leave forgets a listener; nothing more is sent to it.
func (ws *Writers) Leave(l *Listener) {
	l.aud = nil
	ws.push(op{kind: opLeave, l: l})
}

// Publish ends a tick. First the writers are handed the tick's operations, then
// the heads are published, so that who sees a head finds every operation that was
// said before it; last the writers are told which streams have news.
func (ws *Writers) Publish() {
	if ws.tick%restTicks == 0 {
		ws.restSilent()
	}
	ws.handOver()
	ws.publishHeads()
	ws.announce()
}

// restSilent lets the buffers of silent streams go. Their audiences are visited
// once more, to move the cursors on.
func (ws *Writers) restSilent() {
	kept := ws.awake[:0]
	for _, s := range ws.awake {
		if ws.tick-s.last < restTicks {
			kept = append(kept, s)
			continue
		}
		s.awake = false
		s.rest()
		ws.tell(s)
	}
	clear(ws.awake[len(kept):])
	ws.awake = kept
	// A busy time leaves large batches behind.
	for _, w := range ws.writers {
		w.spare.Store(nil)
	}
}

func (ws *Writers) handOver() {
	for _, w := range ws.writers {
		w.send()
	}
}

func (ws *Writers) publishHeads() {
	for _, s := range ws.news {
		s.dirty = false
		s.publish()
		if aud := s.only; aud != nil {
			aud.scene.Store(&scene{head: s.end, tick: ws.tick, poses: aud.poses})
		}
	}
	ws.clock.Store(ws.tick)
}

func (ws *Writers) announce() {
	for _, w := range ws.writers {
		if len(ws.news) > 0 {
			w.out.news = append(w.out.news, ws.news...)
			w.out.told = ws.tick
		}
		w.send()
		if w.handed || w.owes.Load() {
			w.handed = false
			w.wakeUp()
		}
	}
	clear(ws.news)
	ws.news = ws.news[:0]
	ws.tick++
}

// CaughtUp is a tick of which, and of all before it, every listener has been sent
// everything and been shown everything. It stands still while the writers are
// busy or somebody is behind. Ticks count from 1 at the first Publish. Loop only.
func (ws *Writers) CaughtUp() uint32 {
	tick := ws.tick
	for _, w := range ws.writers {
		tick = min(tick, w.done.Load())
	}
	return tick
}

func (ws *Writers) push(o op) {
	w := ws.writers[o.l.writer]
	w.out.ops = append(w.out.ops, o)
}

// Run starts the writer goroutines.
func (ws *Writers) Run() {
	for _, w := range ws.writers {
		ws.running.Add(1)
		go func() {
			defer ws.running.Done()
			w.run(ws.stop)
		}()
	}
}

// Stop lets the writers send what is published, waits at most flush for
// listeners whose last write is unflushed, and ends the goroutines. Call it once,
// after the last Publish.
func (ws *Writers) Stop(flush time.Duration) {
	for _, w := range ws.writers {
		w.flush = flush
	}
	close(ws.stop)
	ws.running.Wait()
}

// Step does, on the caller's goroutine, all that Run's goroutines would do now:
// for tests and tools that own the clock. Not together with Run.
func (ws *Writers) Step() {
	for _, w := range ws.writers {
		for again := true; again; {
			w.takeBatches()
			w.remind()
			w.sweepBlocked()
			w.visitTouched(len(w.touched))
			w.pass()
			again = len(w.touched) > 0 || len(w.dirty) > 0 || w.inbox.Load() != nil
		}
		w.noteDone()
	}
}

func (aud *Audience) here() (at [streams]Cursor) {
	for i, s := range aud.hears {
		if s != nil {
			at[i] = s.here()
		}
	}
	return at
}

// ends is where the streams end of the audience where the loop last put l.
func (l *Listener) ends() (at [streams]uint64) {
	if l.aud != nil {
		for i, s := range l.aud.hears {
			if s != nil {
				at[i] = s.end
			}
		}
	}
	return at
}
