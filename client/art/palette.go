package main

import "image/color"

// Keys names the colours of a stamp by letter.
type Keys map[byte]color.NRGBA

// Ramp is one material from light to dark: light, base, shade, deep.
type Ramp [4]color.NRGBA

// rgb is an opaque colour written as 0xRRGGBB.
func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

// rgba is rgb with an alpha of 0 to 255.
func rgba(v uint32, a uint8) color.NRGBA {
	c := rgb(v)
	c.A = a
	return c
}

func ramp(light, base, shade, deep uint32) Ramp {
	return Ramp{rgb(light), rgb(base), rgb(shade), rgb(deep)}
}

// at returns the colour for a brightness of 0 (deep) to 1 (light).
func (r Ramp) at(brightness float64) color.NRGBA {
	switch {
	case brightness > 0.72:
		return r[0]
	case brightness > 0.45:
		return r[1]
	case brightness > 0.2:
		return r[2]
	}
	return r[3]
}

// ink is the darkest colour; every outline leans to it.
var ink = rgb(0x241628)

// The materials of the whole world. Shadows lean to blue and violet, lights to yellow, as under an afternoon sun.
var (
	grass   = ramp(0x9fce58, 0x83bb4c, 0x66a348, 0x4b8a49)
	leaf    = ramp(0x8cc850, 0x58a348, 0x3a7d46, 0x265a44)
	pine    = ramp(0x5fae6a, 0x3b8a5c, 0x28684f, 0x1b4a45)
	blossom = ramp(0xffd9e0, 0xf7aebf, 0xd9809f, 0xa45a84)
	autumn  = ramp(0xffcf5c, 0xf0a03c, 0xcf6f35, 0x974634)
	bark    = ramp(0xb27a4e, 0x8f5a3c, 0x6b4032, 0x47292b)
	wood    = ramp(0xd9a066, 0xb67a47, 0x8c5637, 0x5f382d)
	plank   = ramp(0xe6bf85, 0xcb9a5e, 0xa37245, 0x774e37)
	sand    = ramp(0xf5e3b0, 0xe8cf94, 0xd3b077, 0xb18a5e)
	dirt    = ramp(0xe3c48d, 0xd3ac74, 0xb98c5b, 0x93694a)
	cobble  = ramp(0xd6cfc4, 0xbdb4ac, 0x998f93, 0x716a7a)
	stone   = ramp(0xc9cbd3, 0x9fa3b3, 0x757a92, 0x4f5270)
	water   = ramp(0x8fe0ec, 0x4fb4dd, 0x3a8fcb, 0x2f6db0)
	plaster = ramp(0xfff3da, 0xf1dcb8, 0xd7b68f, 0xae8870)
	roofRed = ramp(0xf2845c, 0xd45d48, 0xa83f44, 0x74293d)
	roofSea = ramp(0x7fb8d9, 0x4f86bd, 0x3d6299, 0x2f4373)
	roofHay = ramp(0xf7d77c, 0xdfae54, 0xb9833f, 0x875a35)
	roofFir = ramp(0x8fc07a, 0x5d975f, 0x437252, 0x2f5147)
	gold    = ramp(0xfff2a8, 0xf7cf52, 0xd99a35, 0x9c632c)
	glass   = ramp(0xfff6c4, 0xffdf86, 0xf0b45a, 0xb8763f)

	skinFair  = ramp(0xffe0bd, 0xf9c499, 0xdf9872, 0xb06a56)
	skinPale  = ramp(0xffe9d6, 0xf5cdb4, 0xd6a195, 0xa6737a)
	skinFrog  = ramp(0xc4e86e, 0x8ac64d, 0x579a48, 0x34694a)
	furFox    = ramp(0xffb45c, 0xee8438, 0xc25a2e, 0x87392e)
	furWhite  = ramp(0xffffff, 0xfbeedd, 0xdcc4b8, 0xab8c92)
	hairRed   = ramp(0xff9b4f, 0xdd5a2c, 0xa93a2a, 0x712533)
	hairRust  = ramp(0xf5a04a, 0xd07030, 0x9c4a2a, 0x6a302c)
	hairSnow  = ramp(0xffffff, 0xe9ecf2, 0xbcc3d6, 0x8990b0)
	clothMoss = ramp(0x9ad45e, 0x5aa850, 0x3a7d4c, 0x275a48)
	clothBlue = ramp(0x7fa8f0, 0x4a6fd0, 0x3a4fa3, 0x2c3576)
	clothSky  = ramp(0x9fe3f2, 0x52b4d8, 0x3a84b4, 0x2c5b8a)
	clothWine = ramp(0xe0708a, 0xb8405f, 0x86294f, 0x5a1d40)
	clothCoal = ramp(0x8a86a0, 0x625d7c, 0x46415f, 0x2f2a45)
	clothRust = ramp(0xd99057, 0xb0683c, 0x824733, 0x57302e)
	linen     = ramp(0xfffaec, 0xf1e5cd, 0xcfba9f, 0xa08a7c)
	leather   = ramp(0xb3794d, 0x8a5539, 0x633a31, 0x432729)
	steel     = ramp(0xf4f8ff, 0xc3cbdc, 0x8a93b0, 0x585e82)
	plumeRed  = ramp(0xff8a7a, 0xe8453f, 0xb02844, 0x751c42)
	straw     = ramp(0xfff0a6, 0xf2ce6a, 0xcf9a48, 0x956639)
)

// mix moves colour a towards b by t, from 0 (a) to 1 (b); the alpha of a stays.
func mix(a, b color.NRGBA, t float64) color.NRGBA {
	f := func(x, y uint8) uint8 { return uint8(float64(x)*(1-t) + float64(y)*t + 0.5) }
	return color.NRGBA{R: f(a.R, b.R), G: f(a.G, b.G), B: f(a.B, b.B), A: a.A}
}

// over blends a translucent colour onto another.
func over(top, under color.NRGBA) color.NRGBA {
	if under.A == 0 {
		return top
	}
	out := mix(under, color.NRGBA{R: top.R, G: top.G, B: top.B, A: 255}, float64(top.A)/255)
	out.A = max(top.A, under.A)
	return out
}

// with returns the keys joined with those of others; later ones win.
func (k Keys) with(others ...Keys) Keys {
	out := Keys{}
	for _, m := range append([]Keys{k}, others...) {
		for key, col := range m {
			out[key] = col
		}
	}
	return out
}

// letters gives the four colours of a ramp to four letters, light to dark.
func letters(names string, r Ramp) Keys {
	out := Keys{}
	for i := range len(names) {
		out[names[i]] = r[i]
	}
	return out
}
