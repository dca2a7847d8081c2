package stream

import (
	"slices"
	"unsafe"
)

type opKind uint8

const (
	opJoin  opKind = iota // a new listener, in aud at the cursors
	opMove                // to aud, at the cursors
	opSend                // frames for this listener alone
	opOwn                 // its own pose is to be forgotten
	opSkip                // a range of a stream that this listener must not be sent
	opLeave               // forget this listener
)

// op is one thing the loop tells a writer about one listener.
//
// ends is where the listener's streams ended when the loop said it. What its area
// said before goes out first and what it says behind later, so that one listener
// hears the stream and its own packets in the order the loop made them. A move
// also waits for what was said in a chat that the listener will hear no more.
type op struct {
	kind    opKind
	l       *Listener
	aud     *Audience
	ends    [streams]uint64
	cursors [streams]Cursor
	tick    uint32 // of a join: the last one whose poses it need not be shown
	frames  []byte
	own     *Pose // of a send: the frames are this pose of the listener's own actor
	skip    span
}

// opBytes is what an operation holds beside its frames. It counts, so that many
// small packets, and moves, are bounded like few large ones.
const opBytes = int(unsafe.Sizeof(op{}))

// batch is what one tick tells one writer.
type batch struct {
	told uint32 // tick whose news these are, 0 when there are none
	ops  []op
	news []*Stream
	// limits, unless nil, hold from now on.
	limits *Limits
	next   *batch
	depth  int // of the spares: how many from here on; only the writer stores and reads it
}

// A tick takes two batches. More spares than a few, and larger ones than a busy
// tick fills, would only keep what one long pass or one storm of logins took.
const (
	maxSpares    = 8
	maxSpareOps  = 1 << 14
	maxSpareNews = 1 << 14
)

// send hands the filled batch over, if there is anything in it. Loop only.
func (w *writer) send() {
	b := w.out
	if len(b.ops) == 0 && len(b.news) == 0 && b.limits == nil {
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
		if b.told != 0 {
			w.told = b.told
		}
		if b.limits != nil {
			w.limit(*b.limits)
		}
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

// recycle gives a used batch back to the loop.
func (w *writer) recycle(b *batch) {
	clear(b.ops)
	clear(b.news)
	b.ops, b.news, b.told, b.limits = b.ops[:0], b.news[:0], 0, nil
	if cap(b.ops) > maxSpareOps || cap(b.news) > maxSpareNews {
		return
	}
	for {
		b.next, b.depth = w.spare.Load(), 1
		if b.next != nil {
			b.depth += b.next.depth
		}
		if b.depth > maxSpares || w.spare.CompareAndSwap(b.next, b) {
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
		l.cursors = [streams]Cursor{}
	case opSkip:
		if l.sh != nil && !l.closed {
			w.extraOf(l).skip(o.skip)
		}
	case opOwn:
		if l.extra != nil {
			l.extra.own = nil
		}
	case opSend, opMove:
		if l.sh == nil || l.closed {
			return
		}
		e := w.extraOf(l)
		if o.own != nil {
			e.own = o.own
		}
		e.outbox = append(e.outbox, *o)
		e.outboxBytes += opBytes + len(o.frames)
		if o.kind == opMove {
			e.moves++
		}
		if l.blocked {
			// It may wait for minutes. The frames lie among those of others,
			// all of which would live as long.
			last := &e.outbox[len(e.outbox)-1]
			last.frames = slices.Clone(o.frames)
		}
		w.touch(l)
	}
}
