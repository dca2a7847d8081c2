// A small map of the world with a dot for every player.

import { fit, paint } from "./chart.js";

export class WorldMap {
  /** choose is called with an account when its dot is clicked. */
  constructor(figure, choose) {
    this.canvas = figure.querySelector("canvas");
    this.caption = figure.querySelector("figcaption");
    this.points = [];
    this.world = [-1, -1, 1, 1];
    this.marked = 0; // an account
    this.canvas.addEventListener("click", (e) => {
      const p = this.near(e);
      if (p) choose(p[2]);
    });
    this.canvas.addEventListener("pointermove", (e) => {
      const box = this.canvas.getBoundingClientRect();
      const [x, y] = this.place(e.clientX - box.left, e.clientY - box.top);
      this.caption.textContent = "at " + Math.round(x) + ", " + Math.round(y);
    });
    this.canvas.addEventListener("pointerleave", () => this.say());
  }

  show(world, points) {
    this.world = world;
    this.points = points;
    this.draw();
    if (!this.canvas.matches(":hover")) this.say();
  }

  say() {
    const [x0, y0, x1, y1] = this.world;
    this.caption.textContent = "The world from " + Math.round(x0) + ", " + Math.round(y0) + " to " + Math.round(x1) + ", " + Math.round(y1);
  }

  /** Marks an account's dot; 0 marks none. */
  mark(account) {
    if (this.marked === account) return;
    this.marked = account;
    this.draw();
  }

  scale() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const [x0, y0, x1, y1] = this.world;
    const by = Math.min((width - 16) / (x1 - x0), (height - 16) / (y1 - y0));
    return { by, left: (width - by * (x1 - x0)) / 2 - by * x0, top: (height - by * (y1 - y0)) / 2 - by * y0 };
  }

  place(left, top) {
    const s = this.scale();
    return [(left - s.left) / s.by, (top - s.top) / s.by];
  }

  near(e) {
    const box = this.canvas.getBoundingClientRect(), s = this.scale();
    let best = null, least = 12 * 12;
    for (const p of this.points) {
      const dx = s.left + p[0] * s.by - (e.clientX - box.left), dy = s.top + p[1] * s.by - (e.clientY - box.top);
      if (dx * dx + dy * dy < least) {
        least = dx * dx + dy * dy;
        best = p;
      }
    }
    return best;
  }

  draw() {
    const it = fit(this.canvas);
    if (!it) return;
    const { ctx } = it, s = this.scale();
    const [x0, y0, x1, y1] = this.world;
    ctx.strokeStyle = paint.line;
    ctx.lineWidth = 1;
    for (let i = 0; i <= 8; i++) {
      ctx.globalAlpha = i % 8 === 0 ? 1 : i === 4 ? 0.8 : 0.4;
      const x = s.left + (x0 + ((x1 - x0) * i) / 8) * s.by, y = s.top + (y0 + ((y1 - y0) * i) / 8) * s.by;
      ctx.beginPath();
      ctx.moveTo(x, s.top + y0 * s.by);
      ctx.lineTo(x, s.top + y1 * s.by);
      ctx.moveTo(s.left + x0 * s.by, y);
      ctx.lineTo(s.left + x1 * s.by, y);
      ctx.stroke();
    }
    const r = this.points.length > 1500 ? 1.5 : this.points.length > 300 ? 2.2 : 3;
    ctx.fillStyle = paint.gold;
    ctx.globalAlpha = this.points.length > 1500 ? 0.5 : 0.75;
    for (const [x, y] of this.points) {
      ctx.beginPath();
      ctx.arc(s.left + x * s.by, s.top + y * s.by, r, 0, 7);
      ctx.fill();
    }
    ctx.globalAlpha = 1;
    const marked = this.points.find((p) => p[2] === this.marked);
    if (marked) {
      ctx.strokeStyle = paint.text;
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(s.left + marked[0] * s.by, s.top + marked[1] * s.by, r + 5, 0, 7);
      ctx.stroke();
    }
  }
}
