package game

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// plainWorld is the rules of the world in plain arithmetic: who stands where, who
// sees whom, who hears what. It has no grid, no views, no streams.
type plainWorld struct {
	cfg   Config
	in    map[string]*plainActor
	left  map[int64]bool // in the last tick
	queue []string       // who does something in this tick, in the order of the first deed
	deeds map[string][]deed
}

type plainActor struct {
	id           int64
	x, y, tx, ty float64
	heard        []string // what was said in the last tick, and not by itself
}

// deed is what a player does: come, leave, walk, or say something.
type deed struct {
	what byte
	id   int64
	x, y float64
	text string
}

func (w *plainWorld) do(name string, d deed) {
	if w.deeds[name] == nil {
		w.queue = append(w.queue, name)
	}
	w.deeds[name] = append(w.deeds[name], d)
}

func (w *plainWorld) tick() {
	b := w.cfg.World
	w.left = map[int64]bool{}
	for _, a := range w.in {
		a.heard = nil
	}
	for _, name := range w.queue {
		for _, d := range w.deeds[name] {
			x, y := min(max(d.x, b.MinX), b.MaxX), min(max(d.y, b.MinY), b.MaxY)
			switch a := w.in[name]; d.what {
			case 'j':
				w.in[name] = &plainActor{id: d.id, x: x, y: y, tx: x, ty: y}
			case 'l':
				w.left[a.id] = true
				delete(w.in, name)
			case 't':
				a.tx, a.ty = x, y
			case 'c':
				for listener, b := range w.in {
					if listener != name {
						b.heard = append(b.heard, d.text)
					}
				}
			}
		}
	}
	w.queue, w.deeds = nil, map[string][]deed{}
	step := w.cfg.Speed * w.cfg.Tick.Seconds()
	for _, a := range w.in {
		dx, dy := a.tx-a.x, a.ty-a.y
		if dist := math.Hypot(dx, dy); dist <= step {
			a.x, a.y = a.tx, a.ty
		} else {
			a.x += dx / dist * step
			a.y += dy / dist * step
		}
	}
}

// near are those whom a player in a's place could see: all in its own cell and
// the eight around it.
func (w *plainWorld) near(a *plainActor) map[int64]*plainActor {
	near := map[int64]*plainActor{}
	cell := func(v, least float64) float64 { return math.Floor((v - least) / w.cfg.Cell) }
	for _, o := range w.in {
		if math.Abs(cell(o.x, w.cfg.World.MinX)-cell(a.x, w.cfg.World.MinX)) <= 1 &&
			math.Abs(cell(o.y, w.cfg.World.MinY)-cell(a.y, w.cfg.World.MinY)) <= 1 {
			near[o.id] = o
		}
	}
	return near
}

// cast is how many players a play has.
const cast = 10

// play is a script of bytes that is played to a loop and to the model.
type play struct {
	*stage
	script    []byte
	world     *plainWorld
	witnesses map[string]*witness
	entries   map[string]int // how often each has come
	clock     int
	said      int
}

// FuzzWorld plays random joins, leaves, walks and chats to a loop and compares,
// after every tick, what each client has been told with the model: whom it knows,
// where they are, who has left, and what was said, in order.
func FuzzWorld(f *testing.F) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 5))
		script := make([]byte, 400)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 800 {
			return
		}
		p := &play{script: script, witnesses: map[string]*witness{}, entries: map[string]int{}}
		cfg := Config{
			World: []Bounds{{-1000, -1000, 1000, 1000}, {-10, -700.5, 990, 3.25}, {0, 0, 50, 2000}}[p.byte()%3],
			Cell:  []float64{640, 130, 40, 16, 5000, 33.3}[p.byte()%6],
			Speed: []float64{70, 400, 1600, 6000}[p.byte()%4],
			View:  []int{100, 1, 3, 6}[p.byte()%4],
		}
		p.stage = newStage(t, cfg)
		p.world = &plainWorld{cfg: p.loop.cfg, in: map[string]*plainActor{}, deeds: map[string][]deed{}}
		for len(p.script) > 0 && p.clock < 500 {
			p.step()
		}
		p.curtain()
	})
}

// byte takes the next of the script, 0 behind its end.
func (p *play) byte() byte {
	if len(p.script) == 0 {
		return 0
	}
	b := p.script[0]
	p.script = p.script[1:]
	return b
}

// place is a point of the script: anywhere, on the border of cells, on the one
// spot where crowds form, or outside the world.
func (p *play) place() (x, y float64) {
	b, how := p.world.cfg.World, p.byte()
	along := func(lo, hi float64) float64 {
		v := float64(p.byte()) / 255
		switch how % 4 {
		case 0:
			return lo + (hi-lo)*v
		case 1:
			return lo + math.Round((hi-lo)*v/p.world.cfg.Cell)*p.world.cfg.Cell
		case 2:
			return lo + (hi-lo)*(v*3-1)
		}
		return lo + (hi-lo)/2 + v
	}
	return along(b.MinX, b.MaxX), along(b.MinY, b.MaxY)
}

