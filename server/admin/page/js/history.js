// The tiles and graphs at the top: the last hour, a sample a second.

import { get } from "./api.js";
import { Chart, readPaint, spark } from "./chart.js";
import { bytes, count, make, milliseconds, short } from "./format.js";

const kept = 3600;

/** Tables of the samples: the times in ms, and a list for each column. */
export class History {
  constructor() {
    this.next = 0;
    this.times = [];
    this.table = {};
    this.cold = new Set();
  }

  /** Fetches what is new. */
  async fetch() {
    const { fields, samples, next } = await get("history?from=" + this.next);
    if (next < this.next) { // the server has started afresh
      this.next = 0;
      this.times = [];
      this.table = {};
      return this.fetch();
    }
    for (const name of fields) this.table[name] ??= [];
    for (const row of samples) fields.forEach((name, i) => this.table[name].push(row[i]));
    for (const name of fields) this.table[name].splice(0, this.table[name].length - kept);
    this.times = this.table.at_ms ?? [];
    this.next = next;
  }

  last(name) {
    const list = this.table[name];
    return list && list.length ? list[list.length - 1] : 0;
  }
}

const tiles = [
  { label: "Players", column: "players", text: count, more: (h) => count(h.last("guests")) + " guests" },
  { label: "Connections", column: "connections", text: count, more: (h, most) => (most ? "of " + short(most) : "") },
  { label: "Tick", column: "tick_ms", text: milliseconds, more: (h) => "most " + milliseconds(h.last("tick_max_ms")) },
  { label: "Late by", column: "late_max_ms", text: milliseconds, more: () => "at most" },
  { label: "Messages", column: "messages_per_second", text: short, more: () => "a second" },
  { label: "Sent", column: "bytes_out_per_second", text: bytes, more: () => "a second" },
  { label: "Processor", column: "cpu_cores", text: (n) => (n * 100).toFixed(0) + " %", more: () => "of a core" },
  { label: "Memory", column: "memory_bytes", text: bytes, more: (h) => (h.last("queue") ? count(h.last("queue")) + " logins wait" : "") },
];

/** Draws a History into the page. */
export class Dashboard {
  constructor(tileBox, chartBox) {
    this.tiles = tiles.map((t) => {
      const value = make("dd"), more = make("span"), canvas = make("canvas");
      canvas.setAttribute("aria-hidden", "true");
      tileBox.append(make("dl", "tile", "", make("dt", "", "", make("span", "", t.label), more), value, canvas));
      return { ...t, value, moreText: more, canvas };
    });
    this.charts = [
      new Chart("People", [
        { column: "players", label: "players", colour: "a", filled: true },
        { column: "connections", label: "connections", colour: "b" },
      ], short, 10),
      new Chart("Tick", [
        { column: "late_max_ms", label: "late", colour: "b", peak: true },
        { column: "tick_max_ms", label: "longest", colour: "c", peak: true },
        { column: "tick_ms", label: "mean", colour: "a", filled: true },
      ], milliseconds, 1),
      new Chart("Messages a second", [
        { column: "messages_per_second", label: "in", colour: "a", filled: true },
        { column: "chats_per_second", label: "chats", colour: "b" },
      ], short, 10),
      new Chart("Bytes a second", [
        { column: "bytes_out_per_second", label: "out", colour: "a", filled: true },
        { column: "bytes_in_per_second", label: "in", colour: "b" },
      ], bytes, 1000),
    ];
    chartBox.append(...this.charts.map((c) => c.element));
    this.span = 300e3;
  }

  draw(history, most) {
    readPaint();
    const { times } = history;
    const known = times.length ? times[times.length - 1] - times[0] : 0;
    const fitting = (span) => Math.min(span, Math.max(known, 60e3)); // a young server fills the graphs too
    for (const t of this.tiles) {
      t.value.textContent = t.text(history.last(t.column));
      t.moreText.textContent = t.more(history, most);
      spark(t.canvas, times, history.table[t.column] ?? [], fitting(300e3));
    }
    for (const c of this.charts) c.show(times, history.table, fitting(this.span));
  }
}
