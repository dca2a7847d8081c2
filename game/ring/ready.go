package ring

import "sync/atomic"

// ReadyList collects the owners (players) whose queue has news, from many
// producers, for one taker, the loop. An owner is on it at most once however
// often it is pushed. Nothing is allocated: the links are inside the Nodes. The
// zero value is an empty list.
//
// No wakeup is lost. A producer first puts its packet into the ring, then calls
// Push; the taker first clears an owner's ready bit, then drains its ring. If
// Push finds the bit clear, it links the node, and a later Take drains it. If
// Push finds it set, the clearing is still to come, therefore also the
// drain after it, and that drain sees the packet, which is in the ring already.
// Were the bit cleared after the drain, a packet that arrived between the two
// would lie in the ring with nobody told.
type ReadyList[T any] struct {
	// head is the node pushed last; each node leads to the one pushed before.
	// Producers move it from what they saw to their own node, the taker to nil.
	// A push whose comparison succeeds though head left and came back to the same
	// node (its owner taken and pushed again) is right all the same: the node is
	// the head at this instant, which is all that the new link says.
	head atomic.Pointer[Node[T]]
}

// Node is an owner's place on a ReadyList: sixteen bytes, embedded in the owner,
// never copied. The zero value is off the list. It belongs to one list.
type Node[T any] struct {
	// owner is the ready bit: nil means off the list, anything else on it, or on
	// its way. A producer sets it (from nil, so one of many wins), the taker
	// clears it.
	owner atomic.Pointer[T]

	// next is the node pushed before this one, or after a Take the one to be
	// yielded next. It is guarded by owner: the producer that has set owner may
	// write it until its swap of head, the taker from Take until it clears owner.
	// Nil while off the list, so that no player keeps another one alive.
	next *Node[T]
}

// Push puts owner, whose node is n, on the list, and says whether it was not
// there already. Any goroutine; call it after the news is in place. owner is
// the same at every call for this node, and not nil: Push panics, since a nil
// could not be told from a clear ready bit.
func (l *ReadyList[T]) Push(n *Node[T], owner *T) bool {
	if owner == nil {
		panic("ring: nil owner pushed on the ready list")
	}
	// The load spares a busy sender's second packet the dearer swap. Both stand
	// for "found the bit set" in the argument above.
	if n.owner.Load() != nil || !n.owner.CompareAndSwap(nil, owner) {
		return false
	}
	// n is ours alone now: the taker cannot know it yet, other producers are refused.
	for {
		head := l.head.Load()
		n.next = head
		if l.head.CompareAndSwap(head, n) {
			return true // and n has been the taker's since that swap
		}
		// Somebody else's push went through, or a Take: the list as a whole
		// has made progress.
	}
}

// Take empties the list and gives what was on it in order of arrival. Owners
// that the batch has not yielded yet still count as on the list. Taker only.
func (l *ReadyList[T]) Take() Batch[T] {
	if l.head.Load() == nil { // an idle tick writes nothing
		return Batch[T]{}
	}
	n := l.head.Swap(nil) // every node from here down is ours since that swap
	var first *Node[T]
	for n != nil {
		before := n.next
		n.next = first
		first, n = n, before
	}
	return Batch[T]{first: first}
}

// Batch is what one Take found, a cursor that Next moves along:
//
//	batch := list.Take()
//	for owner := batch.Next(); owner != nil; owner = batch.Next() {
//		drain(owner)
//	}
//
// Go through to the end: whoever is left in an abandoned batch is never heard
// again.
type Batch[T any] struct {
	first *Node[T]
}

// Next gives the next owner, its ready bit already cleared, or nil at the end.
// From then on the owner can be pushed again, on to the list and not on to this
// batch. Taker only.
func (b *Batch[T]) Next() *T {
	n := b.first
	if n == nil {
		return nil
	}
	// The order matters: as soon as owner is nil a producer may set it, and
	// write next for its own link.
	b.first = n.next
	n.next = nil
	return n.owner.Swap(nil) // n is the producers' since that swap; the drain follows
}
