package main

import (
	"image"
	"image/color"
	"strings"
)

// Canvas is a picture of art pixels with straight alpha. Points outside it are ignored when set and clear when read,
// so that shapes may overhang its edge.
type Canvas struct {
	*image.NRGBA
}

// NewCanvas returns a clear canvas of w × h art pixels.
func NewCanvas(w, h int) *Canvas {
	return &Canvas{image.NewNRGBA(image.Rect(0, 0, w, h))}
}

// Width and Height are in art pixels.
func (c *Canvas) Width() int { return c.Rect.Dx() }

// Height is the number of rows.
func (c *Canvas) Height() int { return c.Rect.Dy() }

// Put sets one pixel; a clear colour erases it.
func (c *Canvas) Put(x, y int, col color.NRGBA) {
	if image.Pt(x, y).In(c.Rect) {
		c.SetNRGBA(x, y, col)
	}
}

// Get reads one pixel.
func (c *Canvas) Get(x, y int) color.NRGBA {
	if !image.Pt(x, y).In(c.Rect) {
		return color.NRGBA{}
	}
	return c.NRGBAAt(x, y)
}

// Solid says whether the pixel is drawn at all.
func (c *Canvas) Solid(x, y int) bool { return c.Get(x, y).A != 0 }

// Fill sets the rectangle from (x, y), w × h.
func (c *Canvas) Fill(x, y, w, h int, col color.NRGBA) {
	for j := y; j < y+h; j++ {
		for i := x; i < x+w; i++ {
			c.Put(i, j, col)
		}
	}
}

// Stamp draws rows of letters, each letter a colour of keys; letters without a colour, such as '.', stay clear.
func (c *Canvas) Stamp(x, y int, art string, keys Keys) {
	for j, row := range rows(art) {
		for i := range len(row) {
			if col, ok := keys[row[i]]; ok {
				c.Put(x+i, y+j, col)
			}
		}
	}
}

// Paste draws src with its top left at (x, y), blending where src is translucent.
func (c *Canvas) Paste(src *Canvas, x, y int) {
	for j := range src.Height() {
		for i := range src.Width() {
			s := src.Get(i, j)
			switch {
			case s.A == 255:
				c.Put(x+i, y+j, s)
			case s.A > 0:
				c.Put(x+i, y+j, over(s, c.Get(x+i, y+j)))
			}
		}
	}
}

// Cut copies the rectangle from (x, y), w × h.
func (c *Canvas) Cut(x, y, w, h int) *Canvas {
	out := NewCanvas(w, h)
	for j := range h {
		for i := range w {
			out.Put(i, j, c.Get(x+i, y+j))
		}
	}
	return out
}

// Mirrored returns the picture with left and right exchanged.
func (c *Canvas) Mirrored() *Canvas {
	out := NewCanvas(c.Width(), c.Height())
	for y := range c.Height() {
		for x := range c.Width() {
			out.Put(c.Width()-1-x, y, c.Get(x, y))
		}
	}
	return out
}

// Enlarged returns the picture with every pixel n × n.
func (c *Canvas) Enlarged(n int) *Canvas {
	out := NewCanvas(c.Width()*n, c.Height()*n)
	for y := range c.Height() {
		for x := range c.Width() {
			out.Fill(x*n, y*n, n, n, c.Get(x, y))
		}
	}
	return out
}

// Outline surrounds what is drawn with one pixel of a darkened version of the colour it touches: softer than black, and
// a sprite still stands out from any ground.
func (c *Canvas) Outline() {
	src := c.Cut(0, 0, c.Width(), c.Height())
	for y := range c.Height() {
		for x := range c.Width() {
			if src.Solid(x, y) {
				continue
			}
			for _, d := range [4]image.Point{{0, -1}, {-1, 0}, {1, 0}, {0, 1}} {
				if n := src.Get(x+d.X, y+d.Y); n.A == 255 {
					c.Put(x, y, mix(n, ink, 0.78))
					break
				}
			}
		}
	}
}

// Ellipse calls put for every pixel of the ellipse with centre (cx, cy) and radii rx, ry. u and v run from -1 to 1.
func Ellipse(cx, cy, rx, ry float64, put func(x, y int, u, v float64)) {
	for y := int(cy - ry - 1); y <= int(cy+ry+1); y++ {
		for x := int(cx - rx - 1); x <= int(cx+rx+1); x++ {
			u, v := (float64(x)+0.5-cx)/rx, (float64(y)+0.5-cy)/ry
			if u*u+v*v <= 1 {
				put(x, y, u, v)
			}
		}
	}
}

// rows splits a raw string literal into its lines, without the line breaks at its two ends.
func rows(art string) []string {
	return strings.Split(strings.Trim(art, "\n"), "\n")
}

// lowered puts n empty rows above a drawing.
func lowered(n int, art string) string {
	return strings.Repeat(".\n", n) + strings.Trim(art, "\n")
}

// noise is a hash of a place, evenly spread over 0 ≤ n < 1; the same place always gives the same number.
func noise(x, y, seed int) float64 {
	h := uint32(x)*0x9E3779B1 ^ uint32(y)*0x85EBCA77 ^ uint32(seed)*0xC2B2AE3D
	h ^= h >> 15
	h *= 0x2C1B3C6D
	h ^= h >> 12
	h *= 0x297A2D39
	h ^= h >> 15
	return float64(h) / (1 << 32)
}

// pick chooses one of n from a place, for variety that stays the same from run to run.
func pick(x, y, seed, n int) int { return int(noise(x, y, seed) * float64(n)) }
