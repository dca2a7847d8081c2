package main

import "fmt"

// Sprite is one rectangle of objects.png, as world.json has it. Sizes and the anchor, the point on the ground, are in art
// pixels; a flat sprite lies below every actor.
type Sprite struct {
	Name   string `json:"name"`
	X      int    `json:"x"`
	Y      int    `json:"y"`
	W      int    `json:"w"`
	H      int    `json:"h"`
	AX     int    `json:"ax"`
	AY     int    `json:"ay"`
	Frames int    `json:"frames"`
	Flat   bool   `json:"flat"`
}

// Thing is a sprite's drawing before it has a place in the atlas.
type Thing struct {
	name   string
	frames []*Canvas // all of one size
	ax, ay int
	flat   bool
}

// still is a thing of one frame that stands with its lowest row, less lift, on the ground.
func still(name string, c *Canvas, lift int) Thing {
	return Thing{name: name, frames: []*Canvas{c}, ax: c.Width() / 2, ay: c.Height() - 1 - lift}
}

const (
	atlasWidth  = 512
	atlasHeight = 768
)

// pack places the things row by row, in their order, and returns objects.png and the table of its sprites. It fails when
// they do not fit.
func pack(things []Thing) (*Canvas, []Sprite, error) {
	sheet := NewCanvas(atlasWidth, atlasHeight)
	var sprites []Sprite
	x, y, rowHeight := 0, 0, 0
	for _, t := range things {
		w, h := t.frames[0].Width(), t.frames[0].Height()
		if x+w*len(t.frames) > atlasWidth {
			x, y, rowHeight = 0, y+rowHeight+1, 0
		}
		if y+h > atlasHeight || w*len(t.frames) > atlasWidth {
			return nil, nil, fmt.Errorf("no room for %s in the atlas", t.name)
		}
		for i, frame := range t.frames {
			sheet.Paste(frame, x+i*w, y)
		}
		sprites = append(sprites, Sprite{Name: t.name, X: x, Y: y, W: w, H: h, AX: t.ax, AY: t.ay, Frames: len(t.frames), Flat: t.flat})
		x += w*len(t.frames) + 1
		rowHeight = max(rowHeight, h)
	}
	used := y + rowHeight
	return sheet.Cut(0, 0, atlasWidth, used), sprites, nil
}

// chimneySmoke gives each house a sprite of its own for the smoke: the same pictures with an anchor at the house's foot, so that
// it is drawn right after the house.
func chimneySmoke(sprites []Sprite) []Sprite {
	var smoke Sprite
	for _, s := range sprites {
		if s.Name == "smoke" {
			smoke = s
		}
	}
	for _, p := range plans {
		s := smoke
		s.Name, s.AX, s.AY = "smoke-"+p.name, s.AX-chimneyRight, s.AY+p.wallH+p.roofH+2
		sprites = append(sprites, s)
	}
	return sprites
}

// shadow puts a soft ellipse under a thing, below what is drawn already.
func shadow(c *Canvas, cx, cy, rx, ry float64) {
	Ellipse(cx, cy, rx, ry, func(x, y int, _, _ float64) {
		if !c.Solid(x, y) {
			c.Put(x, y, rgba(0x1c2a4a, 70))
		}
	})
}
