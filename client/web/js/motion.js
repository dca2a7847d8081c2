// Where actors are shown between what the server says. Times are milliseconds, places world units.

export const SPEED = 70; // units per second, the server's walking speed
export const SNAP = 200; // units: farther apart is not corrected smoothly but at once

const REST = 600; // milliseconds of silence after which an actor is taken to have stood
const MEMORY = 2500; // milliseconds of one's own way that are remembered
const AHEAD = 20; // units that the server may be ahead on one's own way
const SILENCE = 800; // milliseconds without news after which the server's last place holds

/** Follower shows another player: a little in the past, smoothly from one known place to the next. */
export class Follower {
  #samples;
  #interval = 100; // between updates, averaged
  #lag = 150; // how far in the past it is shown

  constructor(x, y, now) {
    this.place(x, y, now);
  }

  /** Puts it somewhere at once. */
  place(x, y, now) {
    this.x = x;
    this.y = y;
    this.#samples = [{ t: now, x, y }];
  }

  /** Takes a place from the server. */
  offer(x, y, now) {
    const last = this.#samples.at(-1);
    const away = Math.hypot(x - last.x, y - last.y);
    if (Math.hypot(x - this.x, y - this.y) > SNAP) {
      this.place(x, y, now);
      return;
    }
    const gap = now - last.t;
    if (gap > Math.max(REST, 3 * this.#interval)) {
      // It stood there until it set out, which is as long ago as the way takes, but not before what is shown now.
      this.#samples.push({ t: now - Math.min(gap, this.#lag, (away / SPEED) * 1000), x: last.x, y: last.y });
    } else if (gap > 0) {
      const change = Math.min(gap, 1000) - this.#interval;
      this.#interval += change * (change > 0 ? 0.5 : 0.1); // late updates are seen, early ones are not
    }
    this.#samples.push({ t: now, x, y });
    if (this.#samples.length > 64) this.#samples.splice(0, 32);
  }

  /** Moves on to a new time. */
  step(now, seconds) {
    const wanted = Math.min(1200, this.#interval * 1.5 + 20);
    this.#lag += (wanted - this.#lag) * Math.min(1, 2 * seconds);
    const t = now - this.#lag;
    const samples = this.#samples;
    while (samples.length > 1 && samples[1].t <= t) samples.shift();
    const [a, b] = samples;
    if (!b || t <= a.t) {
      this.x = a.x;
      this.y = a.y;
      return;
    }
    const share = (t - a.t) / (b.t - a.t);
    this.x = a.x + (b.x - a.x) * share;
    this.y = a.y + (b.y - a.y) * share;
  }

  /** Forgets the past, after a time in which nothing was shown. */
  catchUp(now) {
    const { x, y } = this.#samples.at(-1);
    this.place(x, y, now);
  }
}

/**
 * Walker shows one's own player: it walks at once, and what the server says later corrects it. The server is behind by the
 * network's delay, so its place is compared with the way that was walked, not with where the way has led since.
 */
export class Walker {
  #way = []; // { t, x, y } of the last seconds
  #fixX = 0; // what is still to be corrected
  #fixY = 0;
  #known = null; // { t, x, y }: what the server said last
  #stoodSince = 0;

  constructor(x, y) {
    this.x = x;
    this.y = y;
    this.target = null;
  }

  walkTo(x, y) {
    this.target = { x, y };
  }

  /** Puts it somewhere at once. */
  place(x, y) {
    this.x = x;
    this.y = y;
    this.#way = [];
    this.#known = null;
    this.#fixX = this.#fixY = 0;
  }

  /** Takes the place that the server has for it. */
  correct(x, y, now) {
    if (Math.hypot(x - this.x, y - this.y) > SNAP) {
      this.place(x, y);
      return;
    }
    this.#known = { t: now, x, y };
    const near = this.#nearestOnWay(x, y);
    this.#fixX = x - near.x;
    this.#fixY = y - near.y;
  }

  // The point of the way, walked or just ahead, that is nearest to a place.
  #nearestOnWay(x, y) {
    let near = { x: this.x, y: this.y };
    let least = Math.hypot(x - near.x, y - near.y);
    const look = (a, b) => {
      const dx = b.x - a.x;
      const dy = b.y - a.y;
      const length = dx * dx + dy * dy;
      const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / length));
      const point = { x: a.x + dx * share, y: a.y + dy * share };
      const away = Math.hypot(x - point.x, y - point.y);
      if (away < least) {
        least = away;
        near = point;
      }
    };
    const way = this.#way;
    for (let i = 1; i < way.length; i++) look(way[i - 1], way[i]);
    if (way.length > 0) look(way.at(-1), this);
    if (this.target) {
      const left = Math.hypot(this.target.x - this.x, this.target.y - this.y);
      const share = left === 0 ? 0 : Math.min(1, AHEAD / left);
      look(this, { x: this.x + (this.target.x - this.x) * share, y: this.y + (this.target.y - this.y) * share });
    }
    return near;
  }

  step(now, seconds) {
    if (this.target) {
      const dx = this.target.x - this.x;
      const dy = this.target.y - this.y;
      const left = Math.hypot(dx, dy);
      const reach = SPEED * seconds;
      if (left <= reach) {
        this.x = this.target.x;
        this.y = this.target.y;
        this.target = null;
        this.#stoodSince = now;
      } else {
        this.x += (dx / left) * reach;
        this.y += (dy / left) * reach;
      }
    } else if (this.#known && now - Math.max(this.#known.t, this.#stoodSince) > SILENCE) {
      // Both stand, and the server has said its last word.
      this.#fixX = this.#known.x - this.x;
      this.#fixY = this.#known.y - this.y;
    }
    this.#repair(1 - Math.exp(-6 * seconds));
    const last = this.#way.at(-1);
    if (!last || now - last.t >= 25) this.#way.push({ t: now, x: this.x, y: this.y });
    while (this.#way.length > 0 && now - this.#way[0].t > MEMORY) this.#way.shift();
  }

  // Moves by a share of the correction, and the remembered way with it.
  #repair(share) {
    if (Math.hypot(this.#fixX, this.#fixY) < 0.05) return;
    const dx = this.#fixX * share;
    const dy = this.#fixY * share;
    this.#fixX -= dx;
    this.#fixY -= dy;
    this.x += dx;
    this.y += dy;
    for (const p of this.#way) {
      p.x += dx;
      p.y += dy;
    }
  }
}

/** Directions in the order of the rows of avatars.png. */
export const DOWN = 0;
export const LEFT = 1;
export const RIGHT = 2;
export const UP = 3;

/** The direction of a movement; near a diagonal the one before stays, so that nobody flickers. */
export function facing(dx, dy, before) {
  const across = Math.abs(dx);
  const along = Math.abs(dy);
  if (across < 1e-6 && along < 1e-6) return before;
  const sideways = before === LEFT || before === RIGHT;
  if (sideways ? across > along * 0.8 : across > along * 1.25) return dx < 0 ? LEFT : RIGHT;
  return dy < 0 ? UP : DOWN;
}
