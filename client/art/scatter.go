package main

// scatter lets trees, bushes, reeds and rocks grow where nothing else is.
func scatter(f *furniture, t *terrain) {
	for ty := 1; ty < mapTiles; ty++ {
		for tx := range mapTiles {
			if f.taken[ty][tx] {
				continue
			}
			x := float64(tx-middle) + 0.2 + 0.6*noise(tx, ty, 500)
			y := float64(ty-middle) + 0.3 + 0.6*noise(tx, ty, 501)
			if name := growth(t, tx, ty); name != "" {
				f.put(name, x, y)
			}
		}
	}
}

// growth says what grows on a tile, if anything.
func growth(t *terrain, tx, ty int) string {
	n, kind := noise(tx, ty, 502), noise(tx, ty, 503)
	if wet := t.water.mask(tx, ty); wet != 0 {
		if wet != all && n < 0.16 && !paved(t, tx, ty) {
			return "reeds"
		}
		return ""
	}
	if paved(t, tx, ty) || t.soil.mask(tx, ty) != 0 || t.sand.mask(tx, ty) != 0 {
		return ""
	}
	if t.nearWater(tx, ty, 1) {
		if n < 0.05 {
			return "bush"
		}
		return ""
	}
	// A crown hides the three tiles above its trunk: keep it off the roads.
	overRoad := paved(t, tx, ty-1) || paved(t, tx, ty-2) || paved(t, tx, ty-3)
	rim := min(tx, ty, mapTiles-1-tx, mapTiles-1-ty)
	switch {
	case overRoad && n < 0.10:
		return low(kind)
	case overRoad:
		return ""
	case rim < 3 && n < 0.42, rim < 6 && n < 0.16, t.wood.mask(tx, ty) == all && n < 0.2:
		return tree(tx, ty, kind)
	case n < 0.006:
		return "rock"
	case n < 0.012:
		return "pebbles"
	case n < 0.03:
		return low(kind)
	case smooth(tx, ty, 8, 504) > 0.62 && n < 0.15:
		return lone(kind)
	case n < 0.045:
		return lone(kind)
	}
	return ""
}

func paved(t *terrain, tx, ty int) bool {
	return t.dirt.mask(tx, ty) != 0 || t.cobble.mask(tx, ty) != 0
}

// low is what does not hide anybody.
func low(kind float64) string {
	switch {
	case kind < 0.4:
		return "bush"
	case kind < 0.6:
		return "berries"
	case kind < 0.75:
		return "bush-dark"
	case kind < 0.88:
		return "stump"
	}
	return "rock"
}

// lone is a tree of the meadows.
func lone(kind float64) string {
	switch {
	case kind < 0.45:
		return "oak"
	case kind < 0.6:
		return "sapling"
	case kind < 0.72:
		return "birch"
	case kind < 0.8:
		return "apple"
	case kind < 0.92:
		return "bush"
	}
	return "oak-dark"
}

// tree is a tree of the woods, which differ by corner of the map: pines in the north-west, maples in the north-east, oaks in
// the south-east, birches in the south-west.
func tree(tx, ty int, kind float64) string {
	if kind > 0.94 {
		return low((kind - 0.94) / 0.06)
	}
	north, west := ty < middle, tx < middle+10
	switch {
	case north && west && kind < 0.62:
		return "pine"
	case north && west && kind < 0.82:
		return "pine-young"
	case north && !west && kind < 0.55:
		return "maple"
	case !north && west && kind < 0.5:
		return "birch"
	case !north && west && kind < 0.6:
		return "pine"
	case kind < 0.7:
		return "oak-dark"
	case kind < 0.86:
		return "oak"
	}
	return "pine"
}
