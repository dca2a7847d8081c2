package stream

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// configOf is the configuration that a script's first byte chooses.
func configOf(b byte) Config {
	return Config{Writers: 1 + int(b)%3, MaxWriteBytes: []int{0, 50, 1000, 5000}[b/3%4], MaxLagBytes: 1 << 30, BytesPerSecond: 8000}
}

func randomBytes(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 99))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}

// TestWritersAgreeWithModel: every listener gets exactly what the model says, in
// its order, whatever the loop does, the readers do, and in between.
func TestWritersAgreeWithModel(t *testing.T) {
	seeds, length := 150, 6000
	if raceEnabled || testing.Short() {
		seeds = 25
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			sc := newScript(t, randomBytes(uint64(seed), length), configOf(byte(seed)))
			sc.run()
		})
		if t.Failed() {
			return
		}
	}
}

func FuzzWriters(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(randomBytes(seed, 300))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 4000 {
			return
		}
		newScript(t, data[1:], configOf(data[0])).run()
	})
}

// expect compares what p was given since the last time with the model: all of it,
// or, with part, a beginning of it.
func (sc *script) expect(p *subject, part bool) {
	sc.tb.Helper()
	log := p.conn.since(p.compared)
	p.compared += len(log)
	for len(log) > 0 {
		kind, id, rest, err := nextTestFrame(log)
		if err != nil {
			sc.tb.Fatalf("%s: %v", p.conn.name, err)
		}
		log = rest
		want, n := p.main, &p.mains
		switch kind {
		case poseFrameOf:
			sc.see(p, id)
			continue
		case chatFrame:
			want, n = p.chat, &p.chats
		}
		if *n >= len(want) || want[*n].id != id {
			sc.tb.Fatalf("%s: frame %d of kind %c is number %d, want %v", p.conn.name, id, kind, *n, want[min(*n, len(want)):min(len(want), *n+3)])
		}
		*n++
		switch e, ok := sc.effects[id]; {
		case !ok:
		case e.all != nil:
			p.knows = maps.Clone(e.all)
		case e.gone:
			delete(p.knows, e.actor)
		default:
			p.knows[e.actor] = 0
		}
	}
	if !part && (p.mains < len(p.main) || p.chats < len(p.chat)) {
		sc.tb.Fatalf("%s was given %d frames of %d and %d chats of %d", p.conn.name, p.mains, len(p.main), p.chats, len(p.chat))
	}
}

// see checks that p knows the actor whose pose it was sent, and that poses never
// go back. Only a view told while its tick is being published may be newer than
// the pose behind it; what comes last must be the newest all the same.
func (sc *script) see(p *subject, pose uint32) {
	sc.tb.Helper()
	actor := sc.actors[pose]
	if _, ok := p.knows[actor]; !ok || p.seen[actor] > pose {
		sc.tb.Fatalf("%s was sent pose %d of actor %d, which it knows (%v), and pose %d", p.conn.name, pose, actor, ok, p.seen[actor])
	}
	p.knows[actor], p.seen[actor] = pose, pose
}

// settle compares everybody when the writers have been given all that was said
// and have done all they can.
func (sc *script) settle() {
	sc.tb.Helper()
	for _, p := range sc.subjects {
		switch {
		case !p.gone:
			sc.expect(p, p.conn.Pending() > 0)
		case p.after < 0:
			sc.expect(p, true)
			p.after = p.conn.total()
		case p.after != p.conn.total():
			sc.tb.Fatalf("%s was sent something after it had left", p.conn.name)
		}
	}
}

// expectPoses compares where everybody was last told that actors are.
func (sc *script) expectPoses() {
	sc.tb.Helper()
	for _, p := range sc.subjects {
		if p.gone || len(p.conn.closes()) > 0 {
			continue
		}
		want := view{}
		if i := slices.Index(sc.auds, p.Audience()); i < len(sc.views) {
			want = sc.views[i]
		}
		if !maps.Equal(p.knows, want) {
			sc.tb.Fatalf("%s knows %v, want %v", p.conn.name, p.knows, want)
		}
	}
}

// end lets everybody read everything and compares for the last time.
func (sc *script) end() {
	sc.tb.Helper()
	sc.midway = true // no more operations
	sc.publish()
	sc.ws.Step()
	for _, p := range sc.subjects {
		p.conn.bounded = false
		p.conn.readAll()
	}
	sc.ws.Step()
	for range maxPeriod + 1 {
		sc.publish()
		sc.ws.Step()
	}
	sc.settle()
	sc.expectPoses()
	if got := sc.ws.Stats().Blocked.Load(); got != 0 {
		sc.tb.Fatalf("%d blocked listeners, and all is flushed", got)
	}
	for _, p := range sc.subjects {
		if p.extra != nil {
			sc.tb.Fatalf("%s has been sent everything and keeps %+v", p.conn.name, p.extra)
		}
		if got := p.conn.closes(); len(got) != 0 {
			sc.tb.Fatalf("%s was closed as %v", p.conn.name, got)
		}
		sc.ws.Leave(&p.Listener)
	}
	sc.publish()
	sc.ws.Step()
	for _, w := range sc.ws.writers {
		if len(w.shards) != 0 || len(w.dirty) != 0 || len(w.touched) != 0 || len(w.blocked) != 0 || len(w.pieces) != 0 {
			sc.tb.Fatalf("writer %d is not empty when all have left: %d shards, %d dirty, %d touched, %d blocked, %d pieces",
				w.id, len(w.shards), len(w.dirty), len(w.touched), len(w.blocked), len(w.pieces))
		}
	}
}
