// Names and speech bubbles. Each is drawn once on a canvas of its own and then only copied: text is slow to draw.

const FONT = '"Trebuchet MS", "Segoe UI", system-ui, sans-serif';
const KEPT = 600; // names in memory

export class Labels {
  #names = new Map();
  #ratio = 1;

  /** Device pixels for a CSS pixel; what was drawn for another ratio is forgotten. */
  set ratio(ratio) {
    if (ratio !== this.#ratio) this.#names.clear();
    this.#ratio = ratio;
  }

  get ratio() {
    return this.#ratio;
  }

  /** A picture of a name, made when first asked for. */
  name(text, mine) {
    const key = (mine ? "+" : "-") + text;
    let canvas = this.#names.get(key);
    if (!canvas) {
      if (this.#names.size >= KEPT) this.#names.clear();
      canvas = this.#drawName(text, mine);
      this.#names.set(key, canvas);
    }
    return canvas;
  }

  #drawName(text, mine) {
    const r = this.#ratio;
    const canvas = document.createElement("canvas");
    let context = canvas.getContext("2d");
    const font = `600 ${13 * r}px ${FONT}`;
    context.font = font;
    const shown = shorten(context, text, 170 * r);
    canvas.width = Math.ceil(context.measureText(shown).width + 8 * r);
    canvas.height = Math.ceil(20 * r);
    context = canvas.getContext("2d");
    context.font = font;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.strokeStyle = "rgba(36, 22, 40, 0.85)";
    context.lineWidth = 3.5 * r;
    context.strokeText(shown, 4 * r, 10 * r);
    context.fillStyle = mine ? "#ffe98a" : "#ffffff";
    context.fillText(shown, 4 * r, 10 * r);
    return canvas;
  }

  /** A picture of a speech bubble, whose tail ends in the middle of its lower edge. */
  bubble(text) {
    const r = this.#ratio;
    const canvas = document.createElement("canvas");
    let context = canvas.getContext("2d");
    const font = `500 ${14 * r}px ${FONT}`;
    context.font = font;
    const lines = wrap(context, text, 200 * r, 4);
    const line = 18 * r;
    const pad = 9 * r;
    const tail = 8 * r;
    const width = Math.max(...lines.map((l) => context.measureText(l).width), 14 * r) + 2 * pad;
    const height = lines.length * line + 2 * pad - 4 * r;
    canvas.width = Math.ceil(width + 4 * r);
    canvas.height = Math.ceil(height + tail + 4 * r);
    context = canvas.getContext("2d");
    const middle = canvas.width / 2;
    const edge = 2 * r;
    context.beginPath();
    context.roundRect(edge, edge, width, height, 8 * r);
    context.moveTo(middle - 7 * r, edge + height);
    context.lineTo(middle, edge + height + tail);
    context.lineTo(middle + 7 * r, edge + height);
    context.strokeStyle = "#241628";
    context.lineWidth = 3 * r;
    context.stroke();
    context.fillStyle = "#fffaf0";
    context.fill();
    context.font = font;
    context.textBaseline = "middle";
    context.fillStyle = "#2b1b2e";
    lines.forEach((l, i) => context.fillText(l, edge + pad, edge + pad - 2 * r + line * (i + 0.5)));
    return canvas;
  }
}

/** Breaks text into lines that fit, by words and where it must be within words; the last line says when there is more. */
export function wrap(context, text, width, most) {
  const lines = [];
  let line = "";
  const words = text.split(/\s+/).filter(Boolean);
  for (let word of words) {
    const joined = line ? line + " " + word : word;
    if (context.measureText(joined).width <= width) {
      line = joined;
      continue;
    }
    if (line) lines.push(line);
    line = "";
    while (context.measureText(word).width > width) {
      const characters = [...word];
      let n = characters.length;
      while (n > 1 && context.measureText(characters.slice(0, n).join("")).width > width) n = n > 16 ? n >> 1 : n - 1;
      lines.push(characters.slice(0, n).join(""));
      word = characters.slice(n).join("");
      if (lines.length > most) break;
    }
    line = word;
    if (lines.length > most) break;
  }
  if (line) lines.push(line);
  if (lines.length <= most) return lines;
  const kept = lines.slice(0, most);
  kept[most - 1] = shorten(context, kept[most - 1] + "…", width);
  return kept;
}

function shorten(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && context.measureText(characters.join("") + "…").width > width) characters.pop();
  return characters.join("") + "…";
}
