package main

import "math"

// What stands about in the village and its surroundings.
func props() []Thing {
	return []Thing{
		fountain(), well(), signpost(), lamp(), barrel(), crate(), crates(), stall("stall-red", plumeRed), stall("stall-blue", clothBlue),
		fenceAcross(), fenceDown(), fencePost(), bench(), cart(), haystack(), scarecrow(), campfire(), boat(),
		rock("rock", 20, 16, 7.5, 5.5, 1), rock("boulder", 34, 28, 14, 11, 2), rock("pebbles", 14, 10, 4.5, 3, 3),
		pot(), milestone(), windmill(), table(),
	}
}

func finish(name string, c *Canvas, lift int, rx, ry float64) Thing {
	c.Outline()
	shadow(c, float64(c.Width())/2, float64(c.Height()-lift), rx, ry)
	return still(name, c, lift)
}

func rock(name string, w, h int, rx, ry float64, seed int) Thing {
	c := NewCanvas(w, h)
	cx, cy := float64(w)/2, float64(h)-4-ry
	block := func(cx, cy, rx, ry float64, seed int) {
		Ellipse(cx, cy, rx, ry, func(x, y int, u, v float64) {
			// Three facets: the top, the left and the right face.
			tone := 0.55
			switch {
			case v < -0.15-0.35*math.Abs(u+0.2):
				tone = 0.85
			case u > 0.25+0.2*v:
				tone = 0.24
			}
			if v > 0.72 {
				tone -= 0.25
			}
			c.Put(x, y, stone.at(tone+0.3*(noise(x/2, y/2, 400+seed)-0.5)))
		})
	}
	if w > 30 {
		block(cx+rx*0.55, cy+ry*0.3, rx*0.5, ry*0.68, seed+1)
		block(cx-rx*0.62, cy+ry*0.48, rx*0.4, ry*0.5, seed+2)
		block(cx-rx*0.05, cy, rx*0.7, ry, seed)
	} else {
		block(cx, cy, rx, ry, seed)
	}
	c.Stamp(int(cx-rx), int(cy+ry)-2, "m.m\nmmn", Keys{'m': grass[2], 'n': grass[3]})
	return finish(name, c, 3, rx+1.5, 2.6)
}

func signpost() Thing {
	c := NewCanvas(30, 34)
	c.Fill(13, 3, 4, 28, wood[2])
	c.Fill(13, 3, 1, 28, wood[0])
	c.Stamp(2, 6, `
...bbbbbbbbbbbbbbbbbbbb
..baaaaaaaaaaaaaaaaaaab
.baakkkakkaakkkakaaaaab
bcccccccccccccccccccccb
.bdddddddddddddddddddd.
`, letters("abcd", plank).with(Keys{'k': wood[3]}))
	c.Stamp(6, 14, `
bbbbbbbbbbbbbbbbbbb...
baaaaaaaaaaaaaaaaaab..
baakkakkkakkkakkaaaab.
bccccccccccccccccccccb
.ddddddddddddddddddd..
`, letters("abcd", plank).with(Keys{'k': wood[3]}))
	return finish("signpost", c, 3, 6, 2.4)
}

func lamp() Thing {
	c := NewCanvas(16, 40)
	c.Fill(7, 14, 2, 22, clothCoal[2])
	c.Fill(7, 14, 1, 22, clothCoal[0])
	c.Fill(5, 34, 6, 3, clothCoal[2])
	c.Stamp(3, 2, `
....kk....
...kkkk...
..kkkkkk..
.kkkkkkkk.
..gwwggc..
..gwggcc..
..gwggcc..
..ggggcc..
...kkkk...
....kk....
`, Keys{'k': clothCoal[2], 'g': glass[1], 'w': glass[0], 'c': glass[2]})
	return finish("lamp", c, 3, 6, 2.2)
}

