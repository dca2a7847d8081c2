package main

import "image/color"

// plan says how a house is built. Lengths are art pixels.
type plan struct {
	name         string
	w            int // outer width of the roof
	roofH, wallH int
	roof         Ramp
	walls        Ramp
	timber       bool
	stories      int
	windows      int // per floor, beside the door
	sign         string
	flowerBox    bool
	stoneWalls   bool
}

var plans = []plan{
	{name: "tavern", w: 128, roofH: 44, wallH: 56, roof: roofRed, walls: plaster, timber: true, stories: 2, windows: 4, sign: mug, flowerBox: true},
	{name: "cottage-red", w: 80, roofH: 36, wallH: 30, roof: roofRed, walls: plaster, timber: true, stories: 1, windows: 2, flowerBox: true},
	{name: "cottage-blue", w: 80, roofH: 36, wallH: 30, roof: roofSea, walls: linen, timber: true, stories: 1, windows: 2},
	{name: "cottage-hay", w: 72, roofH: 38, wallH: 28, roof: roofHay, walls: plaster, stories: 1, windows: 2, flowerBox: true},
	{name: "smithy", w: 88, roofH: 36, wallH: 32, roof: ramp(0xa7a3c4, 0x78739a, 0x585377, 0x3e3a58), walls: stone, stories: 1, windows: 2, sign: anvil, stoneWalls: true},
	{name: "townhouse", w: 72, roofH: 38, wallH: 54, roof: roofFir, walls: linen, timber: true, stories: 2, windows: 2, flowerBox: true},
}

func houses() []Thing {
	var out []Thing
	for i, p := range plans {
		out = append(out, build(p, i))
	}
	return append(out, smoke())
}

const (
	eaves        = 5  // how far the roof stands out on either side
	chimneyRight = 13 // from the middle of a house to that of its chimney
)

func build(p plan, seed int) Thing {
	const margin = 2
	h := margin + 10 + p.roofH + p.wallH + 4
	c := NewCanvas(p.w+2*margin, h)
	left, ground := margin+eaves, h-4
	wallTop := ground - p.wallH
	roofTop := wallTop - p.roofH + 6
	width := p.w - 2*eaves

	chimney(c, margin+p.w/2+chimneyRight-5, roofTop-8)
	walls(c, p, left, wallTop, width)
	for floor := range p.stories {
		floorH := p.wallH / p.stories
		top := wallTop + floor*floorH
		openings(c, p, left, top, width, floorH, floor == p.stories-1)
	}
	roof(c, p, margin, roofTop, seed)
	c.Outline()
	// The shade on the ground, to the right and below.
	for y := ground - 8; y < ground+3; y++ {
		for x := left; x < left+width+5; x++ {
			if !c.Solid(x, y) && (y >= ground || x >= left+width) {
				c.Put(x, y, rgba(0x1c2a4a, 70))
			}
		}
	}
	return still(p.name, c, 3)
}

func walls(c *Canvas, p plan, left, top, width int) {
	const base = 5 // rows of foundation stones
	for y := top; y < top+p.wallH; y++ {
		for x := left; x < left+width; x++ {
			tone := p.walls[1]
			if p.stoneWalls {
				tone = masonry(x, y, p.walls)
			} else if noise(x/3, y/2, 300) < 0.12 {
				tone = mix(p.walls[1], p.walls[2], 0.45)
			}
			switch {
			case y >= top+p.wallH-base:
				tone = masonry(x, y, stone)
			case y < top+4:
				tone = mix(tone, p.walls[3], 0.6) // under the eaves
			case y < top+7:
				tone = mix(tone, p.walls[2], 0.7)
			case x >= left+width-3:
				tone = mix(tone, p.walls[2], 0.6)
			}
			c.Put(x, y, tone)
		}
	}
	if !p.timber {
		return
	}
	beam := func(x, y, w, h int) {
		c.Fill(x, y, w, h, wood[2])
		if w > h {
			c.Fill(x, y, w, 1, wood[1])
			c.Fill(x, y+h-1, w, 1, wood[3])
		} else {
			c.Fill(x, y, 1, h, wood[1])
			c.Fill(x+w-1, y, 1, h, wood[3])
		}
	}
	for floor := range p.stories {
		y := top + floor*p.wallH/p.stories
		if floor > 0 {
			beam(left, y-1, width, 4)
		}
	}
	for _, x := range []int{left, left + width - 3} {
		beam(x, top, 3, p.wallH-base)
	}
	beam(left, top+p.wallH-base-2, width, 3)
}

