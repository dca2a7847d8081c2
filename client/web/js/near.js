// The list of who is near. A press on a name walks there.
import { plain } from "./text.js";

const SHOWN = 30;
const EVERY = 500; // milliseconds

export class Near {
  #last = -Infinity;
  #shown = "";

  /** elements: { list, count, toggle, panel }. */
  constructor(elements, document) {
    this.el = elements;
    this.document = document;
    this.onVisit = () => {}; // (id of an actor)
    elements.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.onVisit(Number(button.value));
    });
    elements.toggle.addEventListener("click", () => this.open(!elements.panel.classList.contains("open")));
  }

  open(yes) {
    this.el.panel.classList.toggle("open", yes);
    this.el.toggle.setAttribute("aria-expanded", String(yes));
  }

  /** Shows the actors, nearest first, now and then; the page is touched only when something has changed. */
  update(actors, now) {
    if (now - this.#last < EVERY) return;
    this.#last = now;
    const near = actors.near();
    this.el.count.textContent = String(near.length);
    const rows = near.slice(0, SHOWN).map(({ actor, distance }) => ({ actor, steps: Math.round(distance / 32) }));
    const key = rows.map(({ actor, steps }) => `${actor.id} ${actor.name} ${steps}`).join("\n") + near.length;
    if (key === this.#shown) return;
    this.#shown = key;
    this.#fill(rows, near.length - rows.length);
  }

  #fill(rows, more) {
    const { list } = this.el;
    const focused = list.contains(this.document.activeElement) ? this.document.activeElement.value : null;
    while (list.childElementCount > rows.length) list.lastElementChild.remove();
    while (list.childElementCount < rows.length) list.append(this.#row());
    rows.forEach(({ actor, steps }, i) => {
      const button = list.children[i].firstElementChild;
      const [face, name, far] = button.children;
      button.value = String(actor.id);
      button.title = `Walk to ${plain(actor.name)}`;
      face.className = `face avatar${actor.avatar}`;
      name.textContent = plain(actor.name);
      far.textContent = steps <= 2 ? "here" : `${steps} steps`;
      if (button.value === focused) button.focus();
    });
    this.el.panel.classList.toggle("nobody", rows.length === 0);
    this.el.more.textContent = more > 0 ? `and ${more} more` : "";
  }

  #row() {
    const { document } = this;
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const face = document.createElement("span");
    const name = document.createElement("bdi");
    name.className = "name";
    const far = document.createElement("span");
    far.className = "far";
    button.append(face, name, far);
    row.append(button);
    return row;
  }
}
