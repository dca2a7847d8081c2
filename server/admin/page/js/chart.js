// Graphs of the last minutes on canvases.

import { make } from "./format.js";

/** Colours of the style sheet, read again when the theme changes. */
export const paint = {};
export function readPaint() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["a", "b", "c", "line", "soft", "text", "card", "gold"]) {
    paint[name] = style.getPropertyValue("--" + name).trim();
  }
}

/** Makes the canvas as fine as the screen and returns its context and size in CSS pixels; null while it is not shown. */
export function fit(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  if (!width || !height) return null;
  const ratio = window.devicePixelRatio || 1;
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height };
}

/** A round number at or above n: 1, 2, 2.5 or 5 times a power of ten. */
export function roundUp(n) {
  if (!(n > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  for (const f of [1, 2, 2.5, 5, 10]) {
    if (f * power >= n * 0.9999) return f * power;
  }
  return 10 * power;
}

/**
 * One value for each pixel from the samples, oldest first: the mean, or the most when peak is set; null where there is none.
 * times are the samples' in ms.
 */
export function columns(times, values, from, to, width, peak) {
  const n = Math.max(1, Math.round(width));
  const sum = new Float64Array(n), counted = new Uint32Array(n);
  for (let i = times.length - 1; i >= 0 && times[i] >= from; i--) {
    const at = Math.min(n - 1, Math.floor(((times[i] - from) / (to - from)) * n));
    if (at < 0) continue;
    if (peak) sum[at] = counted[at] ? Math.max(sum[at], values[i]) : values[i];
    else sum[at] += values[i];
    counted[at]++;
  }
  const out = new Array(n).fill(null);
  let last = -1;
  const most = Math.max(2, Math.ceil((5000 / (to - from)) * n)); // a gap of more than five seconds stays one
  for (let x = 0; x < n; x++) {
    if (!counted[x]) continue;
    out[x] = peak ? sum[x] : sum[x] / counted[x];
    if (last >= 0 && x - last > 1 && x - last <= most) {
      for (let k = last + 1; k < x; k++) out[k] = out[last] + ((out[x] - out[last]) * (k - last)) / (x - last);
    }
    last = x;
  }
  return out;
}

function line(ctx, ys, left) {
  ctx.beginPath();
  let drawing = false;
  ys.forEach((y, x) => {
    if (y === null) drawing = false;
    else if (drawing) ctx.lineTo(left + x + 0.5, y);
    else {
      ctx.moveTo(left + x + 0.5, y);
      drawing = true;
    }
  });
  ctx.stroke();
}

function area(ctx, ys, left, floor, colour) {
  ctx.fillStyle = colour;
  for (let x = 0; x < ys.length; x++) {
    if (ys[x] !== null) ctx.fillRect(left + x, ys[x], 1, floor - ys[x]);
  }
}

/** A line without axes, for a tile. */
export function spark(canvas, times, values, span) {
  const it = fit(canvas);
  if (!it || times.length < 2) return;
  const to = times[times.length - 1];
  const all = columns(times, values, to - span, to + 1, it.width, false);
  const top = Math.max(1e-9, ...all.filter((v) => v !== null)) * 1.1;
  const ys = all.map((v) => (v === null ? null : it.height - 1 - (v / top) * (it.height - 4)));
  it.ctx.globalAlpha = 0.14;
  area(it.ctx, ys, 0, it.height, paint.a);
  it.ctx.globalAlpha = 0.75;
  it.ctx.strokeStyle = paint.a;
  it.ctx.lineWidth = 1.5;
  line(it.ctx, ys, 0);
  it.ctx.globalAlpha = 1;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A graph with axes and a legend. All graphs share the time under the pointer. */
export class Chart {
  static pointer = null; // from the right edge, in parts of the width
  static all = [];

  /** series: {column, label, colour: "a"|"b"|"c", peak, filled}; text writes a value; least is what the axis goes up to at least. */
  constructor(title, series, text, least) {
    this.series = series;
    this.text = text;
    this.least = least;
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.title = title;
    this.time = make("span", "faint small");
    const legend = make("figcaption", "", "", make("b", "", title, " ", this.time));
    this.outputs = series.map((s) => {
      const value = make("output");
      legend.append(make("span", "key " + s.colour, s.label + " ", value));
      return value;
    });
    this.element = make("figure", "chart", "", legend, this.canvas);
    this.canvas.addEventListener("pointermove", (e) => {
      const box = this.canvas.getBoundingClientRect();
      Chart.pointer = Math.min(1, Math.max(0, (e.clientX - box.left - this.left) / Math.max(1, box.width - this.left)));
      Chart.all.forEach((c) => c.draw());
    });
    this.canvas.addEventListener("pointerleave", () => {
      Chart.pointer = null;
      Chart.all.forEach((c) => c.draw());
    });
    this.left = 52;
    Chart.all.push(this);
  }

  /** Shows the samples of the last span ms. */
  show(times, table, span) {
    Object.assign(this, { times, table, span });
    this.draw();
  }

  draw() {
    if (!this.times || !this.times.length) return;
    const it = fit(this.canvas);
    if (!it) return;
    const { ctx, width, height } = it;
    const left = this.left, floor = height - 20, roof = 6;
    const plot = width - left;
    const to = this.times[this.times.length - 1] + 1, from = to - this.span;
    const all = this.series.map((s) => columns(this.times, this.table[s.column], from, to, plot, s.peak));
    const top = roundUp(Math.max(this.least, ...all.flatMap((c) => c.filter((v) => v !== null))));
    const y = (v) => floor - (v / top) * (floor - roof);

    ctx.font = "11px system-ui, sans-serif";
    ctx.lineWidth = 1;
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    for (let i = 0; i <= 4; i++) {
      const at = Math.round(y((top * i) / 4)) + 0.5;
      ctx.strokeStyle = paint.line;
      ctx.beginPath();
      ctx.moveTo(left, at);
      ctx.lineTo(width, at);
      ctx.stroke();
      if (i % 2 === 0) {
        ctx.fillStyle = paint.soft;
        ctx.fillText(this.text((top * i) / 4), left - 8, at);
      }
    }
    const step = [15e3, 60e3, 300e3, 900e3].find((s) => (this.span / s) * 60 < plot) ?? 900e3;
    ctx.textBaseline = "alphabetic";
    ctx.textAlign = "center";
    for (let t = Math.ceil(from / step) * step; t < to; t += step) {
      const x = left + ((t - from) / this.span) * plot;
      if (x < left + 16 || x > width - 16) continue;
      ctx.fillText((step < 60e3 ? clockSeconds : clock).format(t), x, height - 4);
    }

    const lines = all.map((c) => c.map((v) => (v === null ? null : y(v))));
    this.series.forEach((s, i) => {
      if (!s.filled) return;
      ctx.globalAlpha = 0.16;
      area(ctx, lines[i], left, floor, paint[s.colour]);
      ctx.globalAlpha = 1;
    });
    this.series.forEach((s, i) => {
      ctx.strokeStyle = paint[s.colour];
      ctx.lineWidth = 1.6;
      ctx.lineJoin = "round";
      line(ctx, lines[i], left);
    });

    let at = this.times.length - 1;
    this.time.textContent = "";
    if (Chart.pointer !== null) {
      const t = from + Chart.pointer * this.span;
      at = nearest(this.times, t);
      const x = left + ((this.times[at] - from) / this.span) * plot;
      if (x >= left) {
        ctx.strokeStyle = paint.soft;
        ctx.lineWidth = 1;
        ctx.beginPath();
        ctx.moveTo(Math.round(x) + 0.5, roof);
        ctx.lineTo(Math.round(x) + 0.5, floor);
        ctx.stroke();
      }
      this.time.textContent = clockSeconds.format(this.times[at]);
    }
    const said = this.series.map((s, i) => {
      const v = this.text(this.table[s.column][at]);
      this.outputs[i].textContent = v;
      return s.label + " " + v;
    });
    this.canvas.setAttribute("aria-label", this.title + ": " + said.join(", "));
  }
}

/** The index of the time next to t. */
export function nearest(times, t) {
  let lo = 0, hi = times.length - 1;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (times[mid] < t) lo = mid + 1;
    else hi = mid;
  }
  return lo > 0 && t - times[lo - 1] < times[lo] - t ? lo - 1 : lo;
}
