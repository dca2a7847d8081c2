package main

import (
	"image/color"
	"math"
)

// clump is a ball of leaves.
type clump struct{ x, y, r float64 }

func trees() []Thing {
	round := []clump{{13, 27, 9}, {35, 27, 9}, {24, 31, 11}, {14, 18, 9}, {34, 18, 9}, {24, 13, 11}, {24, 22, 12}}
	tall := []clump{{12, 30, 8}, {28, 30, 8}, {20, 33, 9}, {13, 20, 8}, {27, 20, 8}, {20, 11, 8}, {20, 24, 10}}
	small := []clump{{10, 17, 7}, {22, 17, 7}, {16, 11, 8}, {16, 18, 8}}
	birch := Ramp{rgb(0xfdf6ea), rgb(0xe6dccf), rgb(0xb9a9ab), rgb(0x7c6c80)}
	return []Thing{
		leafy("oak", 48, 56, round, leaf, bark, 7, 1, nil),
		leafy("oak-dark", 48, 56, round, ramp(0x6fb957, 0x468f4a, 0x2f6d47, 0x205045), bark, 7, 2, nil),
		leafy("apple", 48, 56, round, leaf, bark, 7, 3, plumeRed[:]),
		leafy("maple", 48, 56, round, autumn, bark, 7, 4, nil),
		leafy("cherry", 48, 56, round, blossom, bark, 6, 5, nil),
		leafy("birch", 40, 58, tall, ramp(0xd3e26a, 0xa3c850, 0x70a34a, 0x4a7d4a), birch, 4, 6, nil),
		leafy("sapling", 32, 36, small, leaf, bark, 4, 7, nil),
		conifer("pine", 34, 62, 5, pine, 1),
		conifer("pine-young", 26, 42, 4, ramp(0x7cc06a, 0x4c9a5c, 0x347652, 0x245549), 2),
		bush("bush", leaf, nil, 1),
		bush("bush-dark", ramp(0x6fb957, 0x468f4a, 0x2f6d47, 0x205045), nil, 2),
		bush("berries", leaf, plumeRed[:], 3),
		bush("roses", ramp(0x6fb957, 0x468f4a, 0x2f6d47, 0x205045), blossom[:], 4),
		reeds(), stump(), log(),
	}
}

// leaves draws balls of leaves, the first at the back. The light comes from the upper left.
func leaves(c *Canvas, clumps []clump, r Ramp, seed int) {
	for i, b := range clumps {
		Ellipse(b.x, b.y, b.r+1, b.r+1, func(x, y int, u, v float64) {
			angle := int(math.Floor(math.Atan2(v, u) * 4))
			radius := math.Hypot(u, v) * (b.r + 1)
			if radius > b.r-0.8+1.8*noise(angle, i, seed) {
				return
			}
			tone := 0.62 - 0.42*v - 0.26*u + 0.42*(noise(x/2, (y+x%2)/2, seed+i)-0.5)
			if radius > b.r-1.5 && v > 0.1 {
				tone -= 0.3
			}
			c.Put(x, y, r.at(tone))
		})
	}
}

// leafy is a tree with a round crown; fruit, when given, hangs in it.
func leafy(name string, w, h int, crown []clump, r, trunk Ramp, girth, seed int, fruit []color.NRGBA) Thing {
	c := NewCanvas(w, h)
	mid := w / 2
	for y := h - 26; y < h-3; y++ {
		flare := max(0, y-(h-7))
		for x := mid - girth/2 - flare; x < mid-girth/2+girth+flare; x++ {
			tone := 0.75 - 0.7*float64(x-mid+girth/2+flare)/float64(girth+2*flare) - 0.25*noise(x, y/3, seed)
			col := trunk.at(tone)
			if y < h-15 {
				col = mix(col, trunk[3], 0.45) // in the shade of the crown
			}
			c.Put(x, y, col)
		}
	}
	leaves(c, crown, r, 200+seed)
	for i := 0; fruit != nil && i < 9; i++ {
		b := crown[i%len(crown)]
		x, y := int(b.x)-5+pick(i, seed, 8, 10), int(b.y)-3+pick(i, seed, 9, 8)
		c.Stamp(x, y, "ab\nbc", Keys{'a': fruit[0], 'b': fruit[1], 'c': fruit[2]})
	}
	c.Outline()
	shadow(c, float64(mid), float64(h)-4, float64(w)*0.36, 3.6)
	return still(name, c, 4)
}

