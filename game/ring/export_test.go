package ring

// NewAt makes an empty ring that has seen count pushes and pops already, so that
// tests can start just before the counters wrap around.
func NewAt[T any](capacity int, count uint32) *SPSC[T] {
	r := New[T](capacity)
	r.write.Store(uint64(count))
	r.read.Store(count)
	return r
}

// Slots gives the ring's slots, to see what it keeps alive.
func (r *SPSC[T]) Slots() []T { return r.slots }

// Put gives the holder a ring to begin with.
func (l *Lazy[T]) Put(r *SPSC[T]) { l.ring.Store(r) }

// Ring gives the holder's present ring, or nil.
func (l *Lazy[T]) Ring() *SPSC[T] { return l.ring.Load() }

// LazySlots is the capacity of a ring that a Lazy makes.
const LazySlots = lazySlots
