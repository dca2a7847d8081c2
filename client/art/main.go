// Command art draws the pictures and the map of both clients and writes them to their folders. It needs nothing but Go's
// image/png and gives the same bytes each time. ART.md says what each file holds.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	web := flag.String("web", "client/web/art", "folder of the browser client's art")
	mapFile := flag.String("preview", "", "also draw the whole map into this PNG, for looking at")
	godot := flag.String("godot", "client/godot/art", "folder of the Godot client's art")
	flag.Parse()
	if err := run(*mapFile, *web, *godot); err != nil {
		fmt.Fprintln(os.Stderr, "art:", err)
		os.Exit(1)
	}
}

// run draws everything once and writes it to every folder, which it creates when missing.
func run(mapFile string, folders ...string) error {
	files, whole, err := draw()
	if err != nil {
		return err
	}
	if mapFile != "" {
		data, err := encode(whole())
		if err != nil {
			return err
		}
		if err := os.WriteFile(mapFile, data, 0o644); err != nil {
			return err
		}
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

// draw returns every file by name, and a function that draws the whole map.
func draw() (files map[string][]byte, whole func() *Canvas, err error) {
	objects, sprites, err := pack(slices.Concat(trees(), houses(), props()))
	if err != nil {
		return nil, nil, err
	}
	world, err := newWorld(chimneySmoke(sprites))
	if err != nil {
		return nil, nil, err
	}
	worldFile, err := world.encode()
	if err != nil {
		return nil, nil, err
	}
	tiles := drawTiles()
	pictures := map[string]*Canvas{
		"objects.png":  objects,
		"effects.png":  drawEffects(),
		"icons.png":    drawIcons(),
		"logo.png":     drawLogo(),
		"icon-32.png":  drawIcon(32),
		"icon-180.png": drawIcon(36).Enlarged(5),
		"icon-192.png": drawIcon(32).Enlarged(6),
		"icon-512.png": drawIcon(32).Enlarged(16),
		"avatars.png":  drawPeople(sixPeople()),
		"tiles.png":    tiles,
	}
	files = map[string][]byte{"world.json": worldFile}
	for name, c := range pictures {
		data, err := encode(c)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = data
	}
	return files, func() *Canvas { return preview(world, tiles, objects) }, nil
}
