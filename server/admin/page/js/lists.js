// Bans, mutes, moderators and the audit log.

import { get, post } from "./api.js";
import { banSpans, chooseSpan, muteSpans, toast } from "./dialog.js";
import { make, moment, until } from "./format.js";
import { button } from "./players.js";

const byId = (id) => document.getElementById(id);

function fill(body, rows, columns, nothing) {
  if (!rows.length) {
    const td = make("td", "empty", nothing);
    td.colSpan = columns;
    rows = [make("tr", "", "", td)];
  }
  body.replaceChildren(...rows);
}

function cell(className, content) {
  return make("td", className, typeof content === "string" ? content : "", ...(typeof content === "string" ? [] : [content]));
}

const name = (text) => make("bdi", "", text);

/** An address, a network, or a name: names have neither colons nor four numbers. */
export function isAddress(text) {
  return text.includes(":") || /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(text);
}

/** The four lists beside the players. changed is called when something was done. */
export class Lists {
  constructor(changed) {
    this.changed = changed;
    this.shown = []; // of the audit log
    const banned = chooseSpan(byId("ban-form").querySelector(".span"), banSpans);
    const muted = chooseSpan(byId("mute-form").querySelector(".span"), muteSpans);
    this.form("ban-form", "ban", (f) => ({
      [isAddress(f.who.value.trim()) ? "address" : "name"]: f.who.value, for: banned(), reason: f.reason.value,
    }));
    this.form("mute-form", "mute", (f) => ({ name: f.who.value, for: muted(), reason: f.reason.value }));
    this.form("moderator-form", "moderators", (f) => ({ name: f.who.value, moderator: true }));
    byId("older").addEventListener("click", () => this.older().catch((error) => toast(error.message, true)));
  }

  form(id, action, body) {
    const form = byId(id);
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      if (await this.act(action, body(form.elements))) form.reset();
    });
  }

  async act(action, body) {
    try {
      const { done } = await post(action, body);
      toast(done);
    } catch (error) {
      toast(error.message, true);
      return false;
    }
    this.changed();
    return true;
  }

  /** Fetches and shows all but the audit log; returns their lengths. */
  async refresh() {
    const [{ bans }, { mutes }, { moderators }] = await Promise.all([get("bans"), get("mutes"), get("moderators")]);
    fill(byId("bans"), bans.map((b) => make("tr", "", "",
      b.name ? cell("name", name(b.name)) : cell("mono", b.address), cell("when", until(b.until)), cell("wide", b.reason), cell("", name(b.by)), cell("when", moment(b.at)),
      make("td", "acts", "", button("Lift", "Let them in again", () => this.act("unban", b.name ? { name: b.name } : { address: b.address }))))), 6, "Nobody is banned");
    fill(byId("mutes"), mutes.map((m) => make("tr", "", "",
      cell("name", name(m.name)), cell("when", until(m.until)), cell("wide", m.reason), cell("", name(m.by)), cell("when", moment(m.at)),
      make("td", "acts", "", button("Lift", "Let them talk again", () => this.act("unmute", { name: m.name }))))), 6, "Nobody is muted");
    fill(byId("moderators"), moderators.map((m) => make("tr", "", "",
      cell("name", name(m.name)), cell("", m.role),
      make("td", "acts", "", button("Remove", "Take the role away", () => this.act("moderators", { name: m.name, moderator: false }))))), 3, "There are no moderators");
    return { bans: bans.length, mutes: mutes.length, moderators: moderators.length };
  }

  /** Shows the newest page of the audit log. */
  async audit() {
    const { entries } = await get("audit?limit=50");
    // Pages that were opened stay open while nothing new is there.
    if (this.shown.length && entries.length && entries[0].id === this.shown[0].id) return;
    this.shown = entries;
    this.showAudit(entries.length === 50);
  }

  async older() {
    const { entries } = await get("audit?limit=50&before=" + this.shown[this.shown.length - 1].id);
    this.shown = this.shown.concat(entries);
    this.showAudit(entries.length === 50);
  }

  showAudit(more) {
    fill(byId("audit"), this.shown.map((e) => make("tr", "", "",
      cell("when", moment(e.at, true)), cell("", name(e.by)), cell("faint", e.via), cell("", make("span", "badge", e.action)), cell("name", name(e.target)), cell("wide", e.details))),
    6, "Nothing was done yet");
    byId("older").hidden = !more;
  }
}
