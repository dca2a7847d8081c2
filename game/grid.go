package game

import (
	"math"

	"tavern/game/stream"
)

// maxCells bounds the grid's table of cells: 8 bytes each.
const maxCells = 1 << 20

// grid is the interest grid: uniform cells over the world, made as they are
// needed. Who is at home in a cell sees the actors of that cell and of the eight
// around it.
type grid struct {
	bounds Bounds
	edge   float64
	nx, ny int32
	cells  []*cell
}

// cell is one square of the grid. actors are those who stand in it; aud and
// area exist while players are at home in it.
type cell struct {
	x, y    int32
	actors  []*actor
	homes   int              // players whose own actor stands here
	aud     *stream.Audience // those players
	area    *stream.Stream   // who comes into their sight, goes and walks there
	inView  int              // how many are shown to them, see view.go
	crowd   []*actor         // who, when not all around are
	swap    uint32           // tick of the last replacement in view
	stale   bool             // its audience is to be shown the view afresh, in this tick
	growing bool             // stands in world.growing: its view has more room than it had
}

func newGrid(bounds Bounds, edge float64) grid {
	span := func(lo, hi float64) int32 {
		return int32(min(math.Floor((hi-lo)/edge)+1, maxCells))
	}
	g := grid{bounds: bounds, edge: edge}
	for {
		g.edge = edge
		g.nx, g.ny = span(bounds.MinX, bounds.MaxX), span(bounds.MinY, bounds.MaxY)
		if int64(g.nx)*int64(g.ny) <= maxCells {
			break
		}
		edge *= 2 // a world so large for its cells gets larger cells
	}
	g.cells = make([]*cell, int(g.nx)*int(g.ny))
	return g
}

// at returns the cell of a point inside the world.
func (g *grid) at(x, y float64) *cell {
	i := g.index(x, y)
	if g.cells[i] == nil {
		g.cells[i] = &cell{x: i % g.nx, y: i / g.nx}
	}
	return g.cells[i]
}

// index is the place in cells of the cell nearest to a point.
func (g *grid) index(x, y float64) int32 {
	cx := int32(clamp((x-g.bounds.MinX)/g.edge, 0, float64(g.nx-1)))
	cy := int32(clamp((y-g.bounds.MinY)/g.edge, 0, float64(g.ny-1)))
	return cy*g.nx + cx
}

// around calls f for c and the cells next to it that exist, always in the same
// order.
func (g *grid) around(c *cell, f func(*cell)) {
	for y := max(c.y-1, 0); y <= min(c.y+1, g.ny-1); y++ {
		for x := max(c.x-1, 0); x <= min(c.x+1, g.nx-1); x++ {
			if n := g.cells[y*g.nx+x]; n != nil {
				f(n)
			}
		}
	}
}

// within calls f for the existing cells that overlap a rectangle, always in the
// same order.
func (g *grid) within(minX, minY, maxX, maxY float64, f func(*cell)) {
	lo, hi := g.index(minX, minY), g.index(maxX, maxY)
	for y := lo / g.nx; y <= hi/g.nx; y++ {
		for x := lo % g.nx; x <= hi%g.nx; x++ {
			if c := g.cells[y*g.nx+x]; c != nil {
				f(c)
			}
		}
	}
}

// bit numbers the cell h among the nine around c, or answers 0 when it is not
// one of them.
func bit(c, h *cell) uint16 {
	dx, dy := h.x-c.x+1, h.y-c.y+1
	if dx < 0 || dx > 2 || dy < 0 || dy > 2 {
		return 0
	}
	return 1 << (dy*3 + dx)
}

func (c *cell) put(a *actor) {
	a.slot = int32(len(c.actors))
	c.actors = append(c.actors, a)
}

func (c *cell) take(a *actor) {
	last := len(c.actors) - 1
	c.actors[a.slot] = c.actors[last]
	c.actors[a.slot].slot = a.slot
	c.actors[last] = nil
	c.actors = c.actors[:last]
	if last == 0 {
		c.actors = nil
	}
}
