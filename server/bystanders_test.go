package main

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// bystanders are two players who talk to each other and walk, without a pause,
// while others misbehave.
type bystanders struct {
	t        testing.TB
	ann, ben *peer
	stop     chan struct{}
	ended    chan struct{}

	mu     sync.Mutex
	rounds int           // how often both have heard each other, and seen a step
	next   chan struct{} // closed at the end of a round
}

// standBy lets two players in and sets them going.
func standBy(t testing.TB, s *testServer) *bystanders {
	t.Helper()
	b := &bystanders{t: t, stop: make(chan struct{}), ended: make(chan struct{}), next: make(chan struct{})}
	b.ann, _ = enter(t, s, "bystander ann")
	b.ben, _ = enter(t, s, "bystander ben")
	go b.run()
	t.Cleanup(func() {
		close(b.stop)
		<-b.ended
	})
	return b
}

func (b *bystanders) run() {
	defer close(b.ended)
	for n := 0; ; n++ {
		select {
		case <-b.stop:
			return
		default:
		}
		b.ann.say(`{"a":"Chat","p0":"","p1":"to ben %d"}`, n)
		b.ben.say(`{"a":"Chat","p0":"","p1":"to ann %d"}`, n)
		b.ann.say(`{"a":"Target","p0":%d,"p1":9}`, 100*(n%2))
		ok := b.hears(b.ben, fmt.Sprintf("bystander ann: to ben %d", n)) &&
			b.hears(b.ann, fmt.Sprintf("bystander ben: to ann %d", n))
		if !ok {
			return
		}
		b.mu.Lock()
		b.rounds++
		close(b.next)
		b.next = make(chan struct{})
		b.mu.Unlock()
	}
}

// hears waits until p has heard a chat and seen ann take a step.
func (b *bystanders) hears(p *peer, line string) bool {
	heardIt, stepped := false, false
	for !heardIt || !stepped {
		h, err := p.next()
		if err != nil {
			b.t.Errorf("a bystander: %v", err)
			return false
		}
		m, isModel := h.model()
		heardIt = heardIt || h.chat() == line
		stepped = stepped || isModel && !m.full() && m.ID == b.ann.ownID()
	}
	return true
}

// goOn waits until they have done, from beginning to end, another round.
func (b *bystanders) goOn(after string) {
	b.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for range 2 { // the one under way, and another
		b.mu.Lock()
		next := b.next
		b.mu.Unlock()
		select {
		case <-next:
		case <-b.ended:
			b.t.Fatalf("after %s the bystanders do not go on", after)
		case <-timeout.C:
			b.t.Fatalf("after %s the bystanders have heard nothing for %v", after, patience)
		}
	}
}
