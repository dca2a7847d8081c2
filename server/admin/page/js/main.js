// The operator's page: logs in, then asks once a second what is new.

import { get, login, logout, post } from "./api.js";
import { toast } from "./dialog.js";
import { lasting } from "./format.js";
import { Dashboard, History } from "./history.js";
import { Lists } from "./lists.js";
import { Players } from "./players.js";
import { setUpTheme } from "./theme.js";

const byId = (id) => document.getElementById(id);

const history = new History();
const dashboard = new Dashboard(byId("tiles"), byId("charts"));
const players = new Players(() => refreshLists());
const lists = new Lists(() => refreshLists());

let status = null;
let inside = false;
let timer = 0;
let beat = 0;

/** Shows the login, with a reason if there is one. */
function outside(why = "") {
  inside = false;
  clearTimeout(timer);
  byId("office").hidden = true;
  byId("login").hidden = false;
  byId("login-error").textContent = why;
  byId("token").focus();
}

async function enter() {
  status = await get("status");
  byId("login").hidden = true;
  byId("office").hidden = false;
  inside = true;
  await tick();
}

/** Once a second: the samples; every other second the players; every fifth the lists. */
async function tick() {
  clearTimeout(timer);
  if (!inside) return;
  if (!document.hidden) {
    try {
      await history.fetch();
      dashboard.draw(history, status.max_players);
      if (beat % 2 === 0) await refreshPlayers();
      if (beat % 5 === 0) {
        status = await get("status");
        await refreshLists(false);
      }
      linked(true);
    } catch (error) {
      if (error.status === 401) return outside(error.message);
      linked(false, error.message);
    }
    beat++;
  }
  if (inside) timer = setTimeout(tick, 1000);
}

function linked(live, why = "") {
  const link = byId("link");
  link.className = live ? "pill live" : "pill lost";
  const text = live ? "live" : why;
  if (link.textContent !== text) link.textContent = text;
  if (live) {
    byId("about").textContent = status.version + (status.commit === "unknown" ? "" : " · " + status.commit.slice(0, 7)) +
      " · up " + lasting(Date.now() - new Date(status.started));
  }
}

const shown = () => document.querySelector("#tabs [aria-selected=true]").id.slice("tab-".length);

async function refreshPlayers() {
  if (shown() === "players") await players.refresh();
  badge("players", history.last("players") + history.last("guests"));
}

/** Fetches the lists; after something was done also the players. */
async function refreshLists(done = true) {
  try {
    const n = await lists.refresh();
    for (const name of ["bans", "mutes", "moderators"]) badge(name, n[name]);
    if (shown() === "audit") await lists.audit();
    if (done) await players.refresh();
  } catch (error) {
    if (error.status === 401) outside(error.message);
    else if (done) toast(error.message, true);
    else throw error;
  }
}

function badge(name, n) {
  byId("tab-" + name).querySelector("b").textContent = n ? n.toLocaleString("en") : "";
}

function choose(tab) {
  for (const t of byId("tabs").children) {
    const is = t === tab;
    t.setAttribute("aria-selected", String(is));
    t.tabIndex = is ? 0 : -1;
    byId(t.getAttribute("aria-controls")).hidden = !is;
  }
  refreshLists(true);
}

byId("login-form").addEventListener("submit", async (e) => {
  e.preventDefault();
  try {
    await login(byId("token").value, byId("operator").value);
    byId("token").value = "";
    await enter();
  } catch (error) {
    byId("login-error").textContent = error.message;
  }
});

byId("logout").addEventListener("click", async () => {
  try {
    await logout();
    outside();
  } catch (error) {
    toast(error.message, true);
  }
});

byId("announce-form").addEventListener("submit", async (e) => {
  e.preventDefault();
  try {
    const { done } = await post("announce", { text: byId("announce-text").value });
    byId("announce-text").value = "";
    toast(done);
    if (shown() === "audit") await lists.audit();
  } catch (error) {
    toast(error.message, true);
  }
});

byId("spans").addEventListener("change", (e) => {
  dashboard.span = Number(e.target.value) * 1000;
  dashboard.draw(history, status.max_players);
});

byId("tabs").addEventListener("click", (e) => {
  const tab = e.target.closest("[role=tab]");
  if (tab) choose(tab);
});
byId("tabs").addEventListener("keydown", (e) => {
  const way = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
  if (!way) return;
  const tabs = [...byId("tabs").children];
  const tab = tabs[(tabs.indexOf(document.activeElement) + way + tabs.length) % tabs.length];
  tab.focus();
  choose(tab);
});

const redraw = () => {
  if (inside) {
    dashboard.draw(history, status.max_players);
    players.map.draw();
  }
};
setUpTheme(byId("theme"), redraw);
window.addEventListener("resize", redraw);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && inside) tick();
});

enter().catch((error) => outside(error.status === 401 ? "" : error.message));
