package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"slices"
)

const maxColours = 256 // of a PNG with a palette

// encode makes a PNG with a palette, which is half the size of one without. What has more colours loses its rarest.
func encode(c *Canvas) ([]byte, error) {
	index, palette := reduce(c)
	p := image.NewPaletted(c.Rect, palette)
	for y := range c.Height() {
		for x := range c.Width() {
			p.SetColorIndex(x, y, index[visible(c.Get(x, y))])
		}
	}
	var out bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	err := e.Encode(&out, p)
	return out.Bytes(), err
}

// visible makes all clear pixels the same.
func visible(col color.NRGBA) color.NRGBA {
	if col.A == 0 {
		return color.NRGBA{}
	}
	return col
}

// reduce chooses the palette, most frequent colours first, and gives each colour of the picture its place in it: its own,
// or that of the nearest colour.
func reduce(c *Canvas) (map[color.NRGBA]uint8, color.Palette) {
	count := map[color.NRGBA]int{}
	for y := range c.Height() {
		for x := range c.Width() {
			count[visible(c.Get(x, y))]++
		}
	}
	var all []color.NRGBA
	for col := range count {
		all = append(all, col)
	}
	slices.SortFunc(all, func(a, b color.NRGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(number(a), number(b)))
	})
	index, palette := map[color.NRGBA]uint8{}, color.Palette{}
	for i, col := range all {
		if i < maxColours {
			index[col] = uint8(i)
			palette = append(palette, col)
			continue
		}
		best := 0
		for j := range palette {
			if distance(col, all[j]) < distance(col, all[best]) {
				best = j
			}
		}
		index[col] = uint8(best)
	}
	return index, palette
}

func number(c color.NRGBA) uint32 {
	return uint32(c.R)<<24 | uint32(c.G)<<16 | uint32(c.B)<<8 | uint32(c.A)
}

// distance weighs the channels roughly as the eye does; different transparency is far apart.
func distance(a, b color.NRGBA) int {
	square := func(x, y uint8) int { d := int(x) - int(y); return d * d }
	return 3*square(a.R, b.R) + 6*square(a.G, b.G) + 2*square(a.B, b.B) + 20*square(a.A, b.A)
}
