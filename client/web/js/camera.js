// What part of the world is on the screen.

const SEEN = 450; // art pixels that should fit across a screen
const LEAST = 2; // screen pixels (CSS) for one art pixel
const MOST = 6;

export class Camera {
  constructor() {
    this.x = 0; // world place in the middle of the visible part
    this.y = 0;
    this.width = 1; // of the canvas, device pixels
    this.height = 1;
    this.ratio = 1; // device pixels for a CSS pixel
    this.zoomed = 0; // steps by hand
    this.art = 2; // device pixels for an art pixel, always a whole number: pixels stay square
    this.hidden = 0; // device pixels at the bottom that something covers
  }

  /** Takes the size of the canvas in CSS pixels. scale is the map's: world units for an art pixel. */
  resize(width, height, ratio, scale) {
    this.ratio = ratio;
    this.width = Math.max(1, Math.round(width * ratio));
    this.height = Math.max(1, Math.round(height * ratio));
    this.scale = scale;
    const across = Math.min(width, height * 1.6);
    const css = Math.min(MOST, Math.max(LEAST, Math.round(across / SEEN) + this.zoomed));
    this.art = Math.max(1, Math.round(css * ratio));
  }

  /** Device pixels for a world unit. */
  get pixels() {
    return this.art / this.scale;
  }

  /** Moves towards a place; at once when far away. */
  follow(x, y, seconds, world) {
    const share = Math.hypot(x - this.x, y - this.y) > 400 ? 1 : 1 - Math.exp(-9 * seconds);
    this.x += (x - this.x) * share;
    this.y += (y - this.y) * share;
    this.#hold(world);
  }

  // Shows nothing beyond the bounds, where the world is larger than the screen.
  #hold(world) {
    const halfWidth = this.width / this.pixels / 2;
    const halfHeight = (this.height - this.hidden) / this.pixels / 2;
    this.x = hold(this.x, world.left + halfWidth, world.right - halfWidth);
    this.y = hold(this.y, world.top + halfHeight, world.bottom - halfHeight);
  }

  /** Device pixels of the left top corner of the world's (0, 0): whole numbers, so that tiles meet without seams. */
  get originX() {
    return Math.round(this.width / 2 - this.x * this.pixels);
  }

  get originY() {
    return Math.round((this.height - this.hidden) / 2 - this.y * this.pixels);
  }

  /** The world place under a point of the canvas, given in CSS pixels. */
  toWorld(cssX, cssY) {
    return { x: (cssX * this.ratio - this.originX) / this.pixels, y: (cssY * this.ratio - this.originY) / this.pixels };
  }

  /** Where a world place is on the canvas, in CSS pixels. */
  toScreen(x, y) {
    return { x: (this.originX + x * this.pixels) / this.ratio, y: (this.originY + y * this.pixels) / this.ratio };
  }

  /** The visible part of the world. */
  view() {
    const left = -this.originX / this.pixels;
    const top = -this.originY / this.pixels;
    return { left, top, right: left + this.width / this.pixels, bottom: top + this.height / this.pixels };
  }
}

const hold = (value, low, high) => (low > high ? (low + high) / 2 : Math.min(high, Math.max(low, value)));