const barrelArt = `
...cccccc...
.ccbbbbbbcc.
.cabbbbbbcc.
.bccccccccb.
kkkkkkkkkkkk
abbcbbcbbccd
abbcbbcbbccd
abbcbbcbbccd
kkkkkkkkkkkk
abbcbbcbbccd
abbcbbcbbccd
.bbcbbcbbcc.
.kkkkkkkkkk.
..cccccccc..
`

const crateArt = `
aaaaaaaaaaaaaa
abbbbbbbbbbbbc
kkkkkkkkkkkkkk
abakkbkkbkabac
abbakbkkbabbac
abkbabkbabkbac
abkkbaabakkbac
abkkbbabakkbac
abkbabkbabkbac
abbabbkkbabbac
abakkbkkbkabac
kccccccccccccd
kkkkkkkkkkkkkk
`

func barrel() Thing {
	c := NewCanvas(18, 22)
	c.Stamp(3, 3, barrelArt, letters("abcd", wood).with(Keys{'k': clothCoal[1]}))
	return finish("barrel", c, 4, 8, 2.6)
}

func crate() Thing {
	c := NewCanvas(20, 22)
	c.Stamp(3, 4, crateArt, letters("abcd", plank).with(Keys{'k': wood[3]}))
	return finish("crate", c, 4, 9, 2.6)
}

func crates() Thing {
	c := NewCanvas(36, 34)
	keys := letters("abcd", plank).with(Keys{'k': wood[3]})
	c.Stamp(2, 16, crateArt, keys)
	c.Stamp(18, 16, crateArt, keys)
	c.Stamp(9, 3, crateArt, keys)
	return finish("crates", c, 4, 17, 3)
}

func fenceAcross() Thing {
	c := NewCanvas(16, 18)
	for _, y := range []int{5, 10} {
		c.Fill(0, y-1, 16, 1, wood[3])
		c.Fill(0, y, 16, 1, wood[0])
		c.Fill(0, y+1, 16, 1, wood[1])
		c.Fill(0, y+2, 16, 1, wood[3])
	}
	stake(c, 6)
	shadow(c, 8, 16, 8, 1.2)
	return still("fence", c, 2)
}

func fenceDown() Thing {
	c := NewCanvas(8, 26)
	c.Fill(2, 2, 1, 22, wood[3])
	c.Fill(3, 2, 1, 22, wood[0])
	c.Fill(4, 2, 1, 22, wood[1])
	c.Fill(5, 2, 1, 22, wood[3])
	post := NewCanvas(8, 26)
	stake(post, 2)
	c.Paste(post, 0, 8)
	return still("fence-down", c, 2)
}

func fencePost() Thing {
	c := NewCanvas(8, 18)
	stake(c, 2)
	return still("fence-post", c, 2)
}

func stake(c *Canvas, x int) {
	c.Stamp(x, 1, ".kk.\nkabk\nkabk\nkabk\nkbck\nkabk\nkabk\nkabk\nkbck\nkbck\nkbck\nkbck\nkbck\nkbck\nkkkk",
		Keys{'k': wood[3], 'a': wood[0], 'b': wood[1], 'c': wood[2]})
}

func bench() Thing {
	c := NewCanvas(34, 20)
	c.Stamp(2, 3, `
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
bbbbbbbbbbbbbbbbbbbbbbbbbbbbbc
.d.......................d....
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
bbbbbbbbbbbbbbbbbbbbbbbbbbbbbc
dddddddddddddddddddddddddddddd
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
bbbbbbbbbbbbbbbbbbbbbbbbbbbbbc
.cd......................cd...
.cd......................cd...
.cd......................cd...
`, letters("abcd", plank))
	return finish("bench", c, 4, 16, 2.6)
}