// masonry is a wall of cut stones, five rows high each.
func masonry(x, y int, r Ramp) color.NRGBA {
	row := y / 5
	shifted := x + row%2*4 + pick(row, 0, 301, 3)
	switch {
	case y%5 == 4 || shifted%9 == 8:
		return r[3]
	case y%5 == 0:
		return r[0]
	case noise(shifted/9, row, 302) < 0.4:
		return mix(r[1], r[2], 0.6)
	}
	return r[1]
}

// openings puts the windows of a floor and, on the ground floor, the door.
func openings(c *Canvas, p plan, left, top, width, height int, ground bool) {
	mid := left + width/2
	places := map[int][]int{2: {-width / 3, width / 3}, 4: {-width * 3 / 8, -width / 5, width / 5, width * 3 / 8}}[p.windows]
	if !ground && p.windows == 4 {
		places = append(places, 0)
	}
	for _, dx := range places {
		if ground && p.sign != "" && dx > 0 && dx < 32 {
			continue // the sign hangs there
		}
		window(c, mid+dx-6, top+height/2-6, p.flowerBox)
	}
	if !ground {
		return
	}
	door(c, mid-7, top+height-21)
	if p.sign != "" {
		hangingSign(c, mid+11, top+6, p.sign)
	}
}

func window(c *Canvas, x, y int, flowers bool) {
	c.Stamp(x, y, `
kkkkkkkkkkkk
kaaaaaaaaaak
kaggggkggggk
kagwggkgwggk
kagggckgggck
kakkkkkkkkkk
kaggcgkggcgk
kagcggkgcggk
kabbbbbbbbbk
kkkkkkkkkkkk
`, Keys{'k': wood[3], 'a': wood[1], 'b': wood[0], 'g': glass[1], 'w': glass[0], 'c': glass[2]})
	if flowers {
		c.Stamp(x-1, y+7, `
..r..y..r..y..
.lrlylrllrylr.
.llmllmllmllm.
kaaaaaaaaaaaak
kbbbbbbbbbbbbk
.kkkkkkkkkkkk.
`, Keys{'k': wood[3], 'a': wood[1], 'b': wood[2], 'r': plumeRed[0], 'y': gold[1], 'l': leaf[1], 'm': leaf[2]})
	}
}

func door(c *Canvas, x, y int) {
	c.Stamp(x, y, `
...kkkkkkkk...
.kksssssssskk.
ksssddddddsssk
kssdaaddaaddsk
ksdaabdaabddsk
ksdabbdabbddsk
ksdabbdabbddsk
ksdabbdabbddsk
ksdabbdabbddsk
ksdabbdabbddsk
ksdabbdabgddsk
ksdabbdabgddsk
ksdabbdabbddsk
ksdabbdabbddsk
ksdabbdabbddsk
ksdabbdabbddsk
ksdabbdabbddsk
kttttttttttttk
kttttttttttttk
kuuuuuuuuuuuuk
kkkkkkkkkkkkkk
`, Keys{'k': wood[3], 's': stone[1], 'd': wood[3], 'a': wood[1], 'b': wood[2], 'g': gold[1], 't': stone[0], 'u': stone[2]})
}

const (
	mug = `
yyyyyy...
wwwwww.g.
gwwgwwggg
gggggg..g
gcgcgg..g
gcgcgg.gg
gcgcgggg.
GGGGGG...`
	anvil = `
.........
sssssssss
.sssssss.
..tttss..
...ttt...
...ttt...
..ttttt..
.uuuuuuu.`
)

