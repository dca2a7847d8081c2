package main

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tavern/game"
	"tavern/game/account"
	"tavern/server/moderation"
)

// rigged is a server whose parts panic when they are told to, and its log.
type rigged struct {
	*testServer
	log lockedBuffer
}

// startPanicking runs a server that rig has put panics into.
func startPanicking(t testing.TB, rig func(part any), args ...string) *rigged {
	t.Helper()
	r := new(rigged)
	r.testServer = startRigged(t, func(cfg *config) {
		cfg.logger = slog.New(slog.NewTextHandler(&r.log, nil))
		cfg.rig = rig
	}, args...)
	t.Cleanup(r.stop)
	return r
}

// tells wants one line of the log to name the panic, with the stack that leads to
// this file.
func (r *rigged) tells(t testing.TB, cause string) {
	t.Helper()
	log := r.log.String()
	lines := slices.DeleteFunc(strings.Split(log, "\n"), func(l string) bool { return !strings.Contains(l, cause) || !strings.Contains(l, "level=ERROR") })
	if len(lines) == 0 || !strings.Contains(lines[0], "fault_panic_test.go") {
		t.Errorf("the log does not tell of the panic %q with its stack:\n%s", cause, log)
	}
}

// lively wants two players to hear each other.
func lively(t testing.TB, a, b *peer) {
	t.Helper()
	a.say(`{"a":"Chat","p0":"","p1":"still here?"}`)
	b.awaitChat(a.name + ": still here?")
}

// TestPanicInPacket: what one player's packet breaks costs that player its
// connection, and nobody else anything; when too many break, the world ends.
func TestPanicInPacket(t *testing.T) {
	t.Parallel()
	r := startPanicking(t, func(part any) {
		if cfg, ok := part.(*game.Config); ok {
			command := cfg.Command
			cfg.Command = func(c game.Command) bool {
				if c.Text == "/boom" {
					panic("boom in a packet")
				}
				return command(c)
			}
		}
	}, "-limits", "off")
	ann, _ := enter(t, r.testServer, "ann")
	bob, _ := enter(t, r.testServer, "bob")
	eve, e := enter(t, r.testServer, "eve")
	eve.say(`{"a":"Chat","p0":"","p1":"/boom"}`)
	eve.say(`{"a":"Chat","p0":"","p1":"/boom"}`)
	if code := eve.ended(); code != websocket.StatusInternalError {
		t.Errorf("closed with %d, want 1011", code)
	}
	ann.awaitGone(e.ID)
	lively(t, ann, bob)
	eve = connect(t, r.testServer)
	eve.login("eve") // her account is free
	lively(t, eve, ann)
	if n := r.metric(t, "game_panics_total"); n != "1" { // the second one was dropped with her
		t.Errorf("game_panics_total is %s, want 1", n)
	}
	r.tells(t, "boom in a packet")

	// The same in what waits for a Login to be answered.
	fay := connect(t, r.testServer)
	fay.register("fay")
	fay.sendLogin("fay")
	fay.say(`{"a":"Chat","p0":"","p1":"/boom"}`)
	if code := fay.ended(); code != websocket.StatusInternalError {
		t.Errorf("closed with %d, want 1011", code)
	}
	lively(t, ann, bob)

	for range 20 {
		eve.say(`{"a":"Chat","p0":"","p1":"/boom"}`)
		if code := eve.ended(); code != websocket.StatusInternalError && code != websocket.StatusGoingAway {
			t.Errorf("closed with %d, want 1011", code)
		}
		var err error
		if eve, err = dial(t, r.addr); err != nil {
			break
		}
		eve.sendLogin("eve")
		if h, err := eve.next(); err != nil || h.action != "Ok" {
			break
		}
	}
	if code := ann.ended(); code != websocket.StatusGoingAway {
		t.Errorf("when it went on, closed with %d, want 1001", code)
	}
	if err := r.ended(); !errors.Is(err, game.ErrBroken) {
		t.Errorf("the server ended with %v", err)
	}
}

// breakingAccounts panic when somebody's position is saved who walked to x = 77.
type breakingAccounts struct {
	game.Accounts
	broken atomic.Bool
}

func (b *breakingAccounts) Save(id int64, x, y float64) {
	if x == 77 && !b.broken.Swap(true) {
		panic("boom in the world")
	}
	b.Accounts.Save(id, x, y)
}