func table() Thing {
	c := NewCanvas(36, 28)
	for x := 3; x < 33; x++ {
		for y := 6; y < 15; y++ {
			c.Put(x, y, boardAt(y*2/3, x))
		}
	}
	c.Fill(3, 6, 30, 1, plank[0])
	c.Fill(3, 15, 30, 2, wood[2])
	for _, x := range []int{5, 28} {
		c.Fill(x, 17, 3, 7, wood[2])
		c.Fill(x, 17, 1, 7, wood[0])
	}
	keys := Keys{'y': rgb(0xffffff), 'w': linen[1], 'g': gold[1], 'c': gold[0], 'G': gold[3]}
	c.Stamp(7, 3, "wyw..\ngcggg\ngcg.g\ngcggg\nGGG..", keys)
	c.Stamp(22, 5, "wyw..\ngcggg\ngcg.g\ngcggg\nGGG..", keys)
	c.Stamp(14, 8, ".aabb.\nabbbbc\n.cccc.", letters("abc", dirt))
	return finish("table", c, 4, 16, 3)
}

func cart() Thing {
	c := NewCanvas(50, 36)
	c.Fill(36, 20, 12, 2, wood[1])
	for y := 12; y < 24; y++ {
		for x := 4; x < 38; x++ {
			c.Put(x, y, boardAt(y, x))
		}
	}
	c.Fill(3, 11, 36, 2, wood[0])
	c.Fill(3, 23, 36, 2, wood[3])
	for i := range 34 {
		top := 10 - int(6*math.Sin(float64(i)/33*math.Pi)) + pick(i, 1, 430, 2)
		for y := top; y < 12; y++ {
			c.Put(4+i, y, straw.at(0.9-0.08*float64(y-top)-0.4*noise(i, y, 431)))
		}
	}
	for _, x := range []float64{12, 30} {
		Ellipse(x, 25, 7, 7, func(px, py int, u, v float64) {
			switch d := math.Hypot(u, v); {
			case d > 0.74:
				c.Put(px, py, wood[2])
			case d < 0.25:
				c.Put(px, py, stone[1])
			case math.Abs(u) < 0.12 || math.Abs(v) < 0.12:
				c.Put(px, py, wood[1])
			case d > 0.6:
				c.Put(px, py, wood[3])
			}
		})
	}
	return finish("cart", c, 4, 21, 3)
}

func haystack() Thing {
	c := NewCanvas(34, 30)
	Ellipse(17, 17, 14, 13, func(x, y int, u, v float64) {
		if y < 26 {
			c.Put(x, y, straw.at(0.62-0.35*u-0.3*v+0.5*(noise(x+y, y/3, 440)-0.5)))
		}
	})
	return finish("haystack", c, 4, 15, 3.4)
}

func scarecrow() Thing {
	c := NewCanvas(24, 32)
	c.Stamp(2, 2, `
.......yyyyy.......
......yyzzzzz......
......yzzzzzZ......
....yyzzzzzzzZZ....
...ZZZhhhhhhSZZZ...
......hkhhkhS......
......hhhhhhS......
......hhkkhSS......
.......rrrr........
.y..vvrrrrrcCC..y..
yzyvccccccccccCyzy.
.zyvccccppccccCyz..
.y.CCvccppccCC..y..
.....vccccccC......
.....vcppcccC......
.....vcppcccC......
.....CcCCccCC......
.....z.yy.z.Z......
........wx.........
........wx.........
........wx.........
........wx.........
........wx.........
........wx.........
........wx.........
`, letters("yzZY", straw).with(letters("hsSq", dirt), letters("vcCX", clothBlue), letters("wxab", wood), Keys{'k': ink, 'r': plumeRed[1], 'p': clothRust[0]}))
	return finish("scarecrow", c, 5, 6, 2)
}

