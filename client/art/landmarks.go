package main

import "math"

// The larger things of the village: what one finds one's way by.

func fountain() Thing {
	var all []*Canvas
	for f := range frames {
		c := NewCanvas(72, 66)
		basin := func(cx, cy, rx, ry, wall float64) {
			Ellipse(cx, cy+wall, rx, ry, func(x, y int, u, v float64) { c.Put(x, y, stone.at(0.5-0.35*u)) })
			for i := 0.0; i < wall; i++ {
				Ellipse(cx, cy+i, rx, ry, func(x, y int, u, v float64) {
					if v > 0 {
						tone := 0.52 - 0.42*u - 0.1*noise(x/4, y/4, 410)
						if (x+int(i)/4*3)%8 == 0 {
							tone -= 0.3
						}
						c.Put(x, y, stone.at(tone))
					}
				})
			}
			Ellipse(cx, cy, rx, ry, func(x, y int, u, v float64) { c.Put(x, y, stone.at(0.82-0.25*u-0.1*v)) })
			Ellipse(cx, cy+0.5, rx-3, ry-2.2, func(x, y int, u, v float64) {
				ring := math.Mod(math.Hypot(u, v)*3-float64(f)/frames+1, 1)
				switch {
				case v < -0.72:
					c.Put(x, y, stone[2])
				case ring < 0.22:
					c.Put(x, y, water[0])
				case ring < 0.5:
					c.Put(x, y, mix(water[1], water[0], 0.3))
				default:
					c.Put(x, y, water[1])
				}
			})
		}
		basin(36, 44, 33, 13, 7)
		for y := 24; y < 46; y++ {
			for x := 32; x < 40; x++ {
				c.Put(x, y, stone.at(0.9-0.1*float64(x-32)))
			}
		}
		basin(36, 24, 14, 5, 3)
		for y := 12; y < 24; y++ {
			for x := 34; x < 38; x++ {
				c.Put(x, y, stone.at(0.95-0.18*float64(x-34)))
			}
		}
		jet, splash := mix(water[0], rgb(0xffffff), 0.6), water[0]
		for i := range 14 { // two arcs of water from the top, and four that fall over the upper basin's rim
			t := float64(i) / 13
			for side := -1.0; side <= 1; side += 2 {
				col := jet
				if (i+f*2)%4 == 0 {
					col = splash
				}
				x := int(36 + side*(1+8*t) - 0.5 + 0.5*side)
				c.Put(x, int(11-7*math.Sin(math.Pi*t*0.62)+14*t*t), col)
				if i < 12 {
					c.Put(int(36+side*14-0.5+0.5*side), 26+i+i/3, col)
					c.Put(int(36+side*7-0.5+0.5*side), 30+i, col)
				}
			}
		}
		c.Stamp(34, 6, ".wj.\nwjjw\njwwj\n.jj.", Keys{'w': rgb(0xffffff), 'j': jet})
		c.Outline()
		shadow(c, 37, 56, 34, 8)
		all = append(all, c)
	}
	return Thing{name: "fountain", frames: all, ax: 36, ay: 56}
}

func well() Thing {
	c := NewCanvas(38, 46)
	for y := 26; y < 42; y++ {
		for x := 5; x < 33; x++ {
			bulge := int(2 * math.Sin(float64(x-5)/28*math.Pi))
			if y < 40+bulge-1 {
				c.Put(x, y, masonry(x+2, y+3, stone))
			}
		}
	}
	Ellipse(19, 27, 14, 4, func(x, y int, u, v float64) { c.Put(x, y, stone.at(0.85-0.3*u)) })
	Ellipse(19, 27.5, 11, 2.6, func(x, y int, _, v float64) {
		if v > 0 {
			c.Put(x, y, water[2])
		} else {
			c.Put(x, y, ink)
		}
	})
	for _, x := range []int{6, 29} {
		c.Fill(x, 12, 3, 17, wood[2])
		c.Fill(x, 12, 1, 17, wood[0])
	}
	c.Fill(8, 17, 22, 2, wood[1])
	c.Fill(17, 16, 4, 4, wood[0])
	c.Fill(18, 20, 1, 4, plank[0])
	c.Stamp(16, 23, "kkkkk\nabbck\nabbck\n.kkk.", Keys{'k': wood[3], 'a': wood[0], 'b': wood[1], 'c': wood[2]})
	p := plan{w: 36, roofH: 13, roof: roofRed}
	for y := range 13 {
		inset := 6 - 6*y/13
		for x := inset; x < 36-inset; x++ {
			c.Put(1+x, 2+y, shingle(x, y, p, 9))
		}
	}
	c.Fill(7, 2, 24, 1, roofRed[0])
	c.Fill(1, 14, 36, 1, roofRed[3])
	return finish("well", c, 4, 17, 4)
}

