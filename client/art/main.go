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
	objects, sprites, err := pack(slices.Concat(trees(), houses(), props()))
	if err != nil {
		return nil, err
	}
	_ = sprites
	pictures := map[string]*Canvas{
		"objects.png": objects,
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

