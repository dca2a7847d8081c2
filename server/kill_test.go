package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// life is what the client of one account knows of it.
type life struct {
	name    string
	granted bool // its Register was answered with Ok
	moves   []move
	target  point
}

// move is a position that the server has told, and when.
type move struct {
	at   point
	when time.Time
}

// The bound on what a kill may cost: a walking player's position is taken every
// hundred ticks of 10 ms and written within a second. The rest is for the disk
// and a busy machine.
const mayBeLost = time.Second + time.Second + 1500*time.Millisecond

// TestKill kills the server at random moments while accounts are made and walk:
// every account that got its Ok is there afterwards and stands where it was not
// too long ago.
func TestKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills a dozen servers")
	}
	db := filepath.Join(t.TempDir(), "tavern.db")
	const rounds = 12
	var all, lives []*life // lives: of the last round
	var killed time.Time
	for round := range rounds + 1 {
		if round > 0 {
			sound(t, db)
		}
		// Steps are as long as usual, but five times as fast.
		s := startProcess(t, db, "-tick", "10ms", "-speed", "350", "-limits", "off")
		for _, l := range lives {
			checkLife(t, s, l, killed)
		}
		if t.Failed() || round == rounds {
			// Those of the rounds before have lived through many kills.
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, l := range all[:min(40, len(all))] {
				checkLife(t, s, l, time.Now())
			}
			break
		}
		// Most rounds end among registrations, a few live long enough for walks
		// to be saved on the way.
		span := rand.N(500 * time.Millisecond)
		if round%6 == 5 {
			span = 4*time.Second + rand.N(time.Second)
		}
		lives, killed = liveAndDie(t, s, round, span)
		if len(lives) == 0 && span > time.Second {
			t.Error("no account was made")
		}
		all = append(all, lives...)
	}
	t.Logf("%d accounts", len(all))
}

// liveAndDie lets a few clients live on the server until it is killed.
func liveAndDie(t *testing.T, s *process, round int, span time.Duration) (lives []*life, killed time.Time) {
	var mu sync.Mutex
	begun := make(chan struct{})
	var first sync.Once
	var clients sync.WaitGroup
	for i := range 6 {
		random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
		clients.Go(func() {
			for n := 0; ; n++ {
				l := &life{name: fmt.Sprintf("r%d-%d-%d", round, i, n)}
				p, err := dial(t, s.addr)
				if err != nil {
					return
				}
				mu.Lock()
				lives = append(lives, l)
				mu.Unlock()
				err = l.live(p, random)
				first.Do(func() { close(begun) })
				if err != nil {
					return
				}
			}
		})
	}
	<-begun
	moment := time.NewTimer(span)
	defer moment.Stop()
	<-moment.C
	killed = time.Now()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	s.exit()
	clients.Wait()
	return lives, killed
}

// live registers, logs in and walks for a while. Then the client leaves, or stays
// where it stands, or goes far away. It returns an error when the server is gone.
func (l *life) live(p *peer, random *rand.Rand) error {
	if err := l.ask(p, "Register"); err != nil {
		return err
	}
	l.granted = true
	if err := l.ask(p, "Login"); err != nil {
		return err
	}
	h, err := p.next()
	if err != nil {
		return err
	}
	m, _ := h.model()
	l.moves = append(l.moves, move{m.at(), h.at})
	for range random.IntN(3) {
		if err := l.walk(p, m.ID, point{float64(random.IntN(60)), float64(random.IntN(60))}); err != nil {
			return err
		}
	}
	switch random.IntN(4) {
	case 0: // stays
	case 1:
		return l.walk(p, m.ID, point{2000, float64(random.IntN(2000))})
	default:
		_, _ = p.tcp.Write(closing(1000))
		<-p.gone
		if websocket.CloseStatus(p.err) != websocket.StatusNormalClosure {
			return p.err
		}
	}
	return nil
}

// ask registers or logs in, and returns an error also for a Deny.
func (l *life) ask(p *peer, action string) error {
	p.mu.Lock()
	p.name, p.sight.loggedIn = l.name, action == "Login"
	p.mu.Unlock()
	err := p.trySend(websocket.MessageText, fmt.Sprintf(`{"a":%q,"p0":%q,"p1":"pw of %s"}`, action, l.name, l.name))
	if err != nil {
		return err
	}
	h, err := p.next()
	if err == nil && h.action != "Ok" {
		err = fmt.Errorf("%s of %s: %s", action, l.name, h.raw)
		if h.action == "Deny" {
			p.t.Error(err)
		}
	}
	return err
}

// walk goes somewhere and returns on arrival.
func (l *life) walk(p *peer, id int64, to point) error {
	l.target = to
	if err := p.trySend(websocket.MessageText, fmt.Sprintf(`{"a":"Target","p0":%v,"p1":%v}`, to.x, to.y)); err != nil {
		return err
	}
	for l.moves[len(l.moves)-1].at != to {
		h, err := p.next()
		if err != nil {
			return err
		}
		if m, ok := h.model(); ok && m.ID == id {
			l.moves = append(l.moves, move{m.at(), h.at})
		}
	}
	return nil
}

// checkLife looks for an account after the server was killed.
func checkLife(t *testing.T, s *process, l *life, killed time.Time) {
	t.Helper()
	p, err := dial(t, s.addr)
	if err != nil {
		t.Fatal(err)
	}
	p.sendLogin(l.name)
	h := p.must()
	if h.action == "Deny" && !l.granted {
		// Nobody was promised this one. Then it must not exist by half either.
		p.say(`{"a":"Register","p0":%q,"p1":"pw of %s"}`, l.name, l.name)
		p.expect(`{"a":"Ok"}`)
		p.sendLogin(l.name)
		h = p.must()
	}
	if h.action != "Ok" {
		t.Errorf("%s, which got its Ok: %s", l.name, h.raw)
		return
	}
	m := p.ownModel()
	if err := l.mayStandAt(m.at(), killed); err != nil {
		t.Errorf("%s: %v", l.name, err)
	}
	l.granted = true
	l.moves = []move{{m.at(), killed}}
	l.target = m.at()
	p.close(websocket.StatusNormalClosure)
}

// mayStandAt tells whether a position is new enough after a kill.
func (l *life) mayStandAt(at point, killed time.Time) error {
	if len(l.moves) == 0 {
		if at != (point{}) {
			return fmt.Errorf("stands at %v and was never said to", at)
		}
		return nil
	}
	// The newest place that fits. A step between two that it was told of may have
	// been saved, when more than one was taken before the next write to it.
	last := len(l.moves) - 1
	for i := last; i >= 0; i-- {
		switch {
		case l.moves[i].at == at:
		case i < last && walked(l.moves[i].at, at, l.moves[i+1].at) == nil:
		default:
			continue
		}
		if i < last && killed.Sub(l.moves[i+1].when) > mayBeLost {
			return fmt.Errorf("stands at %v, which it left %v before the kill", at, killed.Sub(l.moves[i+1].when))
		}
		return nil
	}
	// Perhaps its client had not heard of the last steps yet.
	if err := walked(l.moves[last].at, at, l.target); err != nil {
		return fmt.Errorf("stands where it never was: %w", err)
	}
	return nil
}
