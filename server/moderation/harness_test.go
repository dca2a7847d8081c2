package moderation

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tavern/codec"
	"tavern/game"
	"tavern/game/account"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// tavern is a real loop with a real database, and players whose connections are
// ours.
type tavern struct {
	t     testing.TB
	store *account.Store
	loop  *game.Loop
	desk  *Desk
}

// open opens the database at path and lets the loop and the desk run until the
// test ends, or the returned function is called.
func open(t testing.TB, path string) (*tavern, func()) {
	t.Helper()
	store, err := account.Open(t.Context(), account.Config{Path: path, HashMemoryKiB: 8, HashTime: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	v := &tavern{t: t, store: store}
	v.loop = game.New(game.Config{
		Tick: 10 * time.Millisecond, Accounts: store,
		Command: func(c game.Command) bool { return v.desk.Offer(c) },
	})
	if v.desk, err = New(t.Context(), Config{Store: store, World: v.loop}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := v.loop.Run(ctx, time.Second); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { v.desk.Run(ctx) })
	stop := sync.OnceFunc(func() {
		cancel()
		running.Wait()
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := store.Close(closing); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return v, stop
}

func newTavern(t testing.TB) *tavern {
	t.Helper()
	v, _ := open(t, filepath.Join(t.TempDir(), "tavern.db"))
	return v
}

// visitor is somebody in the tavern, and their connection.
type visitor struct {
	game.Player
	v    *tavern
	id   int64
	name string
	addr netip.Addr

	mu      sync.Mutex
	changed chan struct{} // closed and made afresh when something happens
	lines   []string      // "a: b" for each Chat, "Deny: reason"
	code    int           // of the close, 0 while open
	reason  string
	wrote   int // Writes after the close
}

// Write notes what the visitor is told. See game.Conn.
func (p *visitor) Write(frames []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.code != 0 {
		p.wrote++
		return errors.New("closed")
	}
	for len(frames) > 0 {
		n, head := int(frames[1]), 2
		if n == 126 {
			n, head = int(frames[2])<<8|int(frames[3]), 4
		}
		var packet struct {
			A      string
			P0, P1 any
		}
		if err := json.Unmarshal(frames[head:head+n], &packet); err != nil {
			p.v.t.Errorf("%s is sent %s", p.name, frames[head:head+n])
		}
		frames = frames[head+n:]
		switch first, _ := packet.P0.(string); packet.A {
		case "Chat":
			if second, ok := packet.P1.(string); ok {
				first += ": " + second
			}
			p.lines = append(p.lines, first)
		case "Deny":
			p.lines = append(p.lines, "Deny: "+first)
		}
	}
	p.happened()
	return nil
}

// Pending is part of game.Conn.
func (p *visitor) Pending() int { return 0 }

// Close ends the connection, of which the loop hears. See game.Conn.
func (p *visitor) Close(code int, reason string) {
	p.mu.Lock()
	first := p.code == 0
	if first {
		p.code, p.reason = code, reason
		p.happened()
	}
	p.mu.Unlock()
	if first {
		p.v.loop.Leave(&p.Player)
	}
}

// RemoteAddr is where the visitor comes from.
func (p *visitor) RemoteAddr() netip.Addr { return p.addr }

func (p *visitor) happened() { close(p.changed); p.changed = make(chan struct{}) }

// until waits for something to hold of the visitor.
func (p *visitor) until(what string, is func() bool) {
	p.v.t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		done, changed := is(), p.changed
		p.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.v.t.Fatalf("%s waits in vain for %s; told so far: %q, closed with %d %q", p.name, what, p.lines, p.code, p.reason)
		}
	}
}

// hears waits for a line and forgets it and all before it.
func (p *visitor) hears(line string) {
	p.v.t.Helper()
	p.until(line, func() bool {
		i := slices.Index(p.lines, line)
		if i >= 0 {
			p.lines = p.lines[i+1:]
		}
		return i >= 0
	})
}

// expelled waits for the close and checks it, and what was said before it.
func (p *visitor) expelled(why string) {
	p.v.t.Helper()
	p.until("the close", func() bool { return p.code != 0 })
	last := game.Herald + ": " + why
	if p.code != closePolicy || p.reason != why || len(p.lines) == 0 || p.lines[len(p.lines)-1] != last {
		p.v.t.Errorf("%s is closed with %d %q after %q, want %q", p.name, p.code, p.reason, p.lines, why)
	}
}

// register makes an account and returns its ID.
func (v *tavern) register(name string) int64 {
	v.t.Helper()
	done := make(chan error, 1)
	if err := v.store.Register(name, "p", 0, func(err error) { done <- err }); err != nil {
		v.t.Fatal(err)
	}
	if err := <-done; err != nil {
		v.t.Fatal(err)
	}
	a, err := v.store.Named(v.t.Context(), name)
	if err != nil {
		v.t.Fatal(err)
	}
	return a.ID
}

func (v *tavern) stranger(name, addr string) *visitor {
	return &visitor{v: v, name: name, addr: netip.MustParseAddr(addr), changed: make(chan struct{})}
}

// join lets an account in as the edge does.
func (v *tavern) join(name string, id int64, addr string) *visitor {
	v.t.Helper()
	p := v.stranger(name, addr)
	p.id = id
	v.store.Claim(id)
	v.loop.Enter(&p.Player, p, game.Account{ID: id, Name: name, Muted: v.desk.MutedUntil(id), Moderator: v.desk.Moderator(id)}, nil)
	v.inside(func(tx game.Tx) bool { return tx.Find(id) == &p.Player })
	return p
}

// enter registers and joins.
func (v *tavern) enter(name string) *visitor {
	v.t.Helper()
	return v.join(name, v.register(name), "192.0.2.1")
}

// guest lets a guest in.
func (v *tavern) guest(addr string) *visitor {
	v.t.Helper()
	p := v.stranger("a guest", addr)
	v.loop.EnterGuest(&p.Player, p)
	v.inside(func(tx game.Tx) (in bool) {
		tx.Guests(func(i game.Info) bool { in = in || i.Player == &p.Player; return true })
		return in
	})
	return p
}

// moderator enters and is made one.
func (v *tavern) moderator(name string) *visitor {
	v.t.Helper()
	p := v.enter(name)
	v.does(v.desk.SetModerator(v.t.Context(), Operator("", "page"), name, true))
	p.hears("[Server]: You are a moderator now. /help tells what you can do")
	return p
}

// inside waits until something holds in the loop.
func (v *tavern) inside(is func(tx game.Tx) bool) {
	v.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		var yes bool
		if err := v.desk.visit(v.t.Context(), func(tx game.Tx) { yes = is(tx) }); err != nil {
			v.t.Fatal(err)
		}
		if yes {
			return
		}
		if time.Now().After(deadline) {
			v.t.Fatal("the loop never got there")
		}
	}
}

// empty waits until nobody is in the world.
func (v *tavern) empty() {
	v.t.Helper()
	v.inside(func(tx game.Tx) bool {
		n := 0
		tx.Players(func(game.Info) { n++ })
		tx.Guests(func(game.Info) bool { n++; return true })
		return n == 0
	})
}

// does fails the test when an action was refused, and returns its sentence.
func (v *tavern) does(done string, err error) string {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	return done
}

// says has a player say something.
func (p *visitor) says(text string) {
	p.v.t.Helper()
	packet := codec.Packet{Action: codec.Chat, N: 2, S0: p.name, S1: text}
	if p.id == 0 {
		packet = codec.Packet{Action: codec.Chat, N: 1, S0: text}
	}
	if !p.v.loop.Offer(&p.Player, packet) {
		p.v.t.Errorf("%s's ring is full", p.name)
	}
}

// refused fails the test unless err is a Refusal of this kind that holds words.
func refused(t testing.TB, err error, kind Kind, words string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) || r.Kind != kind || !strings.Contains(r.Reason, words) {
		t.Errorf("got %v, want a refusal of kind %d with %q", err, kind, words)
	}
}

// audit is the audit log as "by via action target details", the oldest first.
func (v *tavern) audit() []string {
	v.t.Helper()
	log, err := v.store.Audit(v.t.Context(), 0, 1000)
	if err != nil {
		v.t.Fatal(err)
	}
	var lines []string
	for _, e := range slices.Backward(log) {
		lines = append(lines, strings.Join([]string{e.By, e.Via, e.Action, e.Target, e.Details}, "|"))
	}
	return lines
}
