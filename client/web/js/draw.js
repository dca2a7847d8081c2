// Draws the world and everybody in it on a canvas.
import { Ground } from "./ground.js";
import { Labels } from "./labels.js";

const CELL = 32; // art pixels: an avatar's picture
const FEET_X = 16;
const FEET_Y = 29;
const HEAD = 27; // art pixels from the feet to above the head
const WATERLINE = 23; // rows of a swimmer that are seen
const SINKS = 4; // art pixels
const TALLEST = 240; // world units: how far below the screen things may stand that reach into it
const OBJECT_SECONDS = 0.2; // for each picture of an object
const MOST_NAMES = 50;
const MOST_RISE = 90; // CSS pixels that a bubble moves up to uncover another
const FADED = 0.42; // opacity of what hides me

export class Scene {
  constructor(canvas, world, pictures) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.world = world;
    this.pictures = pictures;
    this.ground = new Ground(world, pictures.tiles);
    this.labels = new Labels();
    this.still = false; // less motion: water and flags do not move
  }

  /** Draws one picture: actors is iterable, me may be null, marker is null or { x, y, since }. seconds counts up. */
  draw(camera, actors, me, marker, seconds) {
    const { context, world } = this;
    context.imageSmoothingEnabled = false;
    context.fillStyle = "#2f5147";
    context.fillRect(0, 0, camera.width, camera.height);
    const time = this.still ? 0 : seconds;
    const { frames, seconds: pace } = world.animated;
    this.ground.draw(context, camera, Math.floor(time / pace) % frames);

    const view = camera.view();
    const seen = [];
    for (const actor of actors) {
      if (actor.x > view.left - 64 && actor.x < view.right + 64 && actor.y > view.top - 16 && actor.y < view.bottom + 80) seen.push(actor);
    }
    seen.sort((a, b) => a.y - b.y || a.id - b.id);
    if (marker) this.#effect(camera, Math.floor(time * 6) % 4, 0, marker.x, marker.y);
    for (const actor of seen) {
      if (!world.swims(actor.x, actor.y)) this.#effect(camera, 0, 2, actor.x, actor.y);
    }
    if (me && me.column >= 2 && !this.still && !world.swims(me.x, me.y)) {
      this.#effect(camera, 1 + (Math.floor(me.walked / 5) % 3), 2, me.x, me.y); // dust
    }
    this.#standing(camera, view, seen, me, time);
    this.#above(camera, seen, me, seconds);
  }

  // Objects and actors together, from the back to the front.
  #standing(camera, view, seen, me, time) {
    const { world } = this;
    let next = 0;
    for (let i = world.firstFrom(view.top - 8); i < world.objects.length; i++) {
      const object = world.objects[i];
      if (object.y > view.bottom + TALLEST) break;
      while (next < seen.length && seen[next].y < object.y) this.#actor(camera, seen[next++], time);
      this.#object(camera, object, view, me, time);
    }
    while (next < seen.length) this.#actor(camera, seen[next++], time);
  }

  #object(camera, object, view, me, time) {
    const { sprite: s } = object;
    const { scale } = this.world;
    const left = object.x - s.ax * scale;
    const top = object.y - s.ay * scale;
    if (left > view.right || left + s.w * scale < view.left || top > view.bottom || top + s.h * scale < view.top) return;
    const phase = s.frames > 1 ? Math.floor(time / OBJECT_SECONDS + Math.abs(object.x)) % s.frames : 0;
    // What stands before me and hides me becomes a veil.
    const hides = me && object.y > me.y && s.h > 24 && me.x > left + 4 && me.x < left + s.w * scale - 4 && me.y - 8 > top && me.y < object.y;
    object.alpha += ((hides ? FADED : 1) - object.alpha) * 0.2;
    const { context } = this;
    const faded = object.alpha < 0.98;
    if (faded) context.globalAlpha = object.alpha;
    const a = camera.art;
    const x = camera.originX + Math.round(object.x * camera.pixels) - s.ax * a;
    const y = camera.originY + Math.round(object.y * camera.pixels) - s.ay * a;
    context.drawImage(this.pictures.objects, s.x + phase * s.w, s.y, s.w, s.h, x, y, s.w * a, s.h * a);
    if (faded) context.globalAlpha = 1;
  }

  #actor(camera, actor, time) {
    const swims = this.world.swims(actor.x, actor.y);
    const a = camera.art;
    const x = Math.round(camera.originX + actor.x * camera.pixels) - FEET_X * a;
    const y = Math.round(camera.originY + actor.y * camera.pixels) - (FEET_Y - (swims ? SINKS : 0)) * a;
    const rows = swims ? WATERLINE : CELL;
    this.context.drawImage(this.pictures.avatars, CELL * actor.column, CELL * (4 * actor.avatar + actor.direction), CELL, rows,
      x, y, CELL * a, rows * a);
    if (swims) this.#effect(camera, Math.floor(time * 4 + Math.abs(actor.id)) % 4, 1, actor.x, actor.y - 3);
  }

  // One picture of effects.png, its centre on a world place.
  #effect(camera, column, row, x, y) {
    const a = camera.art;
    this.context.drawImage(this.pictures.effects, 32 * column, 16 * row, 32, 16,
      Math.round(camera.originX + x * camera.pixels) - 16 * a, Math.round(camera.originY + y * camera.pixels) - 8 * a, 32 * a, 16 * a);
  }

  // Names, then bubbles over all names.
  #above(camera, seen, me, seconds) {
    const { context, labels } = this;
    labels.ratio = camera.ratio;
    for (const actor of named(seen, me)) {
      if (!actor.name || actor.bubble) continue;
      const picture = labels.name(actor.name, actor === me);
      const { x, y } = this.#overHead(camera, actor);
      context.drawImage(picture, Math.round(x - picture.width / 2), Math.round(y - picture.height));
    }
    this.#bubbles(camera, seen, seconds);
  }

  // Bubbles, the nearest to the bottom first. One that would cover another moves up, as far as that makes sense.
  #bubbles(camera, seen, seconds) {
    const { context, labels } = this;
    const placed = [];
    for (let i = seen.length - 1; i >= 0; i--) {
      const actor = seen[i];
      const { bubble } = actor;
      if (!bubble) continue;
      if (seconds > bubble.until) {
        actor.bubble = null;
        continue;
      }
      if (bubble.ratio !== camera.ratio) {
        bubble.picture = labels.bubble(bubble.text);
        bubble.ratio = camera.ratio;
      }
      const { picture } = bubble;
      const over = this.#overHead(camera, actor);
      const left = Math.min(camera.width - picture.width, Math.max(0, Math.round(over.x - picture.width / 2)));
      const lowest = Math.round(over.y - picture.height);
      let top = lowest;
      for (const other of placed) {
        if (left < other.right && left + picture.width > other.left && top < other.bottom && top + picture.height > other.top) {
          top = other.top - picture.height;
        }
      }
      if (lowest - top > MOST_RISE * camera.ratio) top = lowest;
      top = Math.max(0, top);
      placed.push({ left, top, right: left + picture.width, bottom: top + picture.height });
      context.globalAlpha = Math.min(1, (bubble.until - seconds) * 3);
      context.drawImage(picture, left, top);
      context.globalAlpha = 1;
    }
  }

  #overHead(camera, actor) {
    const sunk = this.world.swims(actor.x, actor.y) ? SINKS : 0;
    return {
      x: camera.originX + actor.x * camera.pixels,
      y: camera.originY + actor.y * camera.pixels - (HEAD - sunk) * camera.art,
    };
  }
}

// Whose names are shown: in a crowd those nearest to me, whose own name comes last and so on top.
function named(seen, me) {
  if (!me || seen.length <= MOST_NAMES) return seen;
  const near = (actor) => (actor === me ? -1 : Math.hypot(actor.x - me.x, actor.y - me.y));
  return [...seen].sort((a, b) => near(b) - near(a)).slice(-MOST_NAMES);
}

/** Gives an actor a bubble with what it says, for as long as it takes to read. seconds is the time of draw(). */
export function speak(actor, text, seconds) {
  actor.bubble = { text, until: seconds + Math.min(9, 3 + text.length * 0.06), ratio: 0, picture: null };
}
