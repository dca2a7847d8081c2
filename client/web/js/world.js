// The map: what world.json says of the ground and of what stands on it. The format is described in client/art/ART.md.

export class World {
  constructor(json) {
    this.tile = json.tile;
    this.scale = json.scale;
    this.unit = json.tile * json.scale; // one tile in world units
    this.width = json.width;
    this.height = json.height;
    this.left = json.left;
    this.top = json.top;
    this.right = json.left + json.width * this.unit;
    this.bottom = json.top + json.height * this.unit;
    this.columns = json.columns;
    this.animated = json.animated;
    const tiles = json.width * json.height;
    this.ground = unpack(json.ground, tiles);
    this.detail = unpack(json.detail, tiles);
    this.swim = unpack(json.swim, tiles);
    this.sprites = json.sprites;
    this.objects = []; // sorted by y
    for (let i = 0; i < json.objects.length; i += 3) {
      this.objects.push({ sprite: json.sprites[json.objects[i]], x: json.objects[i + 1], y: json.objects[i + 2], alpha: 1 });
    }
  }

  /** Says whether one who stands there swims. */
  swims(x, y) {
    const tx = Math.floor((x - this.left) / this.unit);
    const ty = Math.floor((y - this.top) / this.unit);
    if (tx < 0 || ty < 0 || tx >= this.width || ty >= this.height) return false;
    return this.swim[ty * this.width + tx] === 1;
  }

  /** The nearest place inside the bounds. */
  clamp(x, y) {
    return { x: Math.min(this.right, Math.max(this.left, x)), y: Math.min(this.bottom, Math.max(this.top, y)) };
  }

  /** Index of the first object whose y is at least so much. */
  firstFrom(y) {
    let low = 0;
    let high = this.objects.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.objects[middle].y < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Expands a layer: base64 of pairs of bytes, how many tiles and which id. */
export function unpack(text, tiles) {
  const runs = atob(text);
  const out = new Uint8Array(tiles);
  let at = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const end = at + runs.charCodeAt(i);
    out.fill(runs.charCodeAt(i + 1), at, end);
    at = end;
  }
  if (at !== tiles) throw new Error(`a layer of ${at} tiles, want ${tiles}`);
  return out;
}
