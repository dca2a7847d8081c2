// Walking: a click or tap, a held pointer that leads, the arrow keys or WASD.
import { SPEED } from "./motion.js";

const LEAD_EVERY = 200; // milliseconds between targets while a pointer or a key is held
const AHEAD = SPEED * 0.6; // units that a held key walks ahead

const KEYS = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
  KeyW: [0, -1], KeyS: [0, 1], KeyA: [-1, 0], KeyD: [1, 0],
};

export class Walking {
  #held = new Map(); // keys that are down: code to direction
  #pointer = null; // { id, x, y } in CSS pixels while pressed
  #last = 0;
  #byKey = false;

  /** walkTo(x, y) takes world places; where() says where I am, or null. */
  constructor(canvas, camera, walkTo, where) {
    this.camera = camera;
    this.walkTo = walkTo;
    this.where = where;
    this.onZoom = () => {};
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      try {
        canvas.setPointerCapture(event.pointerId);
      } catch { /* a pointer that is gone already, or a test's */ }
      this.#pointer = { id: event.pointerId, x: event.offsetX, y: event.offsetY };
      this.#lead(performance.now(), true);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.#pointer?.id === event.pointerId) Object.assign(this.#pointer, { x: event.offsetX, y: event.offsetY });
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => {
        if (this.#pointer?.id === event.pointerId) this.#pointer = null;
      });
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.onZoom(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event, true));
    canvas.addEventListener("keyup", (event) => this.#key(event, false));
    canvas.addEventListener("blur", () => this.rest());
  }

  /** Lets go of everything. */
  rest() {
    this.#held.clear();
    this.#pointer = null;
  }

  #key(event, isDown) {
    const direction = KEYS[event.code];
    if (!direction || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (!isDown) {
      this.#held.delete(event.code);
      if (this.#held.size === 0) this.#stop();
    } else if (!event.repeat) {
      this.#held.set(event.code, direction);
      this.#lead(performance.now(), true);
    }
  }

  // A key that is let go stops the walk where it is.
  #stop() {
    const me = this.where();
    if (this.#byKey && me) this.walkTo(me.x, me.y, false);
    this.#byKey = false;
  }

  /** Called for each picture: whoever holds a key or the pointer goes on. */
  step(now) {
    if (this.#held.size > 0 || this.#pointer) this.#lead(now, false);
  }

  #lead(now, atOnce) {
    if (!atOnce && now - this.#last < LEAD_EVERY) return;
    this.#last = now;
    const me = this.where();
    if (!me) return;
    if (this.#held.size > 0) {
      let x = 0;
      let y = 0;
      for (const [dx, dy] of this.#held.values()) {
        x += dx;
        y += dy;
      }
      const length = Math.hypot(x, y);
      if (length === 0) return;
      this.#byKey = true;
      this.walkTo(me.x + (x / length) * AHEAD, me.y + (y / length) * AHEAD, false);
    } else if (this.#pointer) {
      this.#byKey = false;
      const place = this.camera.toWorld(this.#pointer.x, this.#pointer.y);
      this.walkTo(place.x, place.y, true);
    }
  }
}
