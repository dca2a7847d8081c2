package main

import "math"

const (
	mapTiles = 128
	corners  = mapTiles + 1
	middle   = mapTiles / 2 // the corner at world (0, 0)
)

// area marks the corners of tiles that belong to one kind of ground.
type area [corners][corners]bool

func (a *area) has(x, y int) bool {
	x, y = min(max(x, 0), mapTiles), min(max(y, 0), mapTiles)
	return a[y][x]
}

// mask gathers the four corners of a tile, as the ids of tiles.png have them.
func (a *area) mask(tx, ty int) int {
	m := 0
	for i, c := range [4][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		if a.has(tx+c[0], ty+c[1]) {
			m |= 1 << i
		}
	}
	return m
}

// blot fills an ellipse with a slightly uneven rim. Places are tiles from the middle of the world.
func (a *area) blot(cx, cy, rx, ry, uneven float64, seed int) {
	for y := range corners {
		for x := range corners {
			u, v := (float64(x-middle)-cx)/rx, (float64(y-middle)-cy)/ry
			if math.Hypot(u, v) < 1+uneven*(smooth(x, y, 5, seed)-0.5) {
				a[y][x] = true
			}
		}
	}
}

// box fills a rectangle of whole tiles.
func (a *area) box(x, y, w, h int) {
	for j := y; j <= y+h; j++ {
		for i := x; i <= x+w; i++ {
			a[j+middle][i+middle] = true
		}
	}
}

// track draws a bent line, width tiles wide, through the points.
func (a *area) track(width, uneven float64, seed int, points ...[2]float64) {
	for i := 1; i < len(points); i++ {
		from, to := points[i-1], points[i]
		steps := int(4*math.Hypot(to[0]-from[0], to[1]-from[1])) + 1
		for s := range steps + 1 {
			t := float64(s) / float64(steps)
			x, y := from[0]+(to[0]-from[0])*t, from[1]+(to[1]-from[1])*t
			r := width/2 + uneven*(smooth(int(x)+middle, int(y)+middle, 4, seed)-0.5)
			for cy := int(math.Floor(y - r)); cy <= int(math.Ceil(y+r)); cy++ {
				for cx := int(math.Floor(x - r)); cx <= int(math.Ceil(x+r)); cx++ {
					inside := math.Hypot(float64(cx)-x, float64(cy)-y) <= r+0.12
					if inside && cx+middle >= 0 && cy+middle >= 0 && cx+middle < corners && cy+middle < corners {
						a[cy+middle][cx+middle] = true
					}
				}
			}
		}
	}
}

// smooth is noise that changes over scale tiles.
func smooth(x, y, scale, seed int) float64 {
	gx, gy := float64(x)/float64(scale), float64(y)/float64(scale)
	x0, y0 := int(math.Floor(gx)), int(math.Floor(gy))
	u, v := gx-float64(x0), gy-float64(y0)
	u, v = u*u*(3-2*u), v*v*(3-2*v)
	top := noise(x0, y0, seed)*(1-u) + noise(x0+1, y0, seed)*u
	bottom := noise(x0, y0+1, seed)*(1-u) + noise(x0+1, y0+1, seed)*u
	return top*(1-v) + bottom*v
}

// terrain is the ground of the whole map, before trees and houses.
type terrain struct {
	water, dirt, cobble, sand, soil, wood area
}

func newTerrain() *terrain {
	t := &terrain{}

	// The river comes from the north, passes east of the village and ends in the lake; a brook joins it to the pond.
	t.water.track(5, 1.6, 1, [2]float64{14, -66}, [2]float64{18, -52}, [2]float64{30, -42}, [2]float64{32, -30}, [2]float64{26, -20},
		[2]float64{25, -8}, [2]float64{25, 6}, [2]float64{23, 18}, [2]float64{17, 25}, [2]float64{18, 36})
	t.water.blot(20, 44, 19, 11, 0.5, 2)
	t.water.blot(-34, 31, 7, 4.5, 0.5, 3)
	t.water.blot(-44, -48, 6, 4, 0.6, 5)
	t.water.track(3, 0, 4, [2]float64{-34, 31}, [2]float64{-22, 35}, [2]float64{-8, 36}, [2]float64{6, 42})
	for y := range corners { // the lake's island
		for x := range corners {
			u, v := (float64(x-middle)-25)/5, (float64(y-middle)-45)/3
			if math.Hypot(u, v) < 1+0.4*(smooth(x, y, 3, 6)-0.5) {
				t.water[y][x] = false
			}
		}
	}

	// The square and its roads.
	t.cobble.blot(0, 0, 10.3, 7.6, 0.12, 7)
	t.cobble.box(-7, -8, 14, 3)
	t.cobble.box(9, -1, 5, 2)
	t.cobble.box(-14, -1, 5, 2)
	t.dirt.track(2, 0, 0, [2]float64{14, 0}, [2]float64{36, 0}, [2]float64{44, -4}, [2]float64{52, -18}, [2]float64{50, -34})
	t.dirt.track(2, 0, 0, [2]float64{44, -4}, [2]float64{54, 6}, [2]float64{66, 8})
	t.dirt.track(2, 0, 0, [2]float64{-14, 0}, [2]float64{-26, 0}, [2]float64{-38, -5}, [2]float64{-52, -3}, [2]float64{-66, -6})
	t.dirt.track(2, 0, 0, [2]float64{-26, 0}, [2]float64{-30, -14}, [2]float64{-36, -26}, [2]float64{-34, -38})
	t.dirt.track(2, 0, 0, [2]float64{0, 6}, [2]float64{0, 22}, [2]float64{-2, 44}, [2]float64{-4, 66})
	t.dirt.track(2, 0, 0, [2]float64{0, 14}, [2]float64{-16, 17}, [2]float64{-22, 17})
	t.dirt.track(2, 0, 0, [2]float64{0, 22}, [2]float64{12, 29})
	t.dirt.track(2, 0, 0, [2]float64{-19, 0}, [2]float64{-19, -13}, [2]float64{-9, -26}, [2]float64{2, -36}, [2]float64{0, -50})

	// Yards, fields, sand by the water, and the dark ground of the wood.
	t.sand.blot(12, 30, 4.5, 2.5, 0.3, 8)
	t.sand.blot(50, -36, 5, 3.5, 0.4, 9)
	t.soil.box(-34, 9, 8, 4)
	t.soil.box(-34, 15, 8, 5)
	t.soil.box(-23, 22, 9, 5)
	t.wood.blot(-40, -38, 21, 19, 0.7, 10)
	t.wood.blot(48, 34, 14, 20, 0.7, 11)
	t.wood.blot(-54, 52, 14, 12, 0.7, 12)
	t.wood.blot(44, -50, 13, 9, 0.6, 13)
	t.drain()
	return t
}

// drain keeps dry what may not overlap: nothing but a bridge crosses water, and soil keeps off the roads.
func (t *terrain) drain() {
	for y := range corners {
		for x := range corners {
			if t.nearWater(x, y, 1) {
				t.wood[y][x], t.sand[y][x], t.soil[y][x] = false, false, false
			}
			if t.water[y][x] {
				t.cobble[y][x] = false
			}
			if t.dirt[y][x] || t.cobble[y][x] {
				t.wood[y][x] = false
			}
		}
	}
}

func (t *terrain) nearWater(x, y, reach int) bool {
	for j := -reach; j <= reach; j++ {
		for i := -reach; i <= reach; i++ {
			if t.water.has(x+i, y+j) {
				return true
			}
		}
	}
	return false
}
