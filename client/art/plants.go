package main

import "image/color"

// Grass, flowers and what else grows flat on the ground.

// drawGrass is plain in the first variants and has ever more blades in the later ones.
func drawGrass(variant int) *Canvas {
	c := NewCanvas(tile, tile)
	c.Fill(0, 0, tile, tile, grass[1])
	light, dark := mix(grass[1], grass[0], 0.55), mix(grass[1], grass[2], 0.6)
	for y := range tile {
		for x := range tile {
			if n := noise(x, y, 100+variant); n < 0.02 {
				c.Put(x, y, light)
			} else if n > 0.975 {
				c.Put(x, y, dark)
			}
		}
	}
	for i := range 2 + variant/2 {
		x, y := 1+pick(i, variant, 3, 12), 2+pick(i, variant, 4, 11)
		blades(c, x, y, i+variant, light, dark)
	}
	return c
}

// blades is one tuft of three short blades of grass.
func blades(c *Canvas, x, y, kind int, light, dark color.NRGBA) {
	switch kind % 3 {
	case 0:
		c.Stamp(x, y, "a..\n.a.a\n.bab", Keys{'a': light, 'b': dark})
	case 1:
		c.Stamp(x, y, ".a\na.b\nab", Keys{'a': light, 'b': dark})
	default:
		c.Stamp(x, y, "b..b\n.b.b\n.bb", Keys{'b': dark})
	}
}

var petals = []Ramp{
	ramp(0xfff7f0, 0xffe3ea, 0xf2b8c8, 0xc9849f),
	ramp(0xfff3a0, 0xffd94f, 0xf0a83a, 0xb9702f),
	ramp(0xff9e8a, 0xf2564f, 0xbd3350, 0x862447),
	ramp(0xc9b6ff, 0x9a7ff0, 0x6f55c4, 0x4d3b8f),
}

// drawFlowers scatters three sizes of flower in each of four colours.
func drawFlowers(variant int) *Canvas {
	c := NewCanvas(tile, tile)
	petal := petals[variant%4]
	keys := Keys{'a': petal[0], 'b': petal[1], 'c': petal[2], 'y': gold[1], 'g': grass[3], 'l': leaf[2]}
	if variant%4 == 1 {
		keys['y'] = clothRust[1]
	}
	big := "..a..\n.aba.\nabybc\n.bcb.\n..c..\n..g..\n.lg.."
	mid := ".a.\nayb\n.c.\n.g."
	small := "ab\nbc\n.g"
	switch variant / 4 {
	case 0:
		c.Stamp(2, 2, mid, keys)
		c.Stamp(9, 6, mid, keys)
		c.Stamp(4, 11, small, keys)
	case 1:
		c.Stamp(1, 1, small, keys)
		c.Stamp(10, 2, small, keys)
		c.Stamp(5, 7, mid, keys)
		c.Stamp(12, 11, small, keys)
		c.Stamp(2, 12, small, keys)
	default:
		c.Stamp(3, 1, big, keys)
		c.Stamp(10, 7, mid, keys)
		c.Stamp(2, 11, small, keys)
	}
	return c
}

// drawTuft draws high grass, clover, stones and mushrooms.
func drawTuft(variant int) *Canvas {
	c := NewCanvas(tile, tile)
	keys := letters("abcd", grass).with(letters("lmno", leaf), letters("stuv", stone), letters("rRqQ", plumeRed),
		letters("wWxX", linen))
	arts := [tufts]string{
		"................\n................\n......a.........\n...a..a..a......\n...ab.ab.ab.....\n....b.bb.b......\n....cbbcbc......\n.....cccc.......",
		"................\n................\n................\n..a.............\n..a.a...........\n...bb.a.........\n...cb.b...a.....\n....ccc..a.a....\n..........bb....\n..........cc....",
		"................\n.....mm.........\n....mlmm........\n....mmnn..mm....\n.....nn..mlmm...\n..mm.....mmnn...\n.mlmm.....nn....\n.mmnn...........\n..nn............",
		"................\n................\n................\n......stt.......\n.....sttuu......\n.....ttuuv......\n......dddd......",
		"................\n..........st....\n.........stuu...\n....st....dd....\n...sttu.........\n...ttuu.........\n....ddd.........",
		"................\n................\n.....rrr........\n....rwrRR.......\n....rRRwQ.......\n......wx........\n......wx..rr....\n......dd.rwQ....\n..........x.....",
		"................\n.........l......\n........l.l.....\n....l..lm.mn....\n...l.l..mmn.....\n..lm.mn..n......\n...mmn...d......\n....n...........\n....d...........",
		"................\n................\n........aa......\n.......a..b.....\n...aa...bb......\n..a..b...c......\n...bb...........\n....c...........",
		"................\n................\n....a...a.......\n....a..a..a.....\n..a.ba.b.ab.....\n...bbabbab......\n...cbbbbbc......\n....ccccc.......",
		"................\n................\n................\n.....lm.........\n....lmmn........\n.....nn.........\n.........lm.....\n........lmmn....\n.........nn.....",
	}
	c.Stamp(pick(variant, 1, 2, 4), 3+pick(variant, 2, 2, 4), arts[variant], keys)
	return c
}

// drawCrop is a tile of a field with one of four vegetables in its rows.
func drawCrop(variant int) *Canvas {
	c := edged(all, 0, soilAt, nil)
	keys := letters("lmno", leaf).with(letters("abcd", autumn), letters("rRqQ", plumeRed), letters("yzZY", straw))
	plant := [crops]string{
		".lm.\nlmmn\n.nn.\n.aa.\n..b.", // carrots
		".ll.\nlmml\nmlmn\nmmnn\n.nn.", // cabbage
		".l..\n.mab\n.abc\nlbcd\n.cd.", // pumpkin
		"y.y.\nyzyz\n.zZZ\n.zZ.\n.nn.", // wheat
	}[variant]
	for i := range 3 {
		c.Stamp(5*i+pick(i, variant, 6, 2), 1, plant, keys)
		c.Stamp(5*i+1-pick(i, variant, 7, 2), 9, plant, keys)
	}
	return c
}

// drawLily is a lily pad or two on the water, the last ones in flower.
func drawLily(variant int) *Canvas {
	c := NewCanvas(tile, tile)
	pad := func(x, y int) {
		c.Stamp(x, y, "..llll..\n.llmmmm.\nllmmmnmm\nmmmm.nnn\n.nnn.nn.\n..wwww..",
			letters("lmno", leaf).with(Keys{'w': water[3]}))
	}
	switch variant {
	case 0:
		pad(4, 5)
	case 1:
		pad(0, 1)
		pad(8, 8)
	default:
		pad(2, 5)
		petal := petals[variant%2*2]
		c.Stamp(5, 3, ".a.\naya\nbcb", Keys{'a': petal[0], 'b': petal[1], 'c': petal[2], 'y': gold[1]})
		if variant == 3 {
			pad(9, 10)
		}
	}
	return c
}
