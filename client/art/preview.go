package main

// preview draws the whole map as a client would, without actors, at one pixel for each art pixel.
func preview(w *World, tiles, objects *Canvas) *Canvas {
	c := NewCanvas(mapTiles*tile, mapTiles*tile)
	for ty := range mapTiles {
		for tx := range mapTiles {
			for _, layer := range []*Layer{w.Ground, w.Detail} {
				if id := int(*layer.at(tx, ty)); id != 0 {
					c.Paste(tiles.Cut(id%tilesWide*tile, id/tilesWide*tile, tile, tile), tx*tile, ty*tile)
				}
			}
		}
	}
	for i := 0; i < len(w.Objects); i += 3 {
		s := w.Sprites[w.Objects[i]]
		x, y := (w.Objects[i+1]-w.Left)/scale, (w.Objects[i+2]-w.Top)/scale
		c.Paste(objects.Cut(s.X, s.Y, s.W, s.H), x-s.AX, y-s.AY)
	}
	return c
}
