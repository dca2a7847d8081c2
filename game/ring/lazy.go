package ring

import "sync/atomic"

// lazySlots is the capacity of a Lazy's ring: a tick's worth of the busiest
// sender that is still playing, not flooding.
const lazySlots = 32

// Lazy is a player's queue whose ring exists only while there is traffic: eight
// bytes for a player who only listens. The zero value is ready to use. One
// producer and one consumer, as for SPSC; neither ever waits.
//
// A packet is put into at most one ring, and rings follow one another strictly:
// the producer starts a new one only after an old one has been retired, which
// means popped empty. So the order of the packets survives the change.
type Lazy[T any] struct {
	// ring is nil while there is no ring. Two transitions, one for each side:
	//
	//	producer  nil, or a ring that is retired -> a new ring, by Store
	//	consumer  a ring that it has just retired -> nil, by CompareAndSwap
	//
	// The producer's Store needs no comparison: all that the consumer can do
	// meanwhile is to make of the retired ring a nil, and both mean "none". The
	// consumer does need one, or it would wipe out the new ring and its packet.
	// A ring is never put back once it has been replaced, so the comparison
	// cannot be deceived.
	ring atomic.Pointer[SPSC[T]]
}

// Push offers v to the consumer and makes a ring for it if there is none. False
// means that the ring is full: the sender is flooding. Producer only.
func (l *Lazy[T]) Push(v T) bool {
	if r := l.ring.Load(); r != nil {
		switch r.Push(v) {
		case Pushed:
			return true
		case Full:
			return false
		case Retired:
			// Fall out to a new ring. The old one is empty, and stays so.
		}
	}
	fresh := New[T](lazySlots)
	fresh.Push(v)       // cannot fail: nobody else knows this ring yet
	l.ring.Store(fresh) // the consumer's pops go to the new ring from here on
	return true
}

// Pop takes the oldest packet; ok is false when there is none. Consumer only.
func (l *Lazy[T]) Pop() (v T, ok bool) {
	// Loaded anew at every call: a ring that this goroutine has retired may
	// have been replaced by the producer at any time since.
	r := l.ring.Load()
	if r == nil {
		return v, false
	}
	return r.Pop()
}

// Len counts the packets that Pop would give if nothing more were pushed.
// Consumer only.
func (l *Lazy[T]) Len() int {
	r := l.ring.Load()
	if r == nil {
		return 0
	}
	return r.Len()
}

// Retire lets the garbage collector have the ring if it is empty, and says
// whether the player is without one; the next Push makes a new one. False means
// that a packet is waiting, in the old ring or already in a new one. Consumer
// only.
func (l *Lazy[T]) Retire() bool {
	r := l.ring.Load()
	if r == nil {
		return true
	}
	if !r.Retire() {
		return false
	}
	return l.ring.CompareAndSwap(r, nil) // fails if the producer's new ring came first
}
