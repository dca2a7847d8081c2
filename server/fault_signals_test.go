package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// storm is a server under load: some talk without a pause, some walk, others come
// and go. What its clients know of it can be checked when it has ended.
type storm struct {
	s        *process
	talkers  []*peer
	walkers  []*peer
	said     []atomic.Int64 // by each talker, and with the server for sure
	clients  sync.WaitGroup
	mu       sync.Mutex
	granted  []string // accounts that got their Ok, of those who come and go
	comeback atomic.Int64
}

const (
	stormTalkers = 6
	stormWalkers = 4
	stormComers  = 2
)

// startStorm starts one and returns when it rages.
func startStorm(t *testing.T, s *process) *storm {
	st := &storm{s: s, said: make([]atomic.Int64, stormTalkers)}
	for i := range stormTalkers {
		p, _ := enter(t, s.server(), fmt.Sprint("talker ", i))
		st.talkers = append(st.talkers, p)
	}
	for i := range stormWalkers {
		p, _ := enter(t, s.server(), fmt.Sprint("walker ", i))
		st.walkers = append(st.walkers, p)
		p.say(`{"a":"Target","p0":2000,"p1":%d}`, 100*i)
	}
	for i, p := range st.talkers {
		st.clients.Go(func() { st.talk(p, &st.said[i]) })
	}
	for i := range stormComers {
		st.clients.Go(func() { st.comeAndGo(t, i) })
	}
	until(t, "the storm rages", func() bool {
		for i := range st.said {
			if st.said[i].Load() < 20 {
				return false
			}
		}
		return st.comeback.Load() >= 5
	})
	return st
}

// talk says numbers, two in a tick, until the connection ends.
func (st *storm) talk(p *peer, said *atomic.Int64) {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	st.clients.Go(func() {
		<-p.gone // no pong comes any more
		cancel()
	})
	for n := int64(1); ; n++ {
		if p.trySend(websocket.MessageText, fmt.Sprintf(`{"a":"Chat","p0":"","p1":"%d"}`, n)) != nil || p.ws.Ping(ctx) != nil {
			return
		}
		said.Store(n)
		<-pace.C
	}
}

// comeAndGo makes accounts and logs in and out until the server is gone.
func (st *storm) comeAndGo(t *testing.T, i int) {
	for n := 0; ; n++ {
		p, err := dial(t, st.s.addr)
		if err != nil {
			return
		}
		name := fmt.Sprintf("comer %d-%d", i, n)
		if p.trySend(websocket.MessageText, fmt.Sprintf(`{"a":"Register","p0":%q,"p1":"pw of %s"}`, name, name)) != nil {
			return
		}
		h, err := p.next()
		switch {
		case err != nil:
			return
		case h.action == "Ok":
			st.mu.Lock()
			st.granted = append(st.granted, name)
			st.mu.Unlock()
		case text(h.p0) == "The server is shutting down":
			return
		default:
			t.Errorf("%s: %s", name, h.raw)
			return
		}
		p.mu.Lock()
		p.name, p.sight.loggedIn = name, true
		p.mu.Unlock()
		if p.trySend(websocket.MessageText, fmt.Sprintf(`{"a":"Login","p0":%q,"p1":"pw of %s"}`, name, name)) != nil {
			return
		}
		if _, err := p.next(); err != nil {
			return
		}
		st.comeback.Add(1)
		if rand.IntN(2) == 0 {
			_ = p.ws.CloseNow() // without a word
		} else {
			_, _ = p.tcp.Write(closing(int(websocket.StatusNormalClosure)))
			<-p.gone
		}
	}
}

// checkOrder wants everybody to have heard of every talker all numbers from 1 on, in
// order, up to at least what was said.
func (st *storm) checkOrder(t *testing.T, atLeast []int64) {
	t.Helper()
	for _, p := range append(st.talkers, st.walkers...) {
		last := make(map[string]int64)
		for _, h := range p.soFar() {
			sender, number, ok := strings.Cut(h.chat(), ": ")
			if !ok {
				continue
			}
			if last[sender]++; number != fmt.Sprint(last[sender]) {
				t.Errorf("%s hears %q, want number %d", p.name, h.chat(), last[sender])
				return
			}
		}
		for i, talker := range st.talkers {
			if got := last[talker.name]; talker != p && got < atLeast[i] {
				t.Errorf("%s heard %d of %s, who had said %d", p.name, got, talker.name, atLeast[i])
			}
		}
	}
}

