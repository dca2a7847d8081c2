// The list of players, searched and sorted by the server, a page at a time.

import { get, post } from "./api.js";
import { ask, banSpans, muteSpans, toast } from "./dialog.js";
import { bytes, count, lasting, make, moment } from "./format.js";
import { WorldMap } from "./map.js";

const pageSize = 50;

/** A button in a row. */
export function button(text, what, act, hot = false) {
  const b = make("button", hot ? "hot" : "", text);
  b.type = "button";
  b.title = what;
  b.addEventListener("click", act);
  return b;
}

export class Players {
  constructor(changed) {
    this.changed = changed;
    this.body = document.getElementById("players");
    this.search = document.getElementById("search");
    this.found = document.getElementById("found");
    this.back = document.getElementById("back");
    this.on = document.getElementById("on");
    this.offset = 0;
    this.order = "name";
    this.reverse = false;
    this.asked = 0;
    this.map = new WorldMap(document.getElementById("map"), (account) => this.find("#" + account));

    let typing;
    this.search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.from(0), 150);
    });
    this.back.addEventListener("click", () => this.from(this.offset - pageSize));
    this.on.addEventListener("click", () => this.from(this.offset + pageSize));
    for (const b of document.querySelectorAll("#panel-players th button")) {
      b.addEventListener("click", () => this.sort(b));
    }
    this.body.addEventListener("pointerover", (e) => this.map.mark(Number(e.target.closest("tr")?.dataset.id || 0)));
    this.body.addEventListener("pointerleave", () => this.map.mark(0));
  }

  find(text) {
    this.search.value = text;
    this.from(0);
  }

  from(offset) {
    this.offset = Math.max(0, offset);
    this.refresh().catch((error) => toast(error.message, true));
  }

  sort(b) {
    this.reverse = this.order === b.dataset.order && !this.reverse;
    this.order = b.dataset.order;
    for (const th of document.querySelectorAll("#panel-players th")) th.removeAttribute("aria-sort");
    b.parentElement.setAttribute("aria-sort", this.reverse ? "descending" : "ascending");
    this.from(0);
  }

  /** Fetches and shows the page; returns how many players there are. */
  async refresh() {
    const mine = ++this.asked;
    const query = new URLSearchParams({ search: this.search.value, order: this.order, offset: this.offset, limit: pageSize });
    if (this.reverse) query.set("reverse", "1");
    const [list, places] = await Promise.all([get("players?" + query), get("map")]);
    if (mine !== this.asked) return; // a later question is under way
    if (this.offset >= list.found && this.offset > 0) {
      this.offset = Math.max(0, Math.floor((list.found - 1) / pageSize) * pageSize);
      return this.refresh();
    }
    this.show(list);
    this.map.show(places.world, places.points);
    return list.total;
  }

  show({ players, found, total }) {
    const last = this.offset + players.length;
    this.found.textContent = found === 0 ? "nobody" : players.length < found
      ? count(this.offset + 1) + "–" + count(last) + " of " + count(found)
      : found < total ? count(found) + " of " + count(total) : count(found);
    this.back.disabled = this.offset === 0;
    this.on.disabled = last >= found;
    // A row under the pointer or the focus stays where it is: rows are kept by name and only what has changed is written.
    const old = new Map([...this.body.children].map((tr) => [tr.dataset.key, tr]));
    const rows = players.map((p) => {
      const key = p.id + " " + p.name;
      const tr = old.get(key) ?? this.row(key);
      this.fill(tr, p);
      return tr;
    });
    if (!rows.length) {
      const tr = make("tr", "", "", make("td", "empty", total ? "Nobody like that is here" : "Nobody is here"));
      tr.firstChild.colSpan = 6;
      rows.push(tr);
    }
    if (rows.length !== this.body.children.length || rows.some((tr, i) => tr !== this.body.children[i])) {
      this.body.replaceChildren(...rows);
    }
  }

  row(key) {
    const tr = make("tr", "", "", make("td", "name"), make("td", "mono"), make("td", "when"), make("td", "number"), make("td", "number faint"), make("td", "acts"));
    tr.dataset.key = key;
    return tr;
  }

  fill(tr, p) {
    tr.dataset.id = p.id;
    const [name, address, since, lag, place, acts] = tr.children;
    const state = JSON.stringify([p.muted_until, p.moderator]);
    if (tr.dataset.state !== state) {
      tr.dataset.state = state;
      name.replaceChildren(make("bdi", "", p.name));
      if (!p.id) name.append(make("span", "badge", "guest"));
      if (p.moderator) name.append(make("span", "badge gold", "moderator"));
      if (p.muted_until) {
        const badge = make("span", "badge bad", "muted");
        badge.title = "until " + moment(p.muted_until).title;
        name.append(badge);
      }
      acts.replaceChildren(...this.buttons(p));
    }
    address.textContent = p.address;
    since.textContent = p.since ? lasting(Date.now() - new Date(p.since)) : "";
    if (p.since) since.title = moment(p.since).title;
    lag.textContent = bytes(p.pending_bytes);
    lag.classList.toggle("behind", p.pending_bytes > 100000);
    lag.classList.toggle("faint", p.pending_bytes === 0);
    place.textContent = p.id ? Math.round(p.x) + ", " + Math.round(p.y) : "";
  }

  buttons(p) {
    const whom = p.name;
    const kick = button("Kick", "Close this connection", () => ask({ title: "Kick " + whom, verb: "Kick" }, (a) => this.act("kick", { name: whom, reason: a.reason })));
    if (!p.id) {
      return [kick, button("Ban address", "Keep this address out", () => ask({ title: "Ban " + p.address, verb: "Ban", spans: banSpans },
        (a) => this.act("ban", { address: p.address, for: a.for, reason: a.reason })), true)];
    }
    const mute = p.muted_until
      ? button("Unmute", "Let this player talk again", () => this.act("unmute", { name: whom }).catch((error) => toast(error.message, true)))
      : button("Mute", "Keep this player from talking", () => ask({ title: "Mute " + whom, verb: "Mute", spans: muteSpans },
        (a) => this.act("mute", { name: whom, for: a.for, reason: a.reason })));
    const ban = button("Ban", "Keep this account out", () => ask({ title: "Ban " + whom, verb: "Ban", spans: banSpans, address: p.address },
      (a) => this.act("ban", { name: whom, address: a.address, for: a.for, reason: a.reason })), true);
    return [kick, mute, ban];
  }

  async act(action, body) {
    const { done } = await post(action, body);
    toast(done);
    this.changed();
  }
}
