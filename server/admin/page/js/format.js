// Numbers and times as people read them.

/** An element with a class, a text and children. */
export function make(tag, className = "", text = "", ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text) e.textContent = text;
  e.append(...children);
  return e;
}

export function count(n) {
  return Math.round(n).toLocaleString("en");
}

/** A rate or size with three digits: 7, 1.25 k, 12.5 M. */
export function short(n) {
  for (const [unit, of] of [[" G", 1e9], [" M", 1e6], [" k", 1e3]]) {
    if (n >= of) return digits(n / of) + unit;
  }
  return n > 0 && n < 10 && n % 1 ? n.toFixed(1) : String(Math.round(n));
}

const digits = (n) => (n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2)).replace(/\.0+$/, "");

export function bytes(n) {
  return n >= 1000 ? short(n) + "B" : Math.round(n) + " B";
}

export function milliseconds(n) {
  if (!n) return "0 ms";
  if (n >= 1000) return (n / 1000).toFixed(1) + " s";
  return (n >= 10 ? n.toFixed(0) : n >= 1 ? n.toFixed(1) : n.toFixed(2)) + " ms";
}

/** A duration in its largest unit or two. */
export function lasting(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor((s % 86400) / 3600) + " h";
}

const dateTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** A <time> of an RFC 3339 text; the browser's time zone, the whole of it in the tooltip. */
export function moment(text, seconds = false) {
  const at = new Date(text);
  const e = make("time", "", (seconds || at.getFullYear() !== new Date().getFullYear() ? dateTime : shortTime).format(at));
  e.dateTime = text;
  e.title = dateTime.format(at);
  return e;
}

/** Until when, from an RFC 3339 text or null for good. */
export function until(text) {
  if (!text) return document.createTextNode("for good");
  const e = make("span", "", "", moment(text));
  const left = new Date(text) - Date.now();
  if (left > 0) e.append(make("span", "faint", " · " + lasting(left) + " left"));
  return e;
}
