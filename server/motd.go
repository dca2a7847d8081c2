package main

import (
	"sync/atomic"

	"tavern/game"
)

// greeter tells everybody who logs in the announcement of the day.
//
// A login is handed to the loop first and to the greeter then, so the loop may
// run greeter.visit before it knows the player. So a visit only notes who is new,
// and tells them at the next one, a tick later.
type greeter struct {
	loop  *game.Loop
	text  atomic.Pointer[string]
	fresh atomic.Pointer[greeting] // pushed by anyone, taken by visit
	asked atomic.Bool              // visit waits for the loop
	known *greeting                // the loop's own: to be told now
}

type greeting struct {
	player *game.Player
	next   *greeting
}

func newGreeter(loop *game.Loop, text string) *greeter {
	m := &greeter{loop: loop}
	m.set(text)
	return m
}

// set changes the announcement; empty means none. Any goroutine.
func (m *greeter) set(text string) { m.text.Store(&text) }

// greet has the announcement told to p, who has just been handed to the loop. Any
// goroutine; it does not wait.
func (m *greeter) greet(p *game.Player) {
	if *m.text.Load() == "" {
		return
	}
	g := &greeting{player: p}
	for {
		g.next = m.fresh.Load()
		if m.fresh.CompareAndSwap(g.next, g) {
			break
		}
	}
	m.ask()
}

// ask has the loop visit, unless it is to do so already. When the loop's queue is
// full the next login asks again.
func (m *greeter) ask() {
	if m.asked.CompareAndSwap(false, true) && m.loop.Do(m.visit) != nil {
		m.asked.Store(false)
	}
}

// visit tells those who were new at the last visit. Loop.
func (m *greeter) visit(tx game.Tx) {
	text := *m.text.Load()
	for g := m.known; g != nil && text != ""; g = g.next {
		tx.Tell(g.player, text)
	}
	m.known = m.fresh.Swap(nil)
	m.asked.Store(false) // from here on whoever comes asks; who came before is seen here
	if m.known != nil || m.fresh.Load() != nil {
		m.ask()
	}
}
