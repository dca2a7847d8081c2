package swarm

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// player is the bot of one account. Its number is the fleet's: the same account and
// the same place whenever the same room is filled.
type player struct {
	number int
	name   string
	conn   *conn
	stage  stage
	login  *loginTask // while it is on its way into the world

	id    int64
	x, y  float64
	own   []byte // what its own deltas begin with
	shown int    // actors that it has been told of and not been told to forget

	updates uint64  // deltas heard since the room was last marked
	walker  *walker // while it walks
	view    *view   // of the observers among the players
}

type stage uint8

const (
	outside stage = iota
	registering
	loggingIn
	awaitingSelf // Ok is in, the own model is not
	placing      // on the way to where it is to stand
	inWorld
)

// accountName is ten bytes for every number under 100,000, so that all frames of a
// measurement have one length.
func accountName(nonce string, number int) string {
	return fmt.Sprintf("b%s%05d", nonce, number)
}

func (p *player) opened(*Engine, *conn) {}

func (p *player) gone(e *Engine, _ *conn, reason string) {
	if p.login != nil {
		p.login.failed(e, p, "closed: "+reason)
	}
	p.stage = outside
}

func (p *player) packet(e *Engine, _ *conn, payload []byte) {
	switch actionOf(payload) {
	case actModel:
		p.heardModel(e, payload)
	case actOk, actDeny:
		if p.login != nil {
			p.login.answered(e, p, payload)
		}
	case actDisconnect, actDespawn:
		p.shown--
		if p.view != nil {
			p.view.forget(payload)
		}
	}
}

// heardModel tells the own deltas from the others', which only observers read.
func (p *player) heardModel(e *Engine, payload []byte) {
	if p.id == 0 {
		p.heardSelf(e, payload)
		return
	}
	if bytes.HasPrefix(payload, p.own) {
		p.updates++
		if p.walker != nil || p.login != nil {
			p.moved(e, payload)
		}
		return
	}
	full := isFull(payload)
	if full {
		p.shown++
	} else {
		p.updates++
	}
	if p.view != nil {
		p.view.heard(e, payload, full)
	}
}

// heardSelf takes the first ModelDelta, which must be the own one.
func (p *player) heardSelf(e *Engine, payload []byte) {
	m, ok := parseModel(payload)
	if !ok || string(m.Name) != p.name {
		e.strangers++
		return
	}
	p.id, p.x, p.y = m.ID, m.X, m.Y
	p.own = append(strconv.AppendInt(append([]byte(nil), modelHead...), m.ID, 10), ',')
	if p.login != nil {
		p.login.entered(e, p)
	}
}

// moved takes an own delta.
func (p *player) moved(e *Engine, payload []byte) {
	m, ok := parseModel(payload)
	if !ok {
		return
	}
	p.x, p.y = m.X, m.Y
	if p.walker != nil {
		p.walker.seenBySelf(e, m.X, m.Y)
	}
	if p.login != nil {
		p.login.movedTo(e, p)
	}
}

// near reports whether two points are the same on the wire.
func near(ax, ay, bx, by float64) bool {
	return math.Abs(ax-bx) < 0.02 && math.Abs(ay-by) < 0.02
}

// isFull tells a full model from a delta, which has no name.
func isFull(payload []byte) bool { return bytes.Contains(payload, keyName) }

// say sends one packet.
func (e *Engine) say(c *conn, packet []byte) {
	e.scratch = appendFrame(e.scratch[:0], opText, packet)
	e.send(c, e.scratch)
}