// hangingSign is a board on an iron arm.
func hangingSign(c *Canvas, x, y int, picture string) {
	c.Fill(x, y, 15, 2, stone[3])
	c.Fill(x+3, y+2, 1, 2, stone[3])
	c.Fill(x+12, y+2, 1, 2, stone[3])
	c.Fill(x, y+4, 16, 14, wood[3])
	c.Fill(x+1, y+5, 14, 12, plank[2])
	c.Fill(x+1, y+5, 14, 1, plank[0])
	c.Stamp(x+3, y+7, picture, Keys{'y': rgb(0xffffff), 'w': linen[1], 'g': gold[1], 'c': gold[0], 'G': gold[3],
		's': clothCoal[1], 't': clothCoal[2], 'u': clothCoal[3]})
}

func chimney(c *Canvas, x, y int) {
	for j := range 22 {
		for i := range 11 {
			c.Put(x+i, y+j, masonry(x+i, y+j, ramp(0xd99a84, 0xb56f62, 0x8c4f52, 0x653845)))
		}
	}
	c.Fill(x-1, y, 13, 3, stone[1])
	c.Fill(x-1, y, 13, 1, stone[0])
	c.Fill(x+2, y, 7, 1, ink)
}

// roof is a slope of rounded shingles, narrower at the ridge, with a board along its edge.
func roof(c *Canvas, p plan, left, top, seed int) {
	const ridgeInset = 9
	for y := range p.roofH {
		inset := ridgeInset - ridgeInset*y/p.roofH
		if y > p.roofH-4 {
			inset = 0
		}
		for x := inset; x < p.w-inset; x++ {
			c.Put(left+x, top+y, shingle(x, y, p, seed))
		}
		for i := range 2 { // the boards of the gable ends
			c.Put(left+inset+i, top+y, mix(p.roof[3], p.roof[2], 0.4*float64(i)))
			c.Put(left+p.w-1-inset-i, top+y, p.roof[3])
		}
	}
	c.Fill(left+ridgeInset-1, top-2, p.w-2*ridgeInset+2, 3, p.roof[2])
	c.Fill(left+ridgeInset-1, top-2, p.w-2*ridgeInset+2, 1, p.roof[0])
	c.Fill(left, top+p.roofH-2, p.w, 2, p.roof[3])
}

func shingle(x, y int, p plan, seed int) color.NRGBA {
	const high, wide = 5, 7
	row := y / high
	sx := x + row%2*wide/2
	n := noise(sx/wide, row, 310+seed)
	base := p.roof[1]
	switch {
	case n < 0.16:
		base = mix(p.roof[1], p.roof[2], 0.55)
	case n > 0.86:
		base = mix(p.roof[1], p.roof[0], 0.5)
	}
	light := 0.14 - 0.3*float64(y)/float64(p.roofH)
	in, across := y%high, sx%wide
	switch {
	case in == high-1 || in == high-2 && (across == 0 || across == wide-1):
		return mix(p.roof[2], p.roof[3], 0.5)
	case across == wide-1:
		return p.roof[2]
	case in == 0:
		return mix(base, p.roof[2], 0.35)
	case in == high-2 && across < 4:
		return mix(base, p.roof[0], 0.55)
	case light > 0:
		return mix(base, p.roof[0], light)
	}
	return mix(base, p.roof[2], -light)
}

// smoke rises from a chimney in four frames.
func smoke() Thing {
	var all []*Canvas
	for f := range frames {
		c := NewCanvas(18, 30)
		for i := range 4 {
			age := float64(i) + float64(f)/frames
			x, y := 8+1.6*age-0.5*float64(i%2), 27-6.4*age
			r := 1.8 + 1.1*age
			alpha := [frames]uint8{170, 130, 90, 50}[i]
			Ellipse(x, y, r, r*0.9, func(px, py int, u, v float64) {
				if u+v > 0.5 {
					c.Put(px, py, rgba(0xd8d0cc, alpha))
				} else {
					c.Put(px, py, rgba(0xf8f4ee, alpha))
				}
			})
		}
		all = append(all, c)
	}
	return Thing{name: "smoke", frames: all, ax: 8, ay: 29}
}
