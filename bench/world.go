package main

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"tavern/bench/swarm"
)

// world is a square around the origin in which players are spread evenly.
type world struct {
	edge float64 // pixels
	cell float64 // edge of a cell of the interest grid
}

// defaultWorld is what the server has without flags.
var defaultWorld = world{edge: 4096, cell: 640}

// worldFor returns the world in which each of so many players has, on average, this
// many others in the nine cells that it sees.
func worldFor(players int, neighbours, cell float64) world {
	// With g cells along each edge, a player in the middle sees 9 of the g² cells, one
	// at an edge 6, one in a corner 4: ((3g-2)/g)² on average.
	seen := func(g float64) float64 {
		along := (3*g - 2) / g
		return float64(players)/(g*g)*along*along - 1
	}
	low, high := 1.0, 1e5
	for range 60 {
		if g := (low + high) / 2; seen(g) > neighbours {
			low = g
		} else {
			high = g
		}
	}
	return world{edge: max(1, math.Round(high)) * cell, cell: cell}
}

// flags make the server's world this one.
func (w world) flags() []string {
	// The grid begins at the minimum, so a maximum just inside keeps the last cell whole.
	half := w.edge / 2
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	return []string{
		"-world", number(-half) + "," + number(-half) + "," + number(half-0.01) + "," + number(half-0.01),
		"-cell", number(w.cell),
	}
}

// place returns where so many players stand.
func (w world) place(players int, leg float64) *swarm.Place {
	half := w.edge / 2
	return &swarm.Place{
		MinX: -half + 1, MinY: -half + 1, MaxX: half - 1, MaxY: half - 1,
		Total: players, Seed: 1, Leg: min(leg, w.edge/3),
	}
}

// atOnce is a walking speed at which every walk ends with the next tick.
var atOnce = []string{"-speed", "10000000"}

// settle makes accounts whose players stand at their places, and leaves them there: a
// first life of the server in which walking takes no time, up to its shutdown, which
// saves positions. The accounts' nonce is returned. A server that was not started here
// has one life only: its players will walk to their places after login.
func (l *lab) settle(ctx context.Context, count int, place *swarm.Place, flags []string) (string, error) {
	name := nonce()
	if !l.server.Owned() {
		return name, nil
	}
	if err := l.start(ctx, count, append(append([]string{}, flags...), atOnce...)...); err != nil {
		return "", err
	}
	if _, err := l.connect(ctx, count); err != nil {
		return "", err
	}
	l.progress.begin("placing players")
	in, err := l.fleet.Login(swarm.LoginPlan{Nonce: name, Register: true, Place: place, InFlight: l.opts.inFlight})
	if err != nil {
		return "", err
	}
	if in.Present < count {
		return "", fmt.Errorf("only %d of %d players came to their places: %s", in.Present, count, counts(in.Failures))
	}
	if err := l.closeFleet(); err != nil {
		return "", err
	}
	return name, l.server.Stop()
}

// enter logs settled players in, in the room that is open.
func (l *lab) enter(name string, count, observers int, place *swarm.Place) (*swarm.LoginResult, error) {
	l.progress.begin("logging in")
	in, err := l.fleet.Login(swarm.LoginPlan{
		Nonce: name, Register: !l.server.Owned(), Place: place, InFlight: l.opts.inFlight, Observers: observers, Count: count,
	})
	if err == nil && in.Present < count {
		err = fmt.Errorf("only %d of %d players got in: %s", in.Present, count, counts(in.Failures))
	}
	return in, err
}
