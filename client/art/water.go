package main

import (
	"image/color"
	"math"
)

// drawWater is one frame of a tile of water with the shore round it. A shore whose land lies above shows its bank, because the
// world is seen from the south; foam breathes along every shore.
func drawWater(mask, frame int) *Canvas {
	c := NewCanvas(tile, tile)
	c.Paste(drawGrass(mask%3), 0, 0)
	for y := range tile {
		for x := range tile {
			depth, _, gy := field(mask, x, y, 0.10)
			if mask == all {
				depth = 2 * tile
			}
			if col, ok := shore(x, y, depth, gy, frame); ok {
				c.Put(x, y, col)
			} else if depth > 0 {
				c.Put(x, y, waves(x, y, frame))
			}
		}
	}
	return c
}

// shore colours what lies between grass and open water; ok is false for both of those.
func shore(x, y int, depth, gy float64, frame int) (color.NRGBA, bool) {
	bank := 4.6 * math.Max(0, gy) // height of the visible bank, pixels
	tide := 0.5 * math.Sin(2*math.Pi*(float64(frame)/frames+noise(x/5, y/5, 80)*0.4))
	wet := depth - bank
	switch {
	case depth <= -2.4:
		return color.NRGBA{}, false
	case depth <= -1.1:
		if noise(x, y, 81) < 0.5 {
			return grass[2], true
		}
		return color.NRGBA{}, false
	case depth <= 0 && gy > 0.15:
		return grass[0], true
	case depth <= 0:
		return mix(grass[3], sand[3], 0.3), true
	case wet <= 0 && depth < 1.2:
		return mix(soil[1], grass[3], 0.45), true
	case wet <= 0 && noise(x/2, y, 82) < 0.3:
		return soil[0], true
	case wet <= 0:
		return mix(soil[2], soil[1], 0.4), true
	case wet < 1:
		return mix(water[3], ink, 0.25), true
	case wet < 2.2+tide && bank > 0.5 || wet < 2+tide:
		return mix(water[0], rgb(0xffffff), 0.55), true
	case wet < 4.4+tide:
		return mix(water[1], water[0], 0.5), true
	}
	return color.NRGBA{}, false
}

// waves is open water: short light and dark strokes that drift and fade.
func waves(x, y, frame int) color.NRGBA {
	strokes := [...]struct{ x, y, length, phase int }{
		{1, 2, 5, 0}, {9, 4, 4, 2}, {4, 8, 4, 1}, {11, 10, 5, 3}, {1, 13, 4, 2}, {8, 14, 3, 0},
	}
	for _, s := range strokes {
		age := (frame + s.phase) % frames
		from, length := s.x+age/2, s.length-[frames]int{2, 0, 0, 2}[age]
		along := (x - from + tile) % tile
		if y == s.y && along < length {
			if age == 1 || age == 2 {
				return mix(water[1], water[0], 0.75)
			}
			return mix(water[1], water[0], 0.4)
		}
		if y == s.y+1 && along > 0 && along <= length {
			return mix(water[1], water[2], 0.55)
		}
	}
	return water[1]
}
