package main

import "math"

// drawEffects lays out effects.png.
func drawEffects() *Canvas {
	const w, h = 32, 16
	sheet := NewCanvas(4*w, 3*h)
	for f := range frames {
		sheet.Paste(marker(f), f*w, 0)
		sheet.Paste(ripple(f), f*w, h)
	}
	under := NewCanvas(w, h)
	Ellipse(16, 8, 9, 3.6, func(x, y int, _, _ float64) { under.Put(x, y, rgba(0x1c2a4a, 90)) })
	sheet.Paste(under, 0, 2*h)
	for f := range 3 {
		sheet.Paste(dust(f), (f+1)*w, 2*h)
	}
	return sheet
}

// marker shows where one walks to: four arcs that close in, and a small arrow that bobs above them.
func marker(frame int) *Canvas {
	c := NewCanvas(32, 16)
	wide := 10 - float64(frame)
	for i := range 96 {
		a := (float64(i)+0.5)/96*2*math.Pi + math.Pi/4
		if i%24 > 4 && i%24 < 19 {
			continue
		}
		c.Put(int(16+wide*math.Cos(a)), int(10+wide*0.46*math.Sin(a)), gold[0])
	}
	c.Stamp(13, []int{2, 3, 4, 3}[frame], "wwwwwg\n.wwgg.\n..wg..", Keys{'w': gold[0], 'g': gold[1]})
	c.Outline()
	return c
}

// ripple is two half rings round a swimmer, open at the back.
func ripple(frame int) *Canvas {
	c := NewCanvas(32, 16)
	for ring := range 2 {
		age := math.Mod(float64(frame)/frames+float64(ring)*0.5, 1)
		rx, ry := 8+6*age, 2.6+2.4*age
		for i := range 72 {
			a := float64(i) / 72 * 2 * math.Pi
			if math.Sin(a) > -0.5+age {
				c.Put(int(16+rx*math.Cos(a)), int(8+ry*math.Sin(a)), rgba(0xf2fdff, uint8(230-180*age)))
			}
		}
	}
	return c
}

func dust(frame int) *Canvas {
	c := NewCanvas(32, 16)
	for side := -1.0; side <= 1; side += 2 {
		r := 2.6 - 0.6*float64(frame)
		Ellipse(16+side*(3+2*float64(frame)), 9-1.2*float64(frame), r, r*0.8, func(x, y int, _, _ float64) {
			c.Put(x, y, rgba(0xf3e6c8, uint8(190-50*frame)))
		})
	}
	return c
}
