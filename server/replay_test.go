package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// replay sends what the clients of a recording sent, in the same order, each
// packet when all that the recording has before it has come, and compares what
// our server says with what the recording has.
type replay struct {
	t    *testing.T
	s    *testServer
	used map[string]bool // differences that there were
	flat bool            // the recorded server has no actors

	onConnect bool // every connection is a guest
	guests    int  // that have connected
	peers     map[string]*peer
	names     map[string]string         // who last asked to log in as whom
	ids       map[string]int64          // of account names
	wants     map[string][]want         // what each client should hear, but for steps
	knows     map[string]map[int64]bool // actors that it was told of in the recording
	heads     map[int64]*heading
	steps     map[string]map[int64]point // where the recording last had an actor, for each client
	moves     map[string]int             // how many steps the recording has for each client
	talks     map[string]string          // who last said a text
}

func newReplay(t *testing.T, s *testServer) *replay {
	return &replay{
		t: t, s: s,
		used:  make(map[string]bool),
		peers: make(map[string]*peer),
		names: make(map[string]string),
		ids:   make(map[string]int64),
		wants: make(map[string][]want),
		knows: make(map[string]map[int64]bool),
		heads: make(map[int64]*heading),
		steps: make(map[string]map[int64]point),
		moves: make(map[string]int),
		talks: make(map[string]string),
	}
}

// want is a packet that the recording has.
type want struct {
	n    int    // line
	text string // see digest
	at   func(point) error
}

// heading is where an actor goes.
type heading struct {
	stood   point            // where it last stood
	targets []point          // all that it was sent to
	from    map[string]point // where each client of the recording had it when it got the last one
	heard   map[string]int   // how many steps each client of ours had heard of then
}

func (h *heading) target() (point, bool) {
	if len(h.targets) == 0 {
		return h.stood, false
	}
	return h.targets[len(h.targets)-1], true
}

// differs notes that a difference made one.
func (r *replay) differs(name string) {
	if !r.used[name] {
		if _, ok := differences[name]; !ok {
			r.t.Fatalf("no difference is called %q", name)
		}
		r.used[name] = true
	}
}

// run replays the lines.
func (r *replay) run(lines []recorded) {
	said := make(map[string]bool) // who has sent a close frame
	for i := range lines {
		line := &lines[i]
		switch {
		case line.Ev == "tls":
			r.differs("without TLS")
		case !line.sent() && line.data():
			r.hears(line)
		case !line.sent() || line.Ev == "eof" && said[line.Who]:
		default:
			r.sync()
			said[line.Who] = said[line.Who] || line.Op == "close"
			r.acts(line, lines[i:])
		}
	}
	r.compare()
}

// hears adds what the recording has to what our client should hear.
func (r *replay) hears(line *recorded) {
	h, err := parse(line.Payload)
	if err != nil {
		r.t.Fatal(err)
	}
	m, isModel := h.model()
	switch {
	case r.flat && (isModel || h.action == "Disconnect"):
		return
	case isModel && m.full():
		r.hearsOf(line, m)
		return
	case isModel:
		r.hearsStep(line, m)
		return
	case h.action == "Disconnect":
		delete(r.knows[line.Who], h.actor())
	case h.action == "Chat" && !r.hearsChat(&h):
		return
	}
	if strings.Contains(line.Payload, `\u`) {
		r.differs("raw UTF-8")
	}
	r.wants[line.Who] = append(r.wants[line.Who], want{n: line.N, text: digest(&h)})
}

// hearsChat makes of a recorded chat what ours should be, if there should be any.
func (r *replay) hearsChat(h *heard) bool {
	said := &h.p0
	if h.n == 2 {
		said = &h.p1
	}
	switch {
	case string(*said) == `""`:
		r.differs("no empty chat")
		return false
	case (*said)[0] != '"':
		r.differs("number as text")
		*said = json.RawMessage(strconv.Quote(string(*said)))
	}
	if h.n == 2 {
		if name := r.names[r.talks[text(*said)]]; name != text(h.p0) {
			r.differs("sender overwritten")
			h.p0 = json.RawMessage(strconv.Quote(name))
		}
	}
	return true
}

// hearsOf adds a full model.
func (r *replay) hearsOf(line *recorded, m model) {
	if r.knows[line.Who] == nil {
		r.knows[line.Who] = make(map[int64]bool)
	}
	if r.knows[line.Who][m.ID] {
		r.differs("announced once")
		return
	}
	r.knows[line.Who][m.ID] = true
	r.ids[m.name()] = m.ID
	if r.heads[m.ID] == nil {
		r.heads[m.ID] = new(heading)
	}
	head, at := r.heads[m.ID], m.at()
	target, walks := head.target()
	check := func(ours point) error {
		if ours != target {
			return fmt.Errorf("at %v, but it stands at %v", ours, target)
		}
		return nil
	}
	switch {
	case at == target:
	case at.to(target) < 2*stepLength:
		r.differs("arrives")
	case walks:
		from := head.stood
		check = func(ours point) error {
			if math.Abs(from.to(ours)+ours.to(target)-from.to(target)) > rounding {
				return fmt.Errorf("at %v, not on the way from %v to %v", ours, from, target)
			}
			return nil
		}
	default:
		r.t.Errorf("line %d: actor %d stands at %v, want %v", line.N, m.ID, at, target)
	}
	if m.Avatar == nil {
		r.differs("avatar always")
		m.Avatar = new(int)
	}
	r.wants[line.Who] = append(r.wants[line.Who], want{line.N, digestModel(m), check})
	r.stepped(line.Who, m.ID, at)
}

