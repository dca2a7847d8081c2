package game

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"tavern/game/stream"
)

// witness is a client that believes what it is told and nothing else. It fails
// the test where a tutorial client would end in a script error: at a packet
// about an actor that it does not know.
type witness struct {
	name  string
	own   int64
	known map[int64][2]float64
	chats []string
}

func (c *witness) hear(packet string) error {
	var p struct {
		A  string          `json:"a"`
		P0 json.RawMessage `json:"p0"`
		P1 string          `json:"p1"`
	}
	if err := json.Unmarshal([]byte(packet), &p); err != nil {
		return fmt.Errorf("%s: %v", packet, err)
	}
	switch p.A {
	case "Ok":
		if c.own != 0 {
			return fmt.Errorf("a second Ok")
		}
		return nil
	case "Chat":
		c.chats = append(c.chats, p.P1)
		return nil
	case "ModelDelta":
		var m struct {
			ID       int64
			User     *int64
			Instance struct {
				ID   int64
				X, Y *float64
			} `json:"instanced_entity"`
		}
		if err := json.Unmarshal(p.P0, &m); err != nil {
			return err
		}
		if m.Instance.X == nil || m.Instance.Y == nil {
			return fmt.Errorf("without both axes: %s", packet)
		}
		_, known := c.known[m.ID]
		switch {
		case m.User == nil && !known:
			return fmt.Errorf("a delta before its model: %s", packet)
		case m.User != nil && known:
			return fmt.Errorf("a model twice: %s", packet)
		case c.own == 0 && m.User == nil:
			return fmt.Errorf("a delta before the own model: %s", packet)
		case c.own == 0:
			c.own = m.ID
		}
		c.known[m.ID] = [2]float64{*m.Instance.X, *m.Instance.Y}
		return nil
	case "Disconnect", "Despawn":
		var id int64
		if err := json.Unmarshal(p.P0, &id); err != nil {
			return err
		}
		if _, known := c.known[id]; !known {
			return fmt.Errorf("%s of an unknown actor: %s", p.A, packet)
		}
		if id == c.own {
			return fmt.Errorf("its own %s", p.A)
		}
		delete(c.known, id)
		return nil
	}
	return fmt.Errorf("what is %s", packet)
}

// drama is a long random scenario with a witness per player.
type drama struct {
	*stage
	t         testing.TB
	rng       *rand.Rand
	cfg       Config
	witnesses map[string]*witness
	spread    float64
	clock     int
}

func newDrama(t testing.TB, seed uint64, cfg Config, spread float64) *drama {
	return &drama{
		stage: newStage(t, cfg), t: t, cfg: cfg, spread: spread,
		rng:       rand.New(rand.NewPCG(seed, 7)),
		witnesses: map[string]*witness{},
	}
}

func (d *drama) place() (x, y float64) {
	if d.rng.IntN(4) == 0 { // a crowd forms at the spawn
		return 0, 0
	}
	return (d.rng.Float64() - 0.5) * d.spread, (d.rng.Float64() - 0.5) * d.spread
}

// step does some random things, ticks, lets everybody hear and checks them.
func (d *drama) step(players int) {
	d.clock++
	for range 1 + d.rng.IntN(4) {
		name := fmt.Sprint("p", d.rng.IntN(players))
		p := d.players[name]
		in := p != nil && p.actor != nil && !p.gone
		x, y := d.place()
		switch k := d.rng.IntN(12); {
		case !in && (p == nil || p.gone) && k < 8:
			d.join(name, x, y)
			d.witnesses[name] = &witness{name: name, known: map[int64][2]float64{}}
		case in && k < 1:
			d.leave(name)
		case in && k < 9:
			d.offer(name, fmt.Sprintf(`{"a":"Target","p0":%f,"p1":%f}`, x, y))
		case in:
			d.offer(name, fmt.Sprintf(`{"a":"Chat","p0":"","p1":"%d"}`, d.clock))
		}
	}
	d.tick(1)
	for name, c := range d.conns {
		w := d.witnesses[name]
		for _, packet := range c.take() {
			if err := w.hear(packet); err != nil {
				d.t.Fatalf("tick %d: %s was sent %v", d.clock, name, err)
			}
		}
	}
	d.check()
}

