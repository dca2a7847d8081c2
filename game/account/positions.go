package account

import (
	"math"
	"sync"
)

type position struct{ x, y float64 }

// positions holds, for each account, the newest position that is not on disk
// yet. Anyone may set; the writer takes them from time to time.
//
// An account is in waiting, in writing, in both (then waiting is newer), or,
// when its position is on disk, in neither. Only the writer moves entries from
// waiting to writing, and it drops them only after their commit, so that a
// reader who finds an account in neither map finds its position in the file.
type positions struct {
	mu      sync.Mutex
	waiting map[int64]position
	writing map[int64]position // in the writer's transaction
	dropped uint64             // not finite

	// wake has a token once waiting is no longer empty.
	wake chan struct{}
}

func newPositions() *positions {
	return &positions{waiting: map[int64]position{}, wake: make(chan struct{}, 1)}
}

// set keeps the position as the account's newest. One that is not finite would
// spoil its whole transaction and is dropped.
func (p *positions) set(id int64, at position) {
	finite := !math.IsNaN(at.x-at.x) && !math.IsNaN(at.y-at.y) // Inf-Inf is NaN
	p.mu.Lock()
	defer p.mu.Unlock()
	if !finite {
		p.dropped++
		return
	}
	p.waiting[id] = at
	if len(p.waiting) == 1 {
		select {
		case p.wake <- struct{}{}:
		default: // a token is there
		}
	}
}

// get is the account's newest position, if it may not be on disk yet.
func (p *positions) get(id int64) (position, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.waiting[id]; ok {
		return at, true
	}
	at, ok := p.writing[id]
	return at, ok
}

// take hands all that waits to the writer, which answers with written or
// putBack before it takes again.
func (p *positions) take() map[int64]position {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writing, p.waiting = p.waiting, map[int64]position{}
	return p.writing
}

// written says that what was taken is on disk.
func (p *positions) written() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writing = nil
}

// putBack says that what was taken is not on disk. What has been set since is newer.
func (p *positions) putBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, at := range p.waiting {
		p.writing[id] = at
	}
	p.waiting, p.writing = p.writing, nil
}

// backlog counts the positions that are not on disk. An account that moved
// while its last position is being written counts twice.
func (p *positions) backlog() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting) + len(p.writing)
}