// restart starts the server again, which must not take long, and looks whether
// every account is there and the database whole.
func (st *storm) restart(t *testing.T, db string) *testServer {
	t.Helper()
	sound(t, db)
	begun := time.Now()
	s := startProcess(t, db, "-limits", "off", "-tick", "10ms").server()
	if took := time.Since(begun); took > obedience {
		t.Errorf("it took %v to start again", took)
	}
	for i := range stormComers { // each looks after its own
		st.clients.Go(func() {
			for _, name := range st.granted {
				if !strings.HasPrefix(name, fmt.Sprintf("comer %d-", i)) {
					continue
				}
				l := life{name: name, granted: true}
				p, err := dial(t, s.addr)
				if err == nil {
					err = l.ask(p, "Login")
				}
				if err != nil {
					t.Error(err)
					return
				}
				_ = p.ws.CloseNow()
			}
		})
	}
	st.clients.Wait()
	return s
}

// TestTerminateUnderLoad sends SIGTERM into the storm.
func TestTerminateUnderLoad(t *testing.T) { // not parallel: it takes what the machine has
	db := filepath.Join(t.TempDir(), "tavern.db")
	p := startProcess(t, db, "-tick", "10ms", "-speed", "350", "-limits", "off")
	st := startStorm(t, p)
	said := make([]int64, stormTalkers)
	for i := range said {
		said[i] = st.said[i].Load()
	}
	begun := time.Now()
	p.signal(syscall.SIGTERM)
	for _, c := range append(st.talkers, st.walkers...) {
		if code := c.ended(); code != websocket.StatusGoingAway {
			t.Errorf("%s: closed with %d, want 1001", c.name, code)
		}
	}
	if status, took := p.exit(), time.Since(begun); status != 0 || took > obedience {
		t.Errorf("exit status %d after %v, want 0 within %v", status, took, obedience)
	} else {
		t.Logf("gone after %v; %d accounts came and went", took.Round(time.Millisecond), st.comeback.Load())
	}
	st.clients.Wait()
	st.checkOrder(t, said)
	s := st.restart(t, db)
	for _, w := range st.walkers {
		_, last := stepsOf(w.soFar(), w.ownID())
		if at := connect(t, s).login(w.name).at(); at != last {
			t.Errorf("%s is back at %v, was last told %v", w.name, at, last)
		}
	}
}

// TestKillUnderLoad sends SIGKILL into the storm.
func TestKillUnderLoad(t *testing.T) { // not parallel: it takes what the machine has
	db := filepath.Join(t.TempDir(), "tavern.db")
	p := startProcess(t, db, "-tick", "10ms", "-speed", "350", "-limits", "off")
	st := startStorm(t, p)
	until(t, "walkers are saved on the way, as they are every second", func() bool {
		all := st.walkers[0].soFar()
		return all[len(all)-1].at.Sub(all[0].at) > 1500*time.Millisecond
	})
	killed := time.Now()
	p.signal(syscall.SIGKILL)
	p.exit()
	for _, c := range append(st.talkers, st.walkers...) {
		c.ended()
	}
	st.clients.Wait()
	st.checkOrder(t, make([]int64, stormTalkers)) // nothing was heard twice or out of order
	s := st.restart(t, db)
	for i, w := range st.walkers {
		l := life{name: w.name, target: point{2000, float64(100 * i)}}
		for _, h := range w.soFar() {
			if m, ok := h.model(); ok && m.ID == w.ownID() {
				l.moves = append(l.moves, move{m.at(), h.at})
			}
		}
		if err := l.mayStandAt(connect(t, s).login(w.name).at(), killed); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
	}
	t.Logf("%d accounts came and went", st.comeback.Load())
}
