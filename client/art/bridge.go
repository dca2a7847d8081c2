package main

import "image/color"

// The twelve tiles of wooden bridges, two tiles wide. A bridge that runs east and west has an upper row with the far rail
// and a lower row with the near one, each with a left end, a middle and a right end (0–5); one that runs north and south
// has a left and a right column, each with a top, a middle and a bottom (6–11).
func drawBridges() []*Canvas {
	var out []*Canvas
	across := NewCanvas(3*tile, 2*tile)
	for x := 0; x < 3*tile; x++ {
		for y := 2; y < 2*tile-2; y++ {
			across.Put(x, y, boardAt(x, y))
		}
	}
	for x := 0; x < 3*tile; x++ {
		rail(across, x, 1)
		rail(across, x, 2*tile-7)
		across.Put(x, 2*tile-1, rgba(0x16304f, 120))
		across.Put(x, 2*tile-2, wood[3])
	}
	for _, x := range []int{1, 8, 17, 24, 33, 41} {
		post(across, x, 0)
		post(across, x, 2*tile-9)
	}
	for row := range 2 {
		for column := range 3 {
			out = append(out, across.Cut(column*tile, row*tile, tile, tile))
		}
	}

	along := NewCanvas(2*tile, 3*tile)
	for y := 0; y < 3*tile; y++ {
		for x := 2; x < 2*tile-2; x++ {
			along.Put(x, y, boardAt(y, x))
		}
		along.Put(1, y, wood[3])
		along.Put(2, y, wood[0])
		along.Put(3, y, wood[1])
		along.Put(4, y, wood[3])
		along.Put(2*tile-5, y, wood[3])
		along.Put(2*tile-4, y, wood[0])
		along.Put(2*tile-3, y, wood[1])
		along.Put(2*tile-2, y, wood[3])
	}
	for _, y := range []int{0, 10, 20, 30, 40} {
		post(along, 1, y)
		post(along, 2*tile-5, y)
	}
	for column := range 2 {
		for row := range 3 {
			out = append(out, along.Cut(column*tile, row*tile, tile, tile))
		}
	}
	return out
}

// boardAt is a floor of boards that lie across the way; x runs along it.
func boardAt(x, y int) color.NRGBA {
	number := x / 4
	switch x % 4 {
	case 3:
		return plank[3]
	case 0:
		return mix(plank[0], plank[1], 0.4)
	}
	if noise(number, y/3, 90) < 0.08 {
		return plank[2]
	}
	return mix(plank[1], plank[2], 0.6*noise(number, 0, 91))
}

// rail is one pixel column of a railing whose top is at y.
func rail(c *Canvas, x, y int) {
	c.Put(x, y, wood[3])
	c.Put(x, y+1, wood[0])
	c.Put(x, y+2, wood[1])
	c.Put(x, y+3, wood[3])
}

// post is one post of a railing, 4 × 8 pixels.
func post(c *Canvas, x, y int) {
	c.Stamp(x, y, "kkkk\nkabk\nkabk\nkbck\nkbck\nkbck\nkkkk", Keys{'k': wood[3], 'a': wood[0], 'b': wood[1], 'c': wood[2]})
}
