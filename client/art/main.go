// Command art draws the pictures and the map of both clients and writes them to their folders. It needs nothing but Go's
// image/png and gives the same bytes each time. ART.md says what each file holds.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
)

func main() {
	web := flag.String("web", "client/web/art", "folder of the browser client's art")
	godot := flag.String("godot", "client/godot/art", "folder of the Godot client's art")
	flag.Parse()
	if err := run(*web, *godot); err != nil {
		fmt.Fprintln(os.Stderr, "art:", err)
		os.Exit(1)
	}
}

// run draws everything once and writes it to every folder, which it creates when missing.
func run(folders ...string) error {
	files, err := draw()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// draw returns every file by name.
func draw() (map[string][]byte, error) {
	pictures := map[string]*Canvas{
		"avatars.png": drawPeople(sixPeople()),
		"tiles.png":   drawTiles(),
	}
	files := map[string][]byte{}
	for name, c := range pictures {
		data, err := encode(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = data
	}
	return files, nil
}

// encode makes a PNG, with a palette when 256 colours are enough, which they are for pixel art.
func encode(c *Canvas) ([]byte, error) {
	var picture image.Image = c.NRGBA
	if p, ok := paletted(c); ok {
		picture = p
	}
	var out bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	err := e.Encode(&out, picture)
	return out.Bytes(), err
}

// paletted copies the picture to one with a palette in order of first appearance.
func paletted(c *Canvas) (*image.Paletted, bool) {
	index := map[color.NRGBA]uint8{}
	p := image.NewPaletted(c.Rect, nil)
	for y := range c.Height() {
		for x := range c.Width() {
			col := c.Get(x, y)
			if col.A == 0 {
				col = color.NRGBA{}
			}
			i, ok := index[col]
			if !ok {
				if len(p.Palette) == 256 {
					return nil, false
				}
				i = uint8(len(p.Palette))
				index[col] = i
				p.Palette = append(p.Palette, col)
			}
			p.SetColorIndex(x, y, i)
		}
	}
	return p, true
}
