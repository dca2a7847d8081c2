package main

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// TestSession is the shortest life of two players: they register, log in, see
// each other, talk, walk and leave.
func TestSession(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := connect(t, s)
	ann.say(`{"a":"Register","p0":"ann","p1":"pw of ann","p2":3}`)
	ann.expect(`{"a":"Ok"}`)
	ann.sendLogin("ann")
	ann.expect(`{"a":"Ok"}`)
	ann.expect(`{"a":"ModelDelta","p0":{"id":1,"user":1,"instanced_entity":{"id":1,"x":0,"y":0,"entity":{"id":1,"name":"ann","model_type":"Entity"},"model_type":"InstancedEntity"},"avatar_id":3,"model_type":"Actor"}}`)

	// Binary messages are as good as text.
	ben := connect(t, s)
	ben.sayBinary(`{"a":"Register","p0":"ben","p1":"pw"}`)
	ben.expect(`{"a":"Ok"}`)
	ben.mu.Lock()
	ben.name, ben.sight.loggedIn = "ben", true
	ben.mu.Unlock()
	ben.sayBinary(`{"a":"Login","p0":"ben","p1":"pw"}`)
	ben.expect(`{"a":"Ok"}`)
	benModel := `{"a":"ModelDelta","p0":{"id":2,"user":2,"instanced_entity":{"id":2,"x":0,"y":0,"entity":{"id":2,"name":"ben","model_type":"Entity"},"model_type":"InstancedEntity"},"avatar_id":0,"model_type":"Actor"}}`
	ben.expect(benModel)
	if m, _ := ptr(ben.must()).model(); m.name() != "ann" {
		t.Errorf("ben is shown %q, want ann", m.name())
	}
	ann.expect(benModel)

	ann.say(`{"a":"Chat","p0":"ann","p1":"hi 😀 \"q\" \\ é"}`)
	ben.expect(`{"a":"Chat","p0":"ann","p1":"hi 😀 \"q\" \\ é"}`)
	ben.sayBinary(`{"a":"Chat","p0":"ann","p1":"forged"}`)
	ann.expect(`{"a":"Chat","p0":"ben","p1":"forged"}`) // and not her own

	// 70 units a second are 3.5 a tick. The last step ends on the target, and
	// then there is nothing more to say.
	ann.say(`{"a":"Target","p0":30,"p1":-40}`)
	ann.awaitWalk(1, point{0, 0}, point{30, -40})
	ben.awaitWalk(1, point{0, 0}, point{30, -40})
	ann.say(`{"a":"Target","p0":30,"p1":-40}`)
	ben.close(websocket.StatusNormalClosure)
	ann.expect(`{"a":"Disconnect","p0":2}`)
}

func ptr[T any](v T) *T { return &v }

// TestEveryChatOnceAndInOrder has everybody talk at once: each message of each
// sender reaches each other player, once, in the order in which it was said.
func TestEveryChatOnceAndInOrder(t *testing.T) {
	t.Parallel()
	const (
		players = 8
		rounds  = 6
		burst   = 20 // fits into a ring, so nothing may be lost
	)
	s := startServer(t, "-limits", "off")
	peers := make([]*peer, players)
	for i := range peers {
		peers[i], _ = enter(t, s, fmt.Sprintf("p%d", i))
	}
	last := make([]map[string]int, players) // of each listener: the last number of each sender
	for i := range last {
		last[i] = make(map[string]int)
	}
	var all sync.WaitGroup
	barrier := newBarrier(players)
	for i, p := range peers {
		all.Go(func() {
			for round := range rounds {
				for n := range burst {
					kind := websocket.MessageText
					if (i+n)%2 == 0 {
						kind = websocket.MessageBinary
					}
					p.send(kind, fmt.Sprintf(`{"a":"Chat","p0":"x","p1":"%d"}`, round*burst+n+1))
				}
				for heard := 0; heard < (players-1)*burst; {
					h, err := p.next()
					if err != nil {
						t.Error(err)
						break
					}
					if h.action != "Chat" {
						continue // those who came in after it
					}
					heard++
					sender := text(h.p0)
					if want := fmt.Sprint(last[i][sender] + 1); text(h.p1) != want || sender == p.name {
						t.Errorf("%s hears %s, want number %s", p.name, h.raw, want)
					}
					last[i][sender]++
				}
				barrier.wait() // the next round would fill the rings of this one
			}
		})
	}
	all.Wait()
	for i, p := range peers {
		p.close(websocket.StatusNormalClosure)
		for _, h := range p.soFar()[p.read:] {
			if h.action == "Chat" {
				t.Errorf("%s hears %s beyond all that was said", p.name, h.raw)
			}
		}
		for sender, n := range last[i] {
			if n != rounds*burst {
				t.Errorf("%s heard %d of %s, want %d", p.name, n, sender, rounds*burst)
			}
		}
		if len(last[i]) != players-1 {
			t.Errorf("%s heard %d senders, want %d", p.name, len(last[i]), players-1)
		}
	}
}

// barrier lets n goroutines go on together, again and again.
type barrier struct {
	mu      sync.Mutex
	n, here int
	open    chan struct{}
}

func newBarrier(n int) *barrier { return &barrier{n: n, open: make(chan struct{})} }

