package swarm

import (
	"math"
	"math/rand/v2"
)

// Place is a rectangle of the world and a plan of where everybody stands in it, the
// same for every engine and every run with that seed.
type Place struct {
	MinX, MinY, MaxX, MaxY float64 // pixels
	Total                  int     // players of the whole fleet
	Seed                   uint64
	Leg                    float64 // how far a walker goes before it turns, on average; pixels
}

// HomeOf returns where player number stands: evenly spread, not in rows.
func (p *Place) HomeOf(number int) (x, y float64) {
	w, h := p.MaxX-p.MinX, p.MaxY-p.MinY
	columns := max(1, int(math.Ceil(math.Sqrt(float64(p.Total)*w/h))))
	rows := (p.Total + columns - 1) / columns
	r := rand.New(rand.NewPCG(p.Seed, uint64(number)))
	x = p.MinX + w*(float64(number%columns)+r.Float64())/float64(columns)
	y = p.MinY + h*(float64(number/columns)+r.Float64())/float64(rows)
	return cents(x), cents(y)
}

// away returns the other end of walker number's line, half a leg to one and a half from
// its home in a direction that stays inside: were all as long, all would turn at once.
func (p *Place) away(number int) (x, y float64) {
	hx, hy := p.HomeOf(number)
	r := rand.New(rand.NewPCG(^p.Seed, uint64(number)))
	leg := p.Leg * (0.5 + r.Float64())
	for range 64 {
		angle := r.Float64() * 2 * math.Pi
		x, y = hx+leg*math.Cos(angle), hy+leg*math.Sin(angle)
		if x >= p.MinX && x <= p.MaxX && y >= p.MinY && y <= p.MaxY {
			break
		}
	}
	return cents(min(max(x, p.MinX), p.MaxX)), cents(min(max(y, p.MinY), p.MaxY))
}

// cents rounds to what the wire carries.
func cents(v float64) float64 { return math.Round(v*100) / 100 }
