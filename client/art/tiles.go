package main

import (
	"image/color"
	"math"
)

// Ids of tiles.png. The edged kinds have 16 tiles each: the id of the kind plus a mask of the tile's corners that belong to
// it, top left 1, top right 2, bottom left 4, bottom right 8.
const (
	tile      = 16
	tilesWide = 16
	tilesHigh = 16

	grassTile  = 1 // 8 variants
	grassKinds = 8
	dirtTile   = 16
	cobbleTile = 32
	sandTile   = 48
	waterTile  = 64 // 16 masks × 4 frames
	flowerTile = 128
	flowers    = 12
	tuftTile   = 144
	tufts      = 10
	soilTile   = 160
	cropTile   = 176
	crops      = 4
	bridgeTile = 192 // see bridge.go
	shadeTile  = 208 // the darker ground of the wood
	moreTile   = 224 // whole tiles with more variety: 4 cobbles, 4 dirt, 4 sand
	lilyTile   = 240
	lilies     = 4

	frames = 4 // of an animated tile
	all    = 15
)

// drawTiles lays out tiles.png.
func drawTiles() *Canvas {
	sheet := NewCanvas(tile*tilesWide, tile*tilesHigh)
	put := func(id int, c *Canvas) { sheet.Paste(c, id%tilesWide*tile, id/tilesWide*tile) }

	for v := range grassKinds {
		put(grassTile+v, drawGrass(v))
	}
	for mask := 1; mask <= all; mask++ {
		put(dirtTile+mask, edged(mask, 0.10, dirtAt(0), softEdge(dirt, grass)))
		put(cobbleTile+mask, edged(mask, 0.04, cobbleAt(0), kerb))
		put(sandTile+mask, edged(mask, 0.12, sandAt(0), softEdge(sand, grass)))
		put(soilTile+mask, edged(mask, 0.02, soilAt, softEdge(soil, grass)))
		put(shadeTile+mask, edged(mask, 0.16, forestFloor, tuftedEdge))
		for f := range frames {
			put(waterTile+frames*mask+f, drawWater(mask, f))
		}
	}
	for v := range 4 {
		put(moreTile+v, edged(all, 0, cobbleAt(v+1), nil))
		put(moreTile+4+v, edged(all, 0, dirtAt(v+1), nil))
		put(moreTile+8+v, edged(all, 0, sandAt(v+1), nil))
		put(cropTile+v, drawCrop(v))
		put(lilyTile+v, drawLily(v))
	}
	for v := range flowers {
		put(flowerTile+v, drawFlowers(v))
	}
	for v := range tufts {
		put(tuftTile+v, drawTuft(v))
	}
	for v, c := range drawBridges() {
		put(bridgeTile+v, c)
	}
	return sheet
}

// field measures how far a pixel of a tile lies inside the area that the mask's corners span: depth in pixels, positive
// inside, and the direction in which the depth grows. On the border of a tile it depends on the two corners
// there alone, so that neighbours fit together.
func field(mask, x, y int, wobble float64) (depth, gx, gy float64) {
	corner := func(bit int) float64 { return float64(mask >> bit & 1) }
	u, v := (float64(x)+0.5)/tile, (float64(y)+0.5)/tile
	top := corner(0)*(1-u) + corner(1)*u
	bottom := corner(2)*(1-u) + corner(3)*u
	f := top*(1-v) + bottom*v
	gx = ((corner(1)-corner(0))*(1-v) + (corner(3)-corner(2))*v) / tile
	gy = (bottom - top) / tile
	inner := 16 * u * (1 - u) * v * (1 - v) // 0 on the border, 1 in the middle
	f += wobble * inner * (noise(x/3, y/3, mask+7) - 0.5)
	length := math.Hypot(gx, gy)
	if length < 0.02 {
		length = 0.02
	}
	return (f - 0.5) / length, gx / length, gy / length
}

// edge colours a pixel near the border of an area; ok is false where the inside's own colour stays.
type edge func(x, y int, depth, gy float64) (col color.NRGBA, ok bool)

// edged draws an area with clear surroundings.
func edged(mask int, wobble float64, inside func(x, y int) color.NRGBA, border edge) *Canvas {
	c := NewCanvas(tile, tile)
	for y := range tile {
		for x := range tile {
			depth, _, gy := field(mask, x, y, wobble)
			if mask == all {
				depth = tile
			}
			if border != nil {
				if col, ok := border(x, y, depth, gy); ok {
					c.Put(x, y, col)
					continue
				}
			}
			if depth > 0 {
				c.Put(x, y, inside(x, y))
			}
		}
	}
	return c
}

// softEdge is trodden ground a little below the grass: a shadow on the upper side, blades over the rest.
func softEdge(ground, around Ramp) edge {
	return func(x, y int, depth, gy float64) (color.NRGBA, bool) {
		switch {
		case depth > 0 && depth < 1.3 && gy > 0.2:
			return mix(ground[3], around[3], 0.35), true
		case depth > 0 && depth < 2.4 && gy > 0.2:
			return ground[2], true
		case depth > 0 && depth < 1.1:
			return mix(ground[2], around[2], 0.3), true
		case depth > -1.2 && depth <= 0 && gy < -0.1:
			return around[0], true
		case depth > -1.2 && depth <= 0:
			return around[2], true
		case depth > 0.9 && depth < 2.6 && noise(x, y, 91) < 0.16:
			return around[1], true
		}
		return color.NRGBA{}, false
	}
}

