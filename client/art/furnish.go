package main

import "fmt"

// placed is a sprite at a world place.
type placed struct{ sprite, x, y int }

// furniture collects what stands on the map and keeps trees away from it.
type furniture struct {
	index  map[string]int
	placed []placed
	taken  [mapTiles][mapTiles]bool
	err    error
}

// put places a sprite by tiles from the middle of the world; .5 is the middle of a tile.
func (f *furniture) put(name string, x, y float64) {
	i, ok := f.index[name]
	if !ok {
		f.err = fmt.Errorf("no sprite %q", name)
		return
	}
	f.placed = append(f.placed, placed{i, int(x * unit), int(y * unit)})
}

// clear keeps the tiles of a rectangle free of trees.
func (f *furniture) clear(x, y, w, h int) {
	for j := y; j < y+h; j++ {
		for i := x; i < x+w; i++ {
			if tx, ty := i+middle, j+middle; tx >= 0 && ty >= 0 && tx < mapTiles && ty < mapTiles {
				f.taken[ty][tx] = true
			}
		}
	}
}

// house places a house with smoke above its chimney and clears its ground.
func (f *furniture) house(name string, x, y float64) {
	f.put(name, x, y)
	f.put("smoke-"+name, x, y+1.0/unit)
	f.clear(int(x)-5, int(y)-7, 10, 9)
}

// fence surrounds a rectangle of whole tiles but for a gate in the middle of its lower side.
func (f *furniture) fence(x, y, w, h int) {
	for i := range w {
		f.put("fence", float64(x+i)+0.5, float64(y))
		if i != w/2 {
			f.put("fence", float64(x+i)+0.5, float64(y+h))
		}
	}
	for j := range h {
		f.put("fence-down", float64(x), float64(y+j)+0.9)
		f.put("fence-down", float64(x+w), float64(y+j)+0.9)
	}
	f.clear(x-1, y-1, w+2, h+3)
}

// furnish places everything that stands on the map.
func furnish(t *terrain, w *World) ([]placed, error) {
	f := &furniture{index: map[string]int{}}
	for i, s := range w.Sprites {
		f.index[s.Name] = i
	}
	village(f)
	farm(f)
	outskirts(f)
	scatter(f, t)
	return f.placed, f.err
}

func village(f *furniture) {
	f.clear(-11, -11, 22, 20)
	f.house("tavern", 0, -6.8)
	f.house("cottage-red", -13.5, -4)
	f.house("cottage-blue", 14, -4)
	f.house("smithy", -14, 7)
	f.house("townhouse", 14, 8)
	f.house("cottage-hay", -6.5, 13)
	f.house("cottage-red", 7, 13.6)
	f.house("cottage-blue", 34, -6)
	f.house("cottage-hay", -31, 5)

	f.put("fountain", 0, -2.7)
	f.put("stall-red", -6.8, -2.6)
	f.put("stall-blue", 6.8, -2.6)
	f.put("well", 7.4, 3.6)
	f.put("cart", -7.6, 3.4)
	f.put("crates", -9.1, -3.2)
	f.put("crate", 9.1, -3.1)
	f.put("barrel", 10, -2.8)
	f.put("signpost", 13.2, -1.6)
	f.put("signpost", 1.8, 8.2)
	for _, x := range []float64{-1, 1} {
		f.put("lamp", 4.0*x, -4.2)
		f.put("lamp", 9.2*x, -1.4)
		f.put("lamp", 4.6*x, 5.8)
		f.put("bench", 2.8*x, 6.1)
		f.put("pot", 2.26*x, -6.4)
		f.put("roses", 3.2*x+0.1, -1.9)
	}
	f.put("table", -5.8, -5.5)
	f.put("table", 5.9, -5.6)
	f.put("barrel", 4.9, -6.9)
	f.put("barrel", 5.6, -6.6)
	f.put("crate", -5.1, -6.7)
	f.put("barrel", -11, 7.1)
	f.put("milestone", -17, -1.6)
	for _, x := range []float64{-16.2, -11, 11.6, 16.4} {
		f.put("bush", x, -3.7)
	}
	f.put("pot", -12.76, -3.8)
	f.put("pot", 14.74, -3.8)
	f.put("berries", 16.4, 8.4)
	f.put("cherry", 10.6, 6.6)
	f.put("cherry", -10, -5.6)
	f.put("apple", 10.4, -6)
	f.put("cherry", -3, 9.6)
	f.put("oak", 3.4, 10.2)
}

func farm(f *furniture) {
	f.fence(-35, 8, 10, 14)
	f.fence(-24, 21, 11, 8)
	f.put("windmill", -19.4, 15.6)
	f.clear(-26, 8, 12, 11)
	f.put("scarecrow", -30, 11.4)
	f.put("scarecrow", -18.6, 24.6)
	f.put("haystack", -23.6, 14)
	f.put("haystack", -22.4, 12.9)
	f.put("haystack", -16.2, 12.8)
	f.put("cart", -23.2, 19.4)
	f.put("barrel", -16.4, 14.2)
	// The orchard, beyond the river.
	for j := range 4 {
		for i := range 5 {
			f.put("apple", float64(32+3*i), 6.5+3*float64(j))
		}
	}
	f.clear(30, 3, 16, 15)
	f.put("crates", 31.2, 5)
	f.put("crate", 45, 12.6)
}

func outskirts(f *furniture) {
	// The camp in the wood.
	f.clear(-39, -43, 10, 8)
	f.put("campfire", -34, -39.5)
	f.put("log", -36.2, -39)
	f.put("log", -31.8, -40)
	f.put("stump", -34.4, -41.2)
	f.put("stump", -32.6, -38)
	// The ring of stones.
	f.clear(44, -41, 13, 10)
	for _, at := range [7][2]float64{{50, -39.4}, {53, -38.6}, {54.4, -36.4}, {53.2, -34.2}, {47, -34.2}, {45.6, -36.4}, {47.2, -38.6}} {
		f.put("boulder", at[0], at[1])
	}
	f.put("milestone", 50, -36)
	// The lake: a boat, an island with a tree, a place to sit.
	f.put("boat", 13.4, 36.2)
	f.put("cherry", 25, 45)
	f.put("rock", 27.4, 45.4)
	f.put("bench", 10.4, 29.4)
	f.put("barrel", 15.4, 29.2)
	f.clear(7, 27, 11, 6)
	// The end of the northern path.
	f.clear(-4, -54, 9, 7)
	f.put("bench", 0, -51)
	f.put("milestone", 1.8, -50.8)
	f.put("lamp", -2, -50.9)
	for i := range 6 { // an avenue of cherry trees along the eastern road
		f.put("cherry", 31.2+2.6*float64(i)*0.9, 2.9)
	}
}
