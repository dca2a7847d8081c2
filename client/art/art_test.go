package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// drawn is made once for all tests.
func drawn(t *testing.T) map[string][]byte {
	t.Helper()
	files, _, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The files of both clients are what this program draws today.
func TestFilesAreCurrent(t *testing.T) {
	files := drawn(t)
	for _, folder := range []string{"../web/art", "../godot/art"} {
		for name, want := range files {
			got, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s/%s differs from what is drawn: run go run ./client/art", folder, name)
			}
		}
	}
}

func TestPictures(t *testing.T) {
	files := drawn(t)
	cases := []struct {
		name string
		w, h int
	}{
		{"avatars.png", 192, 768}, {"tiles.png", 256, 256}, {"effects.png", 128, 48}, {"icons.png", 128, 16}, {"logo.png", 160, 48},
		{"icon-32.png", 32, 32}, {"icon-180.png", 180, 180}, {"icon-192.png", 192, 192}, {"icon-512.png", 512, 512},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := png.DecodeConfig(bytes.NewReader(files[c.name]))
			if err != nil {
				t.Fatal(err)
			}
			if cfg.Width != c.w || cfg.Height != c.h {
				t.Errorf("is %d × %d, want %d × %d", cfg.Width, cfg.Height, c.w, c.h)
			}
		})
	}
}

// Every avatar stands on its feet, keeps inside its cell, and moves: no two steps of the walk next to each other look alike.
func TestAvatars(t *testing.T) {
	people := sixPeople()
	sheet := drawPeople(people)
	for n, p := range people {
		for d := range 4 {
			var before *Canvas
			for column := range columns {
				c := sheet.Cut(column*cell, (4*n+d)*cell, cell, cell)
				top, bottom := extent(c)
				if bottom != footY+1 {
					t.Errorf("%s, direction %d, column %d: lowest row %d, want the outline below the feet at %d", p.name, d, column, bottom, footY+1)
				}
				if top > 8 {
					t.Errorf("%s, direction %d, column %d: highest row %d: no head?", p.name, d, column, top)
				}
				if column > 2 && bytes.Equal(c.Pix, before.Pix) {
					t.Errorf("%s, direction %d: columns %d and %d are the same", p.name, d, column-1, column)
				}
				before = c
			}
		}
	}
}

// extent is the first and the last row with anything drawn.
func extent(c *Canvas) (top, bottom int) {
	top = c.Height()
	for y := range c.Height() {
		for x := range c.Width() {
			if c.Solid(x, y) {
				top, bottom = min(top, y), y
			}
		}
	}
	return top, bottom
}

// Neighbouring tiles must agree on where an area's border crosses their common side.
func TestFieldFitsNeighbours(t *testing.T) {
	for mask := range 16 {
		for y := range tile {
			in, _, _ := field(mask, tile-1, y, 0.16)
			// The right neighbour has this tile's right corners as its left ones, and any on its own right.
			for others := range 4 {
				next := mask>>1&1 | mask>>3&1<<2 | others&1<<1 | others>>1<<3
				out, _, _ := field(next, 0, y, 0.16)
				if (in > 0) != (out > 0) && min(math.Abs(in), math.Abs(out)) > 1 {
					t.Errorf("mask %d beside %d, row %d: depth %.1f meets %.1f", mask, next, y, in, out)
				}
			}
		}
	}
}

func TestWorld(t *testing.T) {
	files := drawn(t)
	var w struct {
		World
		Ground string `json:"ground"`
		Detail string `json:"detail"`
		Swim   string `json:"swim"`
	}
	if err := json.Unmarshal(files["world.json"], &w); err != nil {
		t.Fatal(err)
	}
	sheet, err := png.DecodeConfig(bytes.NewReader(files["objects.png"]))
	if err != nil {
		t.Fatal(err)
	}
	ground, detail, swim := unpack(t, w.Ground), unpack(t, w.Detail), unpack(t, w.Swim)
	wet := 0
	for i := range ground {
		if ground[i] == 0 {
			t.Fatalf("tile %d has no ground", i)
		}
		if swim[i] > 1 {
			t.Fatalf("tile %d: swim is %d", i, swim[i])
		}
		wet += int(swim[i])
	}
	if wet < 200 {
		t.Errorf("%d tiles of deep water, want a lake and a river", wet)
	}
	bounds := image.Rect(0, 0, sheet.Width, sheet.Height)
	for _, s := range w.Sprites {
		if r := image.Rect(s.X, s.Y, s.X+s.W*s.Frames, s.Y+s.H); !r.In(bounds) || s.Frames < 1 {
			t.Errorf("sprite %s lies outside objects.png: %v", s.Name, r)
		}
	}
	lastY := -1 << 30
	for i := 0; i < len(w.Objects); i += 3 {
		kind, x, y := w.Objects[i], w.Objects[i+1], w.Objects[i+2]
		if kind < 0 || kind >= len(w.Sprites) {
			t.Fatalf("object %d has no sprite %d", i/3, kind)
		}
		if x < -2048 || x > 2048 || y < -2048 || y > 2048 {
			t.Errorf("object %d is outside the world: %d, %d", i/3, x, y)
		}
		if y < lastY {
			t.Errorf("object %d is out of order", i/3)
		}
		lastY = y
		if x*x+y*y < 64*64 {
			t.Errorf("%s stands at %d, %d: in the way of those who start at 0, 0", w.Sprites[kind].Name, x, y)
		}
	}
	if spawn := detail[64*mapTiles+64]; spawn < cobbleTile || swim[64*mapTiles+64] != 0 {
		t.Errorf("the start is on tile %d, want cobbles", spawn)
	}
}

func unpack(t *testing.T, layer string) []byte {
	t.Helper()
	runs, err := base64.StdEncoding.DecodeString(layer)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for i := 0; i < len(runs); i += 2 {
		out = append(out, bytes.Repeat(runs[i+1:i+2], int(runs[i]))...)
	}
	if len(out) != mapTiles*mapTiles {
		t.Fatalf("layer of %d tiles, want %d", len(out), mapTiles*mapTiles)
	}
	return out
}
