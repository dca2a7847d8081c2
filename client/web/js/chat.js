// The chat: the log with its unread mark, and the field to talk.
import { fit, MAX_TEXT_BYTES } from "./packet.js";
import { lineElement, plain } from "./text.js";

const KEPT = 200; // lines in the log
const PER_PICTURE = 40; // lines shown at a time; the rest of a flood was never readable
const ANNOUNCE_EVERY = 1500; // milliseconds between announcements to screen readers
const ANNOUNCED = 3; // lines read out; more are counted

export class Chat {
  #waiting = []; // lines that are not in the page yet
  #unread = 0;
  #unannounced = [];
  #lastAnnounced = 0;

  /** elements: { panel, log, form, input, latest, toggle, badge, announcer }. */
  constructor(elements, document) {
    this.el = elements;
    this.document = document;
    this.onSay = () => false; // (text): true when it was sent
    this.onUnread = () => {};
    const { form, input, log, latest, toggle } = elements;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      input.blur();
      this.onLeave?.();
    });
    log.addEventListener("scroll", () => {
      if (this.atEnd) this.#read();
    });
    latest.addEventListener("click", () => this.scrollToEnd());
    toggle.addEventListener("click", () => this.open(!this.isOpen));
  }

  /** Whether the log is unfolded; on large screens it always is. */
  get isOpen() {
    return this.el.panel.classList.contains("open");
  }

  open(yes) {
    this.el.panel.classList.toggle("open", yes);
    this.el.toggle.setAttribute("aria-expanded", String(yes));
    if (yes) this.scrollToEnd();
  }

  get unread() {
    return this.#unread;
  }

  get atEnd() {
    const { log } = this.el;
    return log.scrollHeight - log.scrollTop - log.clientHeight < 12;
  }

  scrollToEnd() {
    const { log } = this.el;
    log.scrollTop = log.scrollHeight;
    this.#read();
  }

  /** Adds a line; it is shown by the next flush(). */
  add(kind, sender, text) {
    const unseen = this.document.hidden && kind === "other";
    if (unseen) this.#count(1);
    this.#waiting.push({ kind, sender, text, date: new Date(), counted: unseen });
    if (this.#waiting.length > 2 * KEPT) this.#waiting.splice(0, KEPT);
  }

  system(text) {
    this.add("system", "", text);
  }

  /** Puts waiting lines into the page: once for each picture, and not at all while the tab is hidden. */
  flush(now) {
    if (this.#waiting.length > 0) {
      const { log } = this.el;
      const followed = this.atEnd;
      const lines = this.#waiting.splice(0, Math.max(PER_PICTURE, this.#waiting.length - KEPT));
      const fragment = this.document.createDocumentFragment();
      for (const line of lines.slice(-KEPT)) fragment.append(lineElement(this.document, line));
      log.append(fragment);
      while (log.childElementCount > KEPT) log.firstElementChild.remove();
      if (followed) this.scrollToEnd();
      else this.#count(lines.filter((line) => line.kind === "other" && !line.counted).length);
      for (const line of lines) if (line.kind !== "own") this.#unannounced.push(line);
    }
    this.#announce(now);
  }

  // Screen readers hear a few lines in full and of more than that the number: nobody can listen to a flood.
  #announce(now) {
    if (this.#unannounced.length === 0 || now - this.#lastAnnounced < ANNOUNCE_EVERY) return;
    this.#lastAnnounced = now;
    const lines = this.#unannounced.splice(0);
    this.el.announcer.textContent = lines.length > ANNOUNCED
      ? `${lines.length} new messages`
      : lines.map((line) => plain(line.sender ? `${line.sender}: ${line.text}` : line.text)).join(". ");
  }

  #submit() {
    const { input } = this.el;
    const text = plain(fit(input.value, MAX_TEXT_BYTES)).trim();
    if (text === "") {
      input.blur();
      this.onLeave?.();
      return;
    }
    if (this.onSay(text)) {
      input.value = "";
      this.scrollToEnd();
    }
  }

  #count(lines) {
    if (lines === 0) return;
    this.#unread += lines;
    this.#showUnread();
  }

  #read() {
    if (this.#unread === 0) return;
    this.#unread = 0;
    this.#showUnread();
  }

  #showUnread() {
    const { latest, badge } = this.el;
    const n = this.#unread;
    latest.hidden = n === 0;
    latest.textContent = n === 1 ? "1 new message" : `${n} new messages`;
    badge.hidden = n === 0;
    badge.textContent = n > 99 ? "99+" : String(n);
    this.onUnread(n);
  }
}