func (b *barrier) wait() {
	b.mu.Lock()
	open := b.open
	if b.here++; b.here == b.n {
		b.here, b.open = 0, make(chan struct{})
		close(open)
	}
	b.mu.Unlock()
	<-open
}

// TestPipelined sends a whole session in one TCP segment: each packet counts as
// sent after the one before it was answered.
func TestPipelined(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, _ := enter(t, s, "ann")
	ben := connect(t, s)
	ben.mu.Lock()
	ben.name, ben.sight.loggedIn = "ben", true
	ben.mu.Unlock()
	ben.raw(texts(
		`{"a":"Register","p0":"ben","p1":"pw"}`,
		`{"a":"Login","p0":"ben","p1":"wrong"}`,
		`{"a":"Login","p0":"ben","p1":"pw"}`,
		`{"a":"Chat","p0":"ben","p1":"one"}`,
		`{"a":"Target","p0":3,"p1":0}`,
		`{"a":"Chat","p0":"ben","p1":"two"}`,
	))
	ben.expect(`{"a":"Ok"}`)
	ben.expect(`{"a":"Deny","p0":"Username or password incorrect"}`)
	ben.expect(`{"a":"Ok"}`)
	own := ben.ownModel()
	ann.awaitChat("ben: one")
	ann.awaitChat("ben: two")
	ben.awaitActor(own.ID, point{3, 0})
}

// TestOwnModelFirst lets players come and go while others walk about. sight
// checks in every one of them that its own model leads, and that nobody is told
// of an actor that was not announced.
func TestOwnModelFirst(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-tick", "10ms")
	const walkers, comers, visits = 5, 4, 8
	for i := range walkers {
		p, m := enter(t, s, fmt.Sprintf("walker %d", i))
		a := float64(i) * 2 * math.Pi / walkers
		p.say(`{"a":"Target","p0":%v,"p1":%v}`, 2000*math.Cos(a), 2000*math.Sin(a)) // for half a minute
		p.await("its first step", func(h *heard) bool { d, ok := h.model(); return ok && d.ID == m.ID })
	}
	for i := range comers {
		p := connect(t, s)
		p.register(fmt.Sprintf("comer %d", i))
		p.close(websocket.StatusNormalClosure)
	}
	var all sync.WaitGroup
	for i := range comers {
		all.Go(func() {
			for range visits {
				p, err := dial(t, s.addr)
				if err != nil {
					t.Error(err)
					return
				}
				p.sendLogin(fmt.Sprintf("comer %d", i))
				// Its own model, then all walkers and a step of each.
				steps := make(map[int64]int)
				for n := 0; n < walkers; {
					h, err := p.next()
					if err != nil {
						t.Error(err)
						return
					}
					if h.action == "Deny" {
						t.Errorf("%s: %s", p.name, h.raw)
						return
					}
					if m, ok := h.model(); ok && !m.full() && m.ID <= walkers {
						if steps[m.ID]++; steps[m.ID] == 1 {
							n++
						}
					}
				}
				first := p.soFar()[1]
				if m, _ := first.model(); m.name() != p.name {
					t.Errorf("%s is first shown %s", p.name, first.raw)
				}
				p.raw(closing(1000))
				<-p.gone
			}
		})
	}
	all.Wait()
}

// TestSilenceBeforeLogin keeps a connection at the login screen while others
// talk and walk: it is sent answers and nothing else.
func TestSilenceBeforeLogin(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	idle, denied := connect(t, s), connect(t, s)
	denied.say(`{"a":"Login","p0":"nobody","p1":"x"}`)
	denied.expect(`{"a":"Deny","p0":"Username or password incorrect"}`)
	idle.say(`{"a":"Target","p0":1,"p1":1}`)                 // makes no sense yet, and
	idle.say(`{"a":"Chat","p0":"idle","p1":"not yet here"}`) // is ignored
	ann, a := enter(t, s, "ann")
	ben, _ := enter(t, s, "ben")
	ann.say(`{"a":"Target","p0":7,"p1":0}`)
	ann.say(`{"a":"Chat","p0":"ann","p1":"hello"}`)
	ben.awaitChat("ann: hello")
	ann.awaitActor(a.ID, point{7, 0})
	ben.close(websocket.StatusNormalClosure)
	ann.await("ben's leaving", func(h *heard) bool { return h.action == "Disconnect" })
	for _, p := range []*peer{idle, denied} {
		p.register("late " + fmt.Sprint(p == idle)) // the Ok is the next packet that it hears
		p.ping()
		if n := len(p.soFar()); n != p.read {
			t.Errorf("heard %d packets before the login, want only answers: %v", n, p.soFar())
		}
	}
	for _, h := range ann.soFar() {
		if h.chat() == "idle: not yet here" {
			t.Error("a chat before login was relayed")
		}
	}
}

// TestPages fetches what is not a WebSocket.
func TestPages(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	if status, body := s.get(t, "/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz: %d %q", status, body)
	}
	if status, _ := s.get(t, "/nowhere"); status != http.StatusNotFound {
		t.Errorf("/nowhere: %d, want 404", status)
	}
	enter(t, s, "ann")
	until(t, "the player is counted", func() bool { return s.metric(t, "game_players") == "1" })
	if n := s.metric(t, "account_registered_total"); n != "1" {
		t.Errorf("account_registered_total is %s, want 1", n)
	}
}