// conifer is a tree of ever wider skirts of needles.
func conifer(name string, w, h, tiers int, r Ramp, seed int) Thing {
	c := NewCanvas(w, h)
	mid := float64(w) / 2
	c.Fill(w/2-2, h-10, 4, 7, bark[2])
	c.Fill(w/2-2, h-10, 1, 7, bark[1])
	crown := float64(h - 9)
	for t := tiers - 1; t >= 0; t-- {
		top := crown * float64(t) / float64(tiers) * 0.86
		bottom := crown*float64(t+1)/float64(tiers) + 2
		wide := (mid - 2) * (0.42 + 0.58*float64(t+1)/float64(tiers))
		for y := int(top); y < int(bottom); y++ {
			share := (float64(y) - top) / (bottom - top)
			half := wide * math.Pow(share, 0.85)
			for x := int(mid - half); x <= int(mid+half); x++ {
				u := (float64(x) + 0.5 - mid) / math.Max(half, 1)
				if bottom-float64(y) < 3 && noise(x/2, t, 210+seed) < 0.35+0.2*math.Abs(u) && y == int(bottom)-1 {
					continue // the ragged hem
				}
				tone := 0.6 - 0.34*u - 0.35*(share-0.4) + 0.4*(noise(x, y/2, 220+seed)-0.5)
				if share > 0.86 {
					tone -= 0.22
				}
				c.Put(x, y+1, r.at(tone))
			}
		}
	}
	c.Outline()
	shadow(c, mid, float64(h)-4, mid*0.75, 3.4)
	return still(name, c, 4)
}

func bush(name string, r Ramp, fruit []color.NRGBA, seed int) Thing {
	c := NewCanvas(26, 20)
	leaves(c, []clump{{7, 11, 5}, {19, 11, 5}, {13, 8, 6}, {13, 12, 5}}, r, 230+seed)
	for i := 0; fruit != nil && i < 7; i++ {
		c.Stamp(5+pick(i, seed, 10, 15), 4+pick(i, seed, 11, 9), "ab\nbc", Keys{'a': fruit[0], 'b': fruit[1], 'c': fruit[2]})
	}
	c.Outline()
	shadow(c, 13, 16.5, 11, 2.8)
	return still(name, c, 3)
}

// reeds bend a little, each blade its own way, and some bear a brown head.
func reeds() Thing {
	c := NewCanvas(22, 24)
	for i := range 7 {
		foot, top := 3+float64(i)*2.6, 3+pick(i, 1, 12, 9)
		lean := (float64(i) - 3) * 0.55
		for y := 21; y >= top; y-- {
			share := float64(21-y) / 20
			x := int(foot + lean*share*share*2)
			col := mix(leaf[2], leaf[0], share*0.8)
			if y > 18 {
				col = leaf[3]
			}
			c.Put(x, y, col)
			if y > top+5 {
				c.Put(x+1, y, mix(col, leaf[3], 0.45))
			}
			if i%2 == 1 && y < top+5 {
				c.Put(x, y, bark[1])
				c.Put(x+1, y, bark[2])
			}
		}
	}
	Ellipse(11, 21.5, 10, 1.6, func(x, y int, _, _ float64) {
		if !c.Solid(x, y) {
			c.Put(x, y, rgba(0x1b3a52, 90))
		}
	})
	return still("reeds", c, 2)
}

func stump() Thing {
	c := NewCanvas(20, 16)
	c.Stamp(2, 2, `
....aaaaaaaa....
..aabbbbbbbbaa..
..abcccccccbba..
..abcbbbbcccba..
..aabbccbbbbaa..
..deaaaaaaaaff..
..deeefeeeffff..
..deeefeeeffff..
.ddeeffeeefffff.
.dee.eefff..fff.
`, letters("abc", plank).with(letters("def", bark)))
	c.Outline()
	shadow(c, 10, 12.5, 9, 2.6)
	return still("stump", c, 3)
}

func log() Thing {
	c := NewCanvas(34, 16)
	for y := range 8 {
		tone := []float64{0.8, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2, 0.1}[y]
		for x := 6; x < 30; x++ {
			c.Put(x, 4+y, bark.at(tone-0.25*noise(x/3, y, 240)))
		}
	}
	Ellipse(6, 8, 3.2, 4.2, func(x, y int, u, v float64) {
		if d := math.Hypot(u, v); d < 0.35 || d > 0.62 && d < 0.85 {
			c.Put(x, y, plank[2])
		} else {
			c.Put(x, y, plank[0])
		}
	})
	c.Stamp(18, 2, ".ll.\nlmmm\n.mn.", letters("lmno", leaf))
	c.Outline()
	shadow(c, 17, 12.5, 15, 2.4)
	return still("log", c, 3)
}