// hearsStep takes note of a delta.
func (r *replay) hearsStep(line *recorded, m model) {
	last, known := r.steps[line.Who][m.ID]
	if !known || !r.knows[line.Who][m.ID] {
		r.differs("announced first")
		return
	}
	at := last
	if m.Instance.X != nil {
		at.x = *m.Instance.X
	}
	if m.Instance.Y != nil {
		at.y = *m.Instance.Y
	}
	if m.Instance.X == nil || m.Instance.Y == nil {
		r.differs("both coordinates")
	}
	if math.Abs(at.x*100-math.Round(at.x*100)) > 1e-6 {
		r.differs("two decimals")
	}
	targets := r.heads[m.ID].targets
	ok := false
	for _, target := range targets[max(0, len(targets)-2):] { // it may not have turned round yet
		ok = ok || math.Abs(last.to(at)+at.to(target)-last.to(target)) < rounding
	}
	if !ok {
		r.t.Errorf("line %d: the recorded walk goes from %v to %v, not towards %v", line.N, last, at, targets)
	}
	r.stepped(line.Who, m.ID, at)
	r.moves[line.Who]++
}

func (r *replay) stepped(who string, id int64, at point) {
	if r.steps[who] == nil {
		r.steps[who] = make(map[int64]point)
	}
	r.steps[who][id] = at
}

// sync waits until everybody has heard as much as the recording has by now.
func (r *replay) sync() {
	for _, who := range slices.Sorted(maps.Keys(r.peers)) {
		p := r.peers[who]
		if n := len(r.wants[who]); n > 0 {
			p.wait(fmt.Sprintf("as many packets as line %d has", r.wants[who][n-1].n), func(all []heard) bool {
				return len(r.told(all)) >= n
			})
		}
		for id, at := range r.steps[who] {
			head := r.heads[id]
			target, walks := head.target()
			if !walks || !r.knows[who][id] || at == head.from[who] {
				continue
			}
			arrived := at.to(target) < 2*stepLength
			if arrived && at != target {
				r.differs("arrives")
			}
			p.wait(fmt.Sprintf("actor %d to walk to %v", id, target), func(all []heard) bool {
				n, last := stepsOf(all, id)
				return arrived && last == target || !arrived && n > head.heard[who]
			})
		}
	}
}

// stepsOf counts the steps of an actor and tells where it was last.
func stepsOf(all []heard, id int64) (n int, last point) {
	for _, h := range all {
		if m, ok := h.model(); ok && m.ID == id {
			last = m.at()
			if !m.full() {
				n++
			}
		}
	}
	return n, last
}

// acts does what a client did.
func (r *replay) acts(line *recorded, rest []recorded) {
	p := r.peers[line.Who]
	switch {
	case line.Ev == "http_request" || line.Ev == "handshake":
		p = connect(r.t, r.s)
		p.name = line.Who
		r.peers[line.Who] = p
		if r.onConnect {
			r.guests++
			until(r.t, "the connection is a guest", func() bool { return r.s.metric(r.t, "game_guests") == strconv.Itoa(r.guests) })
		}
	case line.data():
		r.sends(p, line)
	case line.Op == "ping":
		p.ping()
	case line.Op == "close":
		for _, answer := range rest {
			if answer.Who == line.Who && answer.Op == "close" && !answer.sent() && answer.Code != line.Code {
				r.differs("echoes the close code")
			}
		}
		p.close(websocket.StatusCode(line.Code))
		r.leaves(line.Who)
	case line.Ev == "tcp_rst_by_client":
		_ = p.tcp.SetLinger(0)
		_ = p.tcp.Close()
		<-p.gone
		r.leaves(line.Who)
	case line.Ev == "eof":
		_ = p.tcp.Close()
		<-p.gone
		r.leaves(line.Who)
	default:
		r.t.Fatalf("line %d: cannot do %s %s", line.N, line.Ev, line.Op)
	}
}

// leaves ends the waiting for a client's steps.
func (r *replay) leaves(who string) {
	delete(r.steps, who)
	r.guests--
}

func (r *replay) sends(p *peer, line *recorded) {
	h, err := parse(line.Payload)
	if err != nil {
		r.t.Fatal(err)
	}
	switch h.action {
	case "Chat":
		said := h.p0
		if h.n > 1 {
			said = h.p1
		}
		r.talks[strings.Trim(string(said), `"`)], r.talks[text(said)] = line.Who, line.Who
	case "Login":
		r.names[line.Who] = text(h.p0)
		p.mu.Lock()
		p.sight.loggedIn = true
		p.mu.Unlock()
	case "Target":
		var to point
		if json.Unmarshal(h.p0, &to.x) != nil || json.Unmarshal(h.p1, &to.y) != nil {
			r.t.Fatalf("line %d: no target: %s", line.N, line.Payload)
		}
		id := r.ids[r.names[line.Who]]
		head := r.heads[id]
		if last, ok := head.target(); ok && r.steps[line.Who][id].to(last) < 2*stepLength {
			head.stood = last
		}
		if target, ok := head.target(); !ok || target != to {
			head.targets = append(head.targets, to)
			head.from, head.heard = make(map[string]point), make(map[string]int)
			for who, p := range r.peers {
				head.from[who] = r.steps[who][id]
				head.heard[who], _ = stepsOf(p.soFar(), id)
			}
		}
	}
	p.send(websocket.MessageType(line.Opcode), line.Payload)
}