// TestPanicInTick: when the world itself breaks it does not go on as if nothing had
// been. Everybody is closed with 1001, positions are saved, and the server ends
// with an error, so that whoever started it starts it again.
func TestPanicInTick(t *testing.T) {
	t.Parallel()
	r := startPanicking(t, func(part any) {
		if cfg, ok := part.(*game.Config); ok {
			cfg.Accounts = &breakingAccounts{Accounts: cfg.Accounts}
		}
	}, "-limits", "off", "-speed", "700", "-tick", "10ms")
	ann, a := enter(t, r.testServer, "ann")
	bob, _ := enter(t, r.testServer, "bob")
	bob.say(`{"a":"Target","p0":2000,"p1":0}`)
	ann.say(`{"a":"Target","p0":70,"p1":0}`)
	bob.awaitActor(a.ID, point{70, 0})
	begun := time.Now()
	ann.say(`{"a":"Target","p0":77,"p1":0}`)
	for _, p := range []*peer{ann, bob} {
		if code := p.ended(); code != websocket.StatusGoingAway {
			t.Errorf("%s: closed with %d, want 1001", p.name, code)
		}
	}
	if err := r.ended(); !errors.Is(err, game.ErrBroken) {
		t.Errorf("the server ended with %v", err)
	}
	if took := time.Since(begun); took > obedience {
		t.Errorf("it took %v to end", took)
	}
	r.tells(t, "boom in the world")
	_, last := stepsOf(bob.soFar(), bob.ownID())
	after := startServer(t, "-db", r.db)
	if at := connect(t, after).login("bob").at(); at.x < last.x { // the broken tick may have moved him
		t.Errorf("bob is back at %v, was last told %v", at, last)
	}
	if at := connect(t, after).login("ann").at(); at != (point{77, 0}) {
		t.Errorf("ann is back at %v, want 77, 0", at)
	}
}

// TestPanicOnTheWay breaks the handling of a packet at the edge, the work and the
// answer of the accounts, and a chat command. Each costs its sender something and
// nobody else anything, and can be tried again.
func TestPanicOnTheWay(t *testing.T) {
	t.Parallel()
	var hash, clock atomic.Bool // what panics, once
	var skip atomic.Int32       // of clock, how many calls pass
	r := startPanicking(t, func(part any) {
		switch cfg := part.(type) {
		case *account.Config:
			observe := cfg.ObserveHash
			cfg.ObserveHash = func(took time.Duration) {
				if hash.Swap(false) {
					panic("boom in the accounts")
				}
				observe(took)
			}
		case *moderation.Config:
			cfg.Now = func() time.Time {
				if clock.Load() && skip.Add(-1) < 0 && clock.Swap(false) {
					panic("boom at the desk")
				}
				return time.Now()
			}
		}
	}, "-limits", "off")
	// after has the desk's clock panic at the next reading but n.
	after := func(n int32) { skip.Store(n); clock.Store(true) }
	ann, _ := enter(t, r.testServer, "ann")
	bob, _ := enter(t, r.testServer, "bob")

	eve := connect(t, r.testServer)
	hash.Store(true)
	eve.say(`{"a":"Register","p0":"eve","p1":"pw of eve"}`)
	eve.expect(`{"a":"Deny","p0":"Something went wrong, try again in a moment"}`)
	eve.register("eve")
	r.tells(t, "boom in the accounts")

	// There is no rule, so the clock is read once for a packet at the edge, and once
	// in the answer to a Login.
	for what, n := range map[string]int32{"the edge": 0, "the answer": 1} {
		after(n)
		eve.sendLogin("eve")
		if code := eve.ended(); code != websocket.StatusInternalError {
			t.Errorf("a panic in %s: closed with %d, want 1011", what, code)
		}
		if clock.Load() {
			t.Errorf("%s did not panic", what)
		}
		clock.Store(false)
		lively(t, ann, bob)
		eve = connect(t, r.testServer)
	}
	eve.login("eve") // her account is free
	r.tells(t, "boom at the desk")
	if n := r.metric(t, "ws_panics_total"); n != "2" {
		t.Errorf("ws_panics_total is %s, want 2", n)
	}

	after(0)
	ann.say(`{"a":"Chat","p0":"","p1":"/who"}`)
	ann.awaitChat("[Server]: Something went wrong, try again in a moment")
	ann.say(`{"a":"Chat","p0":"","p1":"/who"}`)
	ann.await("the answer", func(h *heard) bool { return strings.HasPrefix(h.chat(), "[Server]: 3 players") })
	if n := r.metric(t, "moderation_panics_total"); n != "1" {
		t.Errorf("moderation_panics_total is %s, want 1", n)
	}
	lively(t, eve, bob)
	r.stop()
	if err := r.ended(); err != nil {
		t.Error(err)
	}
}

// TestPanicInRequest breaks a page: its reader gets 500, the operator a stack.
func TestPanicInRequest(t *testing.T) {
	t.Parallel()
	r := startPanicking(t, func(part any) {
		if pages, ok := part.(*http.Handler); ok {
			whole := *pages
			*pages = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/boom" {
					panic("boom in a page")
				}
				whole.ServeHTTP(w, req)
			})
		}
	})
	ann, _ := enter(t, r.testServer, "ann")
	bob, _ := enter(t, r.testServer, "bob")
	if status, body := r.get(t, "/boom"); status != http.StatusInternalServerError || !strings.Contains(body, denyInternal) {
		t.Errorf("/boom: %d %q", status, body)
	}
	if status, _ := r.get(t, "/"); status != http.StatusOK {
		t.Errorf("/: %d", status)
	}
	if n := r.metric(t, "web_panics_total"); n != "1" {
		t.Errorf("web_panics_total is %s, want 1", n)
	}
	lively(t, ann, bob)
	r.tells(t, "boom in a page")
}
