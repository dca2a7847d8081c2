// Package ring carries packets from the pollers into the loop without a lock
// and without waiting.
//
// SPSC is the bounded queue of one player, Lazy holds it and lets it exist only
// while there is traffic, and ReadyList tells the loop whose queue has news. The
// package knows nothing of packets, players or sockets; which goroutine may call
// what is said at each method, and the argument that this is enough stands
// beside the fields and the lines that carry it.
//
// No field is padded to a cache line: nearly all players are idle, and their
// memory is worth more than the odd shared line of the busy ones.
package ring

import (
	"fmt"
	"sync/atomic"
)

// Result says what became of a packet that a producer pushed.
type Result uint8

// What became of a push.
const (
	Pushed  Result = iota // the consumer will pop it
	Full                  // refused: the consumer is a whole ring behind
	Retired               // refused for good: the consumer closed this ring
)

// String gives the result its name in logs and test failures.
func (r Result) String() string {
	switch r {
	case Pushed:
		return "pushed"
	case Full:
		return "full"
	case Retired:
		return "retired"
	}
	return fmt.Sprintf("Result(%d)", uint8(r))
}

// retired is the bit of SPSC.write that closes the ring. The counter fills the
// low 32 bits and can never carry into it.
const retired = 1 << 63

// maxCapacity keeps a full ring (difference = capacity) and an empty one
// (difference = 0) apart in 32-bit counters.
const maxCapacity = 1 << 31

// SPSC is a bounded first-in, first-out queue between one producer and one
// consumer. Either may be a different goroutine from call to call, provided that
// the calls of one side never overlap. Neither side ever waits or retries.
//
// read counts pops and write counts pushes since the start. Both only grow and
// may wrap, which is harmless because only their difference is used:
//
//	0 <= write-read <= len(slots), and len(slots) is a power of two
//	slot i&(len(slots)-1) belongs to the consumer while read <= i < write,
//	and to the producer otherwise
//
// Advancing an index is what hands a slot over, so it is the last thing that
// each side does with it. Go's atomics are sequentially consistent: whoever sees
// the new index sees what was written to the slot before.
type SPSC[T any] struct {
	// slots is never resized. A slot that belongs to the producer is zero but
	// for the moment inside Push, so the ring keeps nothing alive that was popped.
	slots []T

	// write is two things in one word, so that one compare-and-swap decides
	// between them:
	//
	//	bit  63     retired: set by the consumer, never cleared
	//	bits 32-62  always zero
	//	bits 0-31   count of pushes
	//
	// The producer alone changes the count, the consumer alone sets the bit, and
	// only while the ring is empty. Both do so by CompareAndSwap from the word
	// that they judged by. A push therefore finds the ring open at the very
	// instant when it is published, and a retirement finds it empty at the very
	// instant when it closes: no packet is ever put into a closed ring, or lost.
	//
	// The word cannot come back to an earlier value under a pending swap: the
	// consumer being inside Retire pops nothing meanwhile, so the count can
	// grow by at most len(slots) < 1<<32; and the bit never falls.
	write atomic.Uint64

	// read is stored by the consumer only.
	read atomic.Uint32
}

// New makes an empty ring for capacity packets. It panics when capacity is not a
// power of two in 1..1<<31: that is a mistake in the program, not a condition.
func New[T any](capacity int) *SPSC[T] {
	if capacity < 1 || int64(capacity) > maxCapacity || capacity&(capacity-1) != 0 {
		panic(fmt.Sprintf("ring: capacity %d is not a power of two", capacity))
	}
	return &SPSC[T]{slots: make([]T, capacity)}
}

// Push offers v to the consumer; on Full and Retired the ring has not changed.
// Producer only.
func (r *SPSC[T]) Push(v T) Result {
	word := r.write.Load()
	if word&retired != 0 {
		return Retired
	}
	count := uint32(word)
	// read may grow behind our back: then this calls a ring full that just is no
	// more, never one free that is full.
	if int(count-r.read.Load()) == len(r.slots) {
		return Full
	}
	slot := r.slot(count)
	*slot = v
	if !r.write.CompareAndSwap(word, uint64(count+1)) {
		// Only the consumer's retired bit can have come between. The slot has
		// stayed ours, and is zeroed like any other that holds no packet.
		var zero T
		*slot = zero
		return Retired
	}
	// The slot is the consumer's since that swap.
	return Pushed
}

// Pop takes the oldest packet and zeroes its slot; ok is false when there is
// none. Consumer only.
func (r *SPSC[T]) Pop() (v T, ok bool) {
	count := r.read.Load()
	if count == uint32(r.write.Load()) {
		return v, false
	}
	slot := r.slot(count)
	v = *slot
	var zero T
	*slot = zero
	r.read.Store(count + 1) // the slot is the producer's from here on
	return v, true
}

// Len counts the packets that Pop would give if nothing more were pushed.
// Consumer only; the producer may add to it at once.
func (r *SPSC[T]) Len() int {
	return int(uint32(r.write.Load()) - r.read.Load())
}

// Retire closes the ring for ever if it is empty, and says whether it is closed.
// After true every Push answers Retired and every Pop finds nothing; after false
// a packet is waiting. Consumer only.
func (r *SPSC[T]) Retire() bool {
	word := r.write.Load()
	if word&retired != 0 {
		return true
	}
	if uint32(word) != r.read.Load() {
		return false
	}
	// Fails only if a push was published since the load, and that packet is then
	// ours to pop. Success hands every slot to the producer, who will not use them.
	return r.write.CompareAndSwap(word, word|retired)
}

// slot finds the place of the packet with that count.
func (r *SPSC[T]) slot(count uint32) *T {
	return &r.slots[count&uint32(len(r.slots)-1)]
}