// check compares what every client knows with what it should, worked out from
// nothing but everybody's position.
func (d *drama) check() {
	w := d.loop.world
	for name, p := range d.players {
		if p.actor == nil {
			continue
		}
		me, wit := p.actor, d.witnesses[name]
		near := map[int64]*actor{}
		for _, a := range w.actors {
			mx, my := cellOf(w, me)
			ax, ay := cellOf(w, a)
			if math.Abs(float64(mx-ax)) <= 1 && math.Abs(float64(my-ay)) <= 1 {
				near[a.id] = a
			}
		}
		for id, at := range wit.known {
			a := near[id]
			if a == nil {
				d.t.Fatalf("tick %d: %s still knows %d, who is out of sight", d.clock, name, id)
			}
			if d.cfg.Writers.BytesPerSecond != 0 && w.now-a.active < 70 {
				continue // in a throttled crowd the newest pose may be 64 ticks on its way
			}
			if math.Abs(a.x-at[0]) > 0.0051 || math.Abs(a.y-at[1]) > 0.0051 {
				d.t.Fatalf("tick %d: %s has %d at %v, it is at %v,%v", d.clock, name, id, at, a.x, a.y)
			}
		}
		switch {
		case wit.own != me.id:
			d.t.Fatalf("tick %d: %s takes %d for its own actor, it is %d", d.clock, name, wit.own, me.id)
		case len(near) <= w.cfg.View && len(wit.known) != len(near) && len(w.growing) == 0:
			d.t.Fatalf("tick %d: %s knows %d of the %d in sight", d.clock, name, len(wit.known), len(near))
		case len(near) > w.cfg.View && (len(wit.known) < w.cfg.View && len(w.growing) == 0 || len(wit.known) > w.cfg.View+1):
			d.t.Fatalf("tick %d: %s knows %d in a crowd of %d, want %d", d.clock, name, len(wit.known), len(near), w.cfg.View)
		}
	}
}

func cellOf(w *world, a *actor) (x, y int) {
	b := w.cfg.World
	return int(math.Floor((a.x - b.MinX) / w.cfg.Cell)), int(math.Floor((a.y - b.MinY) / w.cfg.Cell))
}

// TestWitnesses runs long random scenarios: joins, leaves, crossings, crowds that
// form and dissolve, in worlds of small and large cells.
func TestWitnesses(t *testing.T) {
	steps, seeds := 400, 2
	if testing.Short() {
		steps, seeds = 150, 1
	}
	world := Bounds{-1000, -1000, 1000, 1000}
	for _, c := range []struct {
		name    string
		cfg     Config
		spread  float64
		players int
	}{
		{"everybody in sight", Config{World: world, Cell: 5000, Speed: 400}, 1500, 20},
		{"many borders", Config{World: world, Cell: 130, Speed: 1000}, 1900, 30},
		{"crossing every tick", Config{World: world, Cell: 40, Speed: 1600}, 1900, 15},
		{"crowded", Config{World: world, Cell: 200, Speed: 800, View: 5}, 900, 40},
		{"crowded on one spot", Config{World: world, Cell: 640, Speed: 300, View: 3}, 60, 30},
		{"throttled", Config{World: world, Cell: 640, Speed: 300, Writers: stream.Config{BytesPerSecond: 8000}}, 1900, 60},
		{"teleporting steps", Config{World: world, Cell: 50, Speed: 6000}, 1900, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range seeds {
				d := newDrama(t, uint64(seed), c.cfg, c.spread)
				for range steps {
					d.step(c.players)
				}
			}
		})
	}
}
