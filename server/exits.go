package main

import (
	"sync"

	"tavern/game/account"
)

// exits stands between the loop and the accounts and knows whether somebody is
// just leaving: a connection has ended, but its account stays claimed until the
// loop's next tick, or until its Login is answered. Who finds an account taken
// meanwhile asks again after that, so that it seems free at once. Any goroutine.
type exits struct {
	*account.Store

	mu           sync.Mutex
	begun, ended uint64
	waiting      []waiter // in the order of until
}

// waiter is to go on when so many exits have ended as had begun when it came.
type waiter struct {
	until uint64
	retry func()
}

// begin notes that a connection has ended that may hold a claim.
func (e *exits) begin() {
	e.mu.Lock()
	e.begun++
	e.mu.Unlock()
}

// end notes that it does not any more.
func (e *exits) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended++
	for len(e.waiting) > 0 && e.waiting[0].until <= e.ended {
		go e.waiting[0].retry() // it takes locks, which the loop must not wait for
		e.waiting[0] = waiter{}
		e.waiting = e.waiting[1:]
	}
}

// Release ends the claim of one who was in the world. See game.Accounts.
func (e *exits) Release(id int64) {
	e.Store.Release(id)
	e.end()
}

// mark is for after.
func (e *exits) mark() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ended
}

// after runs retry, on a goroutine of its own, when all who are just leaving have
// left. It answers false and does not run it if nobody has been leaving since the
// mark.
func (e *exits) after(mark uint64, retry func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.begun != e.ended:
		e.waiting = append(e.waiting, waiter{e.begun, retry})
	case e.ended != mark:
		go retry()
	default:
		return false
	}
	return true
}