// kerb is the rim of flat stones round cobbles.
func kerb(x, y int, depth, gy float64) (color.NRGBA, bool) {
	switch {
	case depth > -1.1 && depth <= 0:
		return mix(grass[3], ink, 0.25), true
	case depth > 0 && depth < 1.2:
		if gy < -0.1 {
			return cobble[3], true
		}
		return cobble[0], true
	case depth >= 1.2 && depth < 2.2:
		return cobble[2], true
	}
	return color.NRGBA{}, false
}

// tuftedEdge lets single blades stand at the rim of the wood's floor.
func tuftedEdge(x, y int, depth, _ float64) (color.NRGBA, bool) {
	if depth > -2.5 && depth <= 0 && noise(x, y/2, 17) < 0.4 {
		return forestFloor(x, y), true
	}
	if depth > 0 && depth < 2 && noise(x, y/2, 18) < 0.35 {
		return color.NRGBA{}, true
	}
	return color.NRGBA{}, false
}

var soil = ramp(0xa8744c, 0x8a5a40, 0x6d4337, 0x52302f)

func dirtAt(variant int) func(x, y int) color.NRGBA {
	return func(x, y int) color.NRGBA {
		n := noise(x/2, y, 30+variant)
		switch {
		case n < 0.045:
			return mix(dirt[1], dirt[2], 0.55)
		case n > 0.94:
			return mix(dirt[1], dirt[0], 0.6)
		case variant > 2 && pebble(x, y, variant) > 0:
			return stone[pebble(x, y, variant)-1]
		}
		return dirt[1]
	}
}

// pebble is 0, or 1 to 3 for the lit, plain and shaded pixel of the one small stone of a tile.
func pebble(x, y, variant int) int {
	px, py := 3+pick(variant, 1, 5, 9), 3+pick(variant, 2, 5, 9)
	switch {
	case y == py && (x == px || x == px+1):
		return 1
	case y == py+1 && x >= px-1 && x <= px+2:
		return 2
	case y == py+2 && x >= px && x <= px+2:
		return 3
	}
	return 0
}

func sandAt(variant int) func(x, y int) color.NRGBA {
	return func(x, y int) color.NRGBA {
		n := noise(x, y, 40+variant)
		wave := (y + int(2*math.Sin(float64(x+3*variant)*math.Pi/8))) % 8
		switch {
		case wave == 0 && n < 0.45:
			return sand[2]
		case wave == 1 && n < 0.4:
			return sand[0]
		case n > 0.975:
			return sand[2]
		}
		return sand[1]
	}
}

func soilAt(x, y int) color.NRGBA {
	switch furrow := y % 4; {
	case furrow == 0:
		return soil[0]
	case furrow == 3:
		return soil[3]
	case noise(x, y, 50) < 0.15:
		return soil[2]
	}
	return soil[1]
}

// cobbleAt is a bond of rounded stones, four rows to a tile, that fits its neighbours on every side.
func cobbleAt(variant int) func(x, y int) color.NRGBA {
	joints := [4][3]int{{0, 5, 11}, {3, 8, 13}, {1, 6, 12}, {4, 9, 14}}
	return func(x, y int) color.NRGBA {
		row := y / 4
		start, end, number := 0, 0, 0
		for i := range 3 {
			a, b := joints[row][i], joints[row][(i+1)%3]
			if b <= a {
				b += tile
			}
			if x >= a && x < b || x+tile >= a && x+tile < b {
				start, end, number = a, b, i
			}
		}
		along := x - start
		if along < 0 {
			along += tile
		}
		last := end - start - 1
		shade := noise(row, number, 60+variant)
		base := cobble[1]
		switch {
		case shade < 0.22:
			base = mix(cobble[1], cobble[2], 0.45)
		case shade > 0.8:
			base = mix(cobble[1], cobble[0], 0.5)
		case variant > 2 && shade > 0.68:
			base = mix(cobble[1], grass[2], 0.35)
		}
		inRow := y % 4
		switch {
		case inRow == 3 || along == last:
			return mix(cobble[2], cobble[3], 0.35)
		case inRow == 0 && along > 0 && along < last-1:
			return mix(base, cobble[0], 0.6)
		case inRow == 2 || along == last-1:
			return mix(base, cobble[2], 0.45)
		}
		return base
	}
}

// forestFloor is grass in the shade of trees, with fallen leaves.
func forestFloor(x, y int) color.NRGBA {
	switch n := noise(x, y, 70); {
	case n < 0.006:
		return autumn[2]
	case n < 0.10:
		return grass[3]
	case n > 0.93:
		return mix(grass[2], grass[1], 0.5)
	}
	return mix(grass[2], grass[3], 0.3)
}