func (p *play) step() {
	op := p.byte()
	name := string('a' + rune(p.byte()%cast))
	player := p.players[name]
	busy := p.world.deeds[name]
	in := player != nil && player.actor != nil && !player.gone || len(busy) > 0 // or coming, in this tick
	if len(busy) > 0 && busy[len(busy)-1].what == 'l' {
		in = false
	}
	switch op % 16 {
	case 0, 1, 2:
		if in || len(busy) > 0 {
			return
		}
		x, y := p.place()
		p.join(name, x, y)
		p.entries[name]++
		p.witnesses[name] = &witness{name: name, known: map[int64][2]float64{}}
		p.world.do(name, deed{what: 'j', id: p.ids[name], x: x, y: y})
	case 3, 4, 5, 6:
		if !in {
			return
		}
		x, y := p.place()
		if p.offer(name, fmt.Sprintf(`{"a":"Target","p0":%g,"p1":%g}`, x, y)) {
			p.world.do(name, deed{what: 't', x: x, y: y})
		}
	case 7, 8:
		if !in {
			return
		}
		p.said++
		text := fmt.Sprint("line ", p.said)
		if p.offer(name, fmt.Sprintf(`{"a":"Chat","p0":"","p1":%q}`, text)) {
			p.world.do(name, deed{what: 'c', text: text})
		}
	case 9:
		if !in {
			return
		}
		p.leave(name)
		p.world.do(name, deed{what: 'l'})
	case 10:
		if n := int(p.byte()); n < 240 {
			p.turn(1 + n%8)
		} else {
			p.turn(calmTicks + 2) // so that a place in a crowd may change hands
		}
	default:
		p.turn(1)
	}
}

// turn ticks, and lets everybody hear.
func (p *play) turn(ticks int) {
	p.t.Helper()
	for range ticks {
		p.clock++
		p.tick(1)
		p.world.tick()
		for name, w := range p.witnesses {
			p.hear(name, w)
		}
		for name, a := range p.world.in {
			p.compare(p.witnesses[name], a)
		}
	}
}

// hear gives w what it was sent in this tick.
func (p *play) hear(name string, w *witness) {
	p.t.Helper()
	w.chats = w.chats[:0]
	a := p.world.in[name]
	packets := p.conns[name].take()
	if a == nil {
		if len(packets) > 0 && !p.world.left[p.ids[name]] {
			p.t.Fatalf("tick %d: %s has left and is sent %q", p.clock, name, packets)
		}
		return
	}
	for _, packet := range packets {
		if err := w.hear(packet); err != nil {
			p.t.Fatalf("tick %d: %s was sent %v", p.clock, name, err)
		}
		for _, farewell := range []string{"Disconnect", "Despawn"} {
			rest, ok := strings.CutPrefix(packet, `{"a":"`+farewell+`","p0":`)
			if !ok {
				continue
			}
			var id int64
			_, err := fmt.Sscanf(rest, "%d}", &id)
			// In a crowd one may lose its place and leave within one tick.
			if left := p.world.left[id]; err != nil || !left && farewell == "Disconnect" || left && farewell == "Despawn" && p.world.cfg.View >= cast {
				p.t.Fatalf("tick %d: %s was sent %s, and who has left is %v", p.clock, name, packet, p.world.left)
			}
		}
	}
	if !slices.Equal(w.chats, a.heard) && len(w.chats)+len(a.heard) > 0 {
		p.t.Fatalf("tick %d: %s heard %q, want %q", p.clock, name, w.chats, a.heard)
	}
}

// compare holds what a client knows against the model.
func (p *play) compare(w *witness, a *plainActor) {
	p.t.Helper()
	near := p.world.near(a)
	for id, at := range w.known {
		o := near[id]
		if o == nil {
			p.t.Fatalf("tick %d: %s still knows %d, who is out of sight", p.clock, w.name, id)
		}
		if math.Abs(o.x-at[0]) > 0.0051 || math.Abs(o.y-at[1]) > 0.0051 {
			p.t.Fatalf("tick %d: %s has %d at %v, it is at %v,%v", p.clock, w.name, id, at, o.x, o.y)
		}
	}
	least, most := len(near), len(near)
	if view := p.world.cfg.View; len(near) > view { // a crowd; the own actor may be in view or beside it
		least, most = view, view+1
	}
	if _, own := w.known[a.id]; w.own != a.id || !own || len(w.known) < least || len(w.known) > most {
		p.t.Fatalf("tick %d: %s is %d and knows %v, want %d with %d to %d of the %d in sight", p.clock, w.name, w.own, w.known, a.id, least, most, len(near))
	}
}

// curtain lets everybody leave: their accounts are free, their places are kept,
// and nothing of them remains.
func (p *play) curtain() {
	p.t.Helper()
	p.turn(1)
	last := maps.Clone(p.world.in)
	for name := range last {
		p.leave(name)
		p.world.do(name, deed{what: 'l'})
	}
	p.turn(1)
	for name, a := range last {
		if at := p.accounts.saved[a.id]; at != [2]float64{a.x, a.y} {
			p.t.Errorf("%s left at %v,%v, and %v is kept", name, a.x, a.y, at)
		}
	}
	for name, id := range p.ids {
		if got := p.accounts.released[id]; got != p.entries[name] {
			p.t.Errorf("%s came %d times and was released %d times", name, p.entries[name], got)
		}
	}
	w := p.loop.world
	if w.players != 0 || len(w.actors) != 0 || len(w.walkers) != 0 {
		p.t.Errorf("all have left, and there are %d players, %d actors, %d walkers", w.players, len(w.actors), len(w.walkers))
	}
	for _, c := range w.grid.cells {
		if c != nil && (c.homes != 0 || c.inView != 0 || len(c.actors) != 0 || c.crowd != nil || c.area != nil || c.aud != nil) {
			p.t.Errorf("all have left, and cell %d,%d is %+v", c.x, c.y, c)
		}
	}
}