func campfire() Thing {
	var all []*Canvas
	for f := range frames {
		c := NewCanvas(24, 28)
		for i := range 9 {
			a := float64(i) / 9 * 2 * math.Pi
			Ellipse(12+8.5*math.Cos(a), 21+3.6*math.Sin(a), 2.2, 1.7, func(x, y int, u, v float64) {
				c.Put(x, y, stone.at(0.6-0.3*u-0.3*v))
			})
		}
		c.Stamp(6, 18, "bb........bb\n.bbbb..bbcc.\n..ccbbbbcc..\n.bbccbbccbb.\nbb........cc", letters("abc", bark))
		for y := 4; y < 22; y++ {
			share := float64(y-4) / 17
			half := 5.4 * math.Sin(share*math.Pi*0.86) * (0.75 + 0.4*noise(y/3, f, 450))
			lean := 1.8 * (1 - share) * math.Sin(float64(f)*math.Pi/2+share*5)
			for x := int(12 + lean - half); x <= int(11.5+lean+half); x++ {
				inner := math.Abs(float64(x)+0.5-12-lean) / math.Max(half, 0.6)
				switch heat := (1 - inner) * (0.35 + share); {
				case heat > 0.75:
					c.Put(x, y, rgb(0xfffbd0))
				case heat > 0.45:
					c.Put(x, y, gold[1])
				case heat > 0.2:
					c.Put(x, y, autumn[1])
				default:
					c.Put(x, y, plumeRed[1])
				}
			}
		}
		c.Put(8+f*2, 3-f%2, gold[1])
		c.Put(15-f, 1+f, autumn[0])
		shadow(c, 12, 22.5, 11, 4.5)
		all = append(all, c)
	}
	return Thing{name: "campfire", frames: all, ax: 12, ay: 22}
}

func boat() Thing {
	c := NewCanvas(44, 24)
	c.Stamp(2, 4, `
.aa..................................aa.
.abaa..............................aaba.
..abbaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabba..
..abkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkba..
...abkkccckkkkkkkccckkkkkkkccckkkkkba...
...abbkcbckkkkkkkcbckkkkkkkcbckkkkbba...
....abbbcbbbbbbbbcbbbbbbbbbcbbbbbbba....
....cbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc....
.....caaaaaaaaaaaaaaaaaaaaaaaaaaaac.....
......cbbbbbbbbbbbbbbbbbbbbbbbbbbc......
.......dccccccccccccccccccccccccd.......
.........dddddddddddddddddddddd.........
`, letters("abcd", wood).with(Keys{'k': wood[3]}))
	c.Outline()
	Ellipse(22, 16, 20, 3.4, func(x, y int, _, v float64) {
		if !c.Solid(x, y) && v > 0 {
			c.Put(x, y, mix(water[0], rgb(0xffffff), 0.4))
		}
	})
	return still("boat", c, 6)
}

func pot() Thing {
	c := NewCanvas(18, 24)
	leaves(c, []clump{{9, 8, 6}}, leaf, 460)
	for i := range 6 {
		c.Stamp(4+pick(i, 0, 461, 9), 3+pick(i, 0, 462, 8), "ab\nbc", letters("abc", petals[i%3]))
	}
	c.Stamp(3, 12, "aaaaaaaaaaab\nbbbbbbbbbbbc\n.abbbbbbbbc.\n.abbbbbbbbc.\n..abbbbbbc..\n..abbbbbcc..\n...cccccc...", letters("abc", autumn))
	return finish("pot", c, 4, 7, 2.2)
}

func milestone() Thing {
	c := NewCanvas(18, 22)
	Ellipse(9, 11, 6, 8, func(x, y int, u, v float64) {
		if y < 18 {
			c.Put(x, y, stone.at(0.65-0.35*u-0.2*v))
		}
	})
	c.Fill(3, 11, 12, 7, stone[1])
	c.Fill(3, 11, 2, 7, stone[0])
	c.Fill(13, 11, 2, 7, stone[2])
	c.Fill(6, 9, 6, 1, stone[3])
	c.Fill(6, 12, 5, 1, stone[3])
	return finish("milestone", c, 4, 7, 2.2)
}
