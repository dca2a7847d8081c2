// Draws the ground: squares of tiles are drawn once and kept, as many pictures of each as its water has.

const SIDE = 8; // tiles along the side of a square
const KEPT = 220; // squares in memory; each is 64 KB

export class Ground {
  #squares = new Map(); // by key, in order of last use

  constructor(world, tiles) {
    this.world = world;
    this.tiles = tiles;
    this.across = Math.ceil(world.width / SIDE);
    this.wet = new Map(); // whether a square has moving tiles
  }

  /** Draws what the camera sees. phase chooses the picture of moving tiles. */
  draw(context, camera, phase) {
    const { world } = this;
    const size = SIDE * world.tile * camera.art;
    const view = camera.view();
    const step = SIDE * world.unit;
    const last = { x: this.across - 1, y: Math.ceil(world.height / SIDE) - 1 };
    const x0 = Math.max(0, Math.floor((view.left - world.left) / step));
    const x1 = Math.min(last.x, Math.floor((view.right - world.left) / step));
    const y0 = Math.max(0, Math.floor((view.top - world.top) / step));
    const y1 = Math.min(last.y, Math.floor((view.bottom - world.top) / step));
    const left = camera.originX + Math.round(world.left * camera.pixels);
    const top = camera.originY + Math.round(world.top * camera.pixels);
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        context.drawImage(this.#square(x, y, phase), left + x * size, top + y * size, size, size);
      }
    }
  }

  #square(x, y, phase) {
    const place = y * this.across + x;
    const key = place * 8 + (this.wet.get(place) === false ? 0 : phase);
    let square = this.#squares.get(key);
    if (square) {
      this.#squares.delete(key); // to the end of the order of use
    } else {
      square = this.#paint(x, y, phase, place);
      if (this.#squares.size >= KEPT) this.#squares.delete(this.#squares.keys().next().value);
    }
    this.#squares.set(key, square);
    return square;
  }

  #paint(x, y, phase, place) {
    const { world, tiles } = this;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE * world.tile;
    const context = canvas.getContext("2d");
    let wet = false;
    for (let j = 0; j < SIDE; j++) {
      for (let i = 0; i < SIDE; i++) {
        const tx = x * SIDE + i;
        const ty = y * SIDE + j;
        if (tx >= world.width || ty >= world.height) continue;
        for (const layer of [world.ground, world.detail]) {
          let id = layer[ty * world.width + tx];
          if (id === 0) continue;
          if (id >= world.animated.first && id <= world.animated.last) {
            id += phase;
            wet = true;
          }
          const t = world.tile;
          context.drawImage(tiles, (id % world.columns) * t, Math.floor(id / world.columns) * t, t, t, i * t, j * t, t, t);
        }
      }
    }
    this.wet.set(place, wet);
    return canvas;
  }
}
