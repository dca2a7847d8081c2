// The actors that the server has shown us: oneself and those in view.
import { Follower, Walker, facing, DOWN, SPEED } from "./motion.js";

const STEP = 24; // units for a whole cycle of four pictures: 8 pictures a second at walking speed is 35; a little quicker looks livelier

export class Actors {
  #all = new Map(); // by id

  constructor() {
    this.me = null;
  }

  get size() {
    return this.#all.size;
  }

  all() {
    return this.#all.values();
  }

  get(id) {
    return this.#all.get(id);
  }

  /** Everybody is gone: another login, or the connection was lost. */
  clear() {
    this.#all.clear();
    this.me = null;
  }

  /** Makes me, from the first model after a login. */
  enter(model) {
    this.clear();
    this.me = this.#add(model, new Walker(model.x, model.y));
    return this.me;
  }

  /** Takes a full model or a delta. Returns the actor, or undefined for a delta of nobody known. */
  apply(model, now) {
    const actor = this.#all.get(model.id);
    if (!actor) {
      if (model.name === undefined || model.x === undefined || model.y === undefined) return undefined;
      return this.#add(model, new Follower(model.x, model.y, now));
    }
    if (model.name !== undefined) actor.name = model.name;
    if (model.avatar !== undefined) actor.avatar = avatarOf(model);
    if (model.x !== undefined || model.y !== undefined) {
      const x = model.x ?? actor.known.x;
      const y = model.y ?? actor.known.y;
      actor.known = { x, y };
      if (actor === this.me) actor.motion.correct(x, y, now);
      else actor.motion.offer(x, y, now);
    }
    return actor;
  }

  remove(id) {
    const actor = this.#all.get(id);
    if (actor && actor !== this.me) this.#all.delete(id);
    return actor;
  }

  /** Moves everybody on. */
  step(now, seconds) {
    for (const actor of this.#all.values()) {
      const { motion } = actor;
      motion.step(now, seconds);
      const dx = motion.x - actor.x;
      const dy = motion.y - actor.y;
      actor.x = motion.x;
      actor.y = motion.y;
      animate(actor, dx, dy, now, seconds);
    }
  }

  /** After a time without steps, everybody is where the server last said. */
  catchUp(now) {
    for (const actor of this.#all.values()) {
      if (actor === this.me) {
        actor.motion.target = null;
        actor.motion.place(actor.known.x, actor.known.y);
      } else {
        actor.motion.catchUp(now);
      }
      actor.x = actor.motion.x;
      actor.y = actor.motion.y;
    }
  }

  /** The others by distance from me, nearest first: [{ actor, distance }]. */
  near() {
    const { me } = this;
    if (!me) return [];
    const out = [];
    for (const actor of this.#all.values()) {
      if (actor !== me) out.push({ actor, distance: Math.hypot(actor.x - me.x, actor.y - me.y) });
    }
    return out.sort((a, b) => a.distance - b.distance);
  }

  /** Somebody in view by name; names are unique. */
  named(name) {
    for (const actor of this.#all.values()) if (actor.name === name) return actor;
    return undefined;
  }

  #add(model, motion) {
    const actor = {
      id: model.id, name: model.name, avatar: avatarOf(model), motion, x: model.x, y: model.y, known: { x: model.x, y: model.y },
      direction: DOWN, walked: 0, restless: 0, bubble: null, blinkAt: 0,
    };
    this.#all.set(model.id, actor);
    return actor;
  }
}

const avatarOf = (model) => (model.avatar >= 0 && model.avatar <= 5 ? model.avatar : 0);

/** Chooses direction and column of the sheet from what an actor has just moved. */
export function animate(actor, dx, dy, now, seconds) {
  const moved = Math.hypot(dx, dy);
  if (moved > SPEED * seconds * 0.2 && moved > 1e-3) {
    actor.direction = facing(dx, dy, actor.direction);
    actor.walked += Math.min(moved, 8);
    actor.restless = 0.12; // the walk does not stop for a single late update
  } else {
    actor.restless -= seconds;
  }
  if (actor.restless > 0) {
    actor.column = 2 + (Math.floor((actor.walked / STEP) * 4) % 4);
    return;
  }
  actor.walked = 0;
  if (now > actor.blinkAt + 140) actor.blinkAt = now + 2000 + ((actor.id * 7919 + Math.floor(now)) % 3000);
  actor.column = now > actor.blinkAt ? 1 : 0;
}