// stall is a market stall with a striped awning and a counter of fruit.
func stall(name string, cloth Ramp) Thing {
	c := NewCanvas(60, 56)
	for _, x := range []int{5, 52} {
		c.Fill(x, 16, 3, 36, wood[2])
		c.Fill(x, 16, 1, 36, wood[0])
	}
	c.Fill(8, 24, 44, 12, mix(wood[3], ink, 0.4))
	for y := 36; y < 51; y++ {
		for x := 4; x < 56; x++ {
			c.Put(x, y, boardAt(x, y))
		}
	}
	c.Fill(3, 34, 54, 3, plank[0])
	c.Fill(3, 37, 54, 1, wood[3])
	for i, r := range []Ramp{plumeRed, autumn, leaf, gold} {
		for j := range 5 {
			c.Stamp(6+i*12+j%3*3+j/3*2, 31-j/3*2, "ab.\nbbc\n.c.", Keys{'a': r[0], 'b': r[1], 'c': r[2]})
		}
		c.Fill(5+i*12, 33, 11, 2, wood[1])
	}
	for y := range 20 {
		for x := 1; x < 59; x++ {
			stripe := (x - 1) / 6 % 2
			r := cloth
			if stripe == 0 {
				r = linen
			}
			tone := 0.72 - 0.022*float64(y)
			hem := 0
			if (x-1)%6 == 0 || (x-1)%6 == 5 {
				hem = 1
			}
			if y >= 15 {
				tone -= 0.2
			}
			if y < 20-hem*2 && (y > 3 || x > 4-y && x < 55+y) {
				c.Put(x, 4+y, r.at(tone))
			}
		}
	}
	return finish(name, c, 5, 27, 4)
}

// windmill turns its four sails in four frames, an eighth of a turn in all: they look alike after a quarter.
func windmill() Thing {
	var all []*Canvas
	for f := range frames {
		c := NewCanvas(88, 114)
		for y := 36; y < 109; y++ {
			half := 14 + (y-36)*10/73
			for x := 44 - half; x < 44+half; x++ {
				u := float64(x-44) / float64(half)
				col := mix(plaster.at(0.68-0.42*u), plaster[2], 0.3*noise(x/4, y/2, 470))
				if y > 94 {
					col = mix(masonry(x, y, stone), stone[3], math.Max(0, u*0.5))
				}
				c.Put(x, y, col)
			}
		}
		for y := 18; y < 42; y++ {
			half := int(17 * math.Sqrt(1-math.Pow(float64(42-y)/25, 2)))
			for x := 44 - half; x < 44+half; x++ {
				c.Put(x, y, shingle(x, y, plan{w: 36, roofH: 26, roof: roofSea}, 12))
			}
		}
		door(c, 37, 88)
		window(c, 38, 66, false)
		c.Outline()
		sails := NewCanvas(88, 114)
		for arm := range 4 {
			a := (float64(arm)+float64(f)/frames)*math.Pi/2 + 0.3
			cos, sin := math.Cos(a), math.Sin(a)
			for r := 3.0; r < 39; r += 0.5 {
				for s := -1.0; s < 9; s += 0.5 {
					if s > 0.5 && (r < 10 || r > 37) {
						continue
					}
					x, y := int(44+r*cos-s*sin), int(42+r*sin+s*cos)
					switch {
					case s <= 0.5:
						sails.Put(x, y, wood[1])
					case int(r)%9 == 0 || s > 8:
						sails.Put(x, y, wood[2])
					default:
						sails.Put(x, y, mix(linen[1], linen[2], s/9))
					}
				}
			}
		}
		Ellipse(44, 42, 3.2, 3.2, func(x, y int, u, v float64) { sails.Put(x, y, wood.at(0.6-0.3*u-0.3*v)) })
		sails.Outline()
		c.Paste(sails, 0, 0)
		shadow(c, 45, 109, 27, 4.5)
		all = append(all, c)
	}
	return Thing{name: "windmill", frames: all, ax: 44, ay: 108}
}
