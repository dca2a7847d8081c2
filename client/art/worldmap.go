package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
)

const (
	scale   = 2
	unit    = tile * scale // one tile in world units
	mapLeft = -mapTiles * unit / 2
)

// Layer is one id per tile, row by row.
type Layer [mapTiles * mapTiles]uint8

func (l *Layer) at(tx, ty int) *uint8 { return &l[ty*mapTiles+tx] }

// MarshalJSON writes the run lengths that ART.md describes.
func (l *Layer) MarshalJSON() ([]byte, error) {
	var runs []byte
	for i := 0; i < len(l); {
		n := 1
		for n < 255 && i+n < len(l) && l[i+n] == l[i] {
			n++
		}
		runs = append(runs, uint8(n), l[i])
		i += n
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(runs))
}

// Animated is the range of ids whose tiles move.
type Animated struct {
	First   int     `json:"first"`
	Last    int     `json:"last"`
	Frames  int     `json:"frames"`
	Seconds float64 `json:"seconds"`
}

// World is world.json.
type World struct {
	Version  int      `json:"version"`
	Tile     int      `json:"tile"`
	Scale    int      `json:"scale"`
	Width    int      `json:"width"`
	Height   int      `json:"height"`
	Left     int      `json:"left"`
	Top      int      `json:"top"`
	Spawn    [2]int   `json:"spawn"`
	Columns  int      `json:"columns"`
	Animated Animated `json:"animated"`
	Ground   *Layer   `json:"ground"`
	Detail   *Layer   `json:"detail"`
	Swim     *Layer   `json:"swim"`
	Sprites  []Sprite `json:"sprites"`
	Objects  []int    `json:"objects"`
}

// newWorld makes the map out of the terrain and the sprites that may stand on it.
func newWorld(sprites []Sprite) (*World, error) {
	t := newTerrain()
	w := &World{
		Version: 1, Tile: tile, Scale: scale, Width: mapTiles, Height: mapTiles, Left: mapLeft, Top: mapLeft, Columns: tilesWide,
		Animated: Animated{First: waterTile, Last: waterTile + all*frames + frames - 1, Frames: frames, Seconds: 0.3},
		Ground:   &Layer{}, Detail: &Layer{}, Swim: &Layer{}, Sprites: sprites,
	}
	for y := range mapTiles {
		for x := range mapTiles {
			*w.Ground.at(x, y) = groundAt(t, x, y)
			*w.Detail.at(x, y) = detailAt(t, x, y)
		}
	}
	w.bridgeAcross(t, 14, 36, 0)
	w.bridgeDown(t, 24, 44, -1)
	for i, id := range w.Ground {
		lily := w.Detail[i] >= lilyTile
		bridge := w.Detail[i] >= bridgeTile && w.Detail[i] < bridgeTile+12
		if id == waterTile+all*frames && !bridge && !lily {
			w.Swim[i] = 1
		}
	}
	things, err := furnish(t, w)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(things, func(a, b placed) int { return cmp.Or(cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x)) })
	for _, p := range things {
		w.Objects = append(w.Objects, p.sprite, p.x, p.y)
	}
	return w, nil
}

func (w *World) encode() ([]byte, error) {
	var out bytes.Buffer
	err := json.NewEncoder(&out).Encode(w)
	return out.Bytes(), err
}

func groundAt(t *terrain, x, y int) uint8 {
	if m := t.water.mask(x, y); m != 0 {
		return uint8(waterTile + frames*m)
	}
	dirt, cobble := t.dirt.mask(x, y), t.cobble.mask(x, y)
	if cobble != 0 && cobble != all && dirt|cobble == all {
		return moreTile + 4 // a road runs into the square: dirt shows below the kerb
	}
	// Mostly plain grass, with more blades in some meadows than in others.
	lush := smooth(x, y, 9, 20)
	n := noise(x, y, 21)
	switch {
	case n < 0.94-0.2*lush:
		return grassTile + 1
	case n < 0.96:
		return uint8(grassTile + pick(x, y, 22, 4))
	}
	return uint8(grassTile + 4 + pick(x, y, 23, 4))
}

func detailAt(t *terrain, x, y int) uint8 {
	wet := t.water.mask(x, y)
	if wet == all {
		if t.nearWater(x, y, 0) && smooth(x, y, 4, 24) > 0.66 && noise(x, y, 25) < 0.3 && !deep(t, x, y) {
			return uint8(lilyTile + pick(x, y, 26, lilies))
		}
		return 0
	}
	if wet != 0 {
		return 0
	}
	more := func(first int) uint8 { return uint8(moreTile + first + pick(x, y, 27, 4)) }
	if m := t.cobble.mask(x, y); m != 0 {
		if m == all && noise(x, y, 28) < 0.6 {
			return more(0)
		}
		return uint8(cobbleTile + m)
	}
	if m := t.dirt.mask(x, y); m != 0 {
		if m == all && noise(x, y, 28) < 0.5 {
			return more(4)
		}
		return uint8(dirtTile + m)
	}
	if m := t.soil.mask(x, y); m != 0 {
		if m == all {
			return uint8(cropTile + (y/3+x/9)%crops)
		}
		return uint8(soilTile + m)
	}
	if m := t.sand.mask(x, y); m != 0 {
		if m == all && noise(x, y, 28) < 0.5 {
			return more(8)
		}
		return uint8(sandTile + m)
	}
	if m := t.wood.mask(x, y); m != 0 {
		return uint8(shadeTile + m)
	}
	// Flowers grow in patches of one colour, tufts and stones anywhere.
	if smooth(x, y, 5, 29) > 0.68 && noise(x, y, 30) < 0.5 {
		colour := int(smooth(x, y, 14, 31)*7.9) % 4
		return uint8(flowerTile + colour + 4*pick(x, y, 32, 3))
	}
	if noise(x, y, 33) < 0.07 {
		return uint8(tuftTile + pick(x, y, 34, tufts))
	}
	return 0
}

// deep says whether the shore is more than two tiles away.
func deep(t *terrain, x, y int) bool {
	for j := -2; j <= 3; j++ {
		for i := -2; i <= 3; i++ {
			if !t.water.has(x+i, y+j) {
				return false
			}
		}
	}
	return true
}

// bridgeAcross lays a bridge over the water between two columns, on the two rows above and below row y. Places are tiles
// from the middle of the world.
func (w *World) bridgeAcross(t *terrain, from, to, y int) {
	first, last := mapTiles, -1
	for x := from + middle; x <= to+middle; x++ {
		for row := range 2 {
			if t.water.mask(x, y+middle-1+row) != 0 {
				first, last = min(first, x), max(last, x)
			}
		}
	}
	for x := first; x <= last; x++ {
		part := 1
		if x == first {
			part = 0
		} else if x == last {
			part = 2
		}
		for row := range 2 {
			*w.Detail.at(x, y+middle-1+row) = uint8(bridgeTile + 3*row + part)
		}
	}
}

// bridgeDown lays a bridge over the water between two rows, on the two columns left and right of column x.
func (w *World) bridgeDown(t *terrain, from, to, x int) {
	first, last := mapTiles, -1
	for y := from + middle; y <= to+middle; y++ {
		for column := range 2 {
			if t.water.mask(x+middle-1+column, y) != 0 {
				first, last = min(first, y), max(last, y)
			}
		}
	}
	for y := first; y <= last; y++ {
		part := 1
		if y == first {
			part = 0
		} else if y == last {
			part = 2
		}
		for column := range 2 {
			*w.Detail.at(x+middle-1+column, y) = uint8(bridgeTile + 6 + 3*column + part)
		}
	}
}
