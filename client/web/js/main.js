// Puts the parts together: connection, session, world, screens, and the loop that draws.
import * as packet from "./packet.js";
import * as net from "./net.js";
import { Session, OUTSIDE, REGISTERING, ENTERING, INSIDE, RETURNING } from "./session.js";
import { Actors } from "./actors.js";
import { World } from "./world.js";
import { Camera } from "./camera.js";
import { Scene, speak } from "./draw.js";
import { Chat } from "./chat.js";
import { Near } from "./near.js";
import { Login } from "./login.js";
import { Stage } from "./stage.js";
import { Walking } from "./input.js";
import { watchViewport } from "./viewport.js";
import { statusOf } from "./status.js";
import { probe } from "./probe.js";
import { sentence } from "./closing.js";
import { plain } from "./text.js";

const MARKED = 6000; // milliseconds a target marker may last
const LONGEST_STEP = 0.1; // seconds: a longer pause is not walked through in one step
const PAUSE = 1500; // milliseconds without a picture after which everything catches up

const byId = (id) => document.getElementById(id);
const canvas = byId("world");
const hud = byId("hud");
const touch = matchMedia("(pointer: coarse)").matches;
const lessMotion = matchMedia("(prefers-reduced-motion: reduce)");

const clock = {
  now: () => performance.now(),
  setTimeout: (then, wait) => setTimeout(then, wait),
  clearTimeout: (timer) => clearTimeout(timer),
};

const storage = safeStorage();
const connection = new net.Connection({ clock });
const session = new Session(connection, clock);
const actors = new Actors();
const camera = new Camera();
const stage = new Stage(Math.random);

const login = new Login({
  screen: byId("login"), form: byId("login-form"), name: byId("name"), password: byId("password"), avatars: byId("avatars"),
  avatarList: byId("avatar-list"), avatarName: byId("avatar-name"), error: byId("login-error"), enter: byId("enter"),
  status: byId("login-status"), server: byId("server"), serverDetails: byId("server-details"),
}, document, storage, Math.floor(Math.random() * 6));

const chat = new Chat({
  panel: byId("chat"), log: byId("log"), form: byId("say"), input: byId("say-text"), latest: byId("latest"),
  toggle: byId("chat-toggle"), badge: byId("badge"), announcer: byId("announcer"),
}, document);

const near = new Near({ panel: byId("near"), toggle: byId("near-toggle"), list: byId("near-list"), count: byId("near-count"), more: byId("near-more") }, document);

let scene = null; // once the pictures are there
let world = null;
let marker = null; // where I walk to: { x, y, since }
let better = ""; // a better reason than the connection's own
let last = performance.now(); // time of the last picture
let page = { width: 1, height: 1, covered: 0 };

// The session

session.onPlace = (place) => {
  const inGame = place === INSIDE || place === RETURNING;
  if (hud.hidden === inGame) {
    hud.hidden = !inGame;
    login.show(!inGame);
    if (!inGame) leaveGame();
    layOut();
  }
  showStatus();
};

session.onState = (state) => {
  better = "";
  if (state === net.WAITING && /cannot be reached/.test(connection.why)) {
    probe(connection.url, fetch.bind(window), location).then((text) => {
      if (connection.state !== net.WAITING) return;
      better = text;
      showStatus();
    });
  }
  if (state !== net.OPEN && session.place === RETURNING && !lostAnnounced) {
    lostAnnounced = true;
    if (connection.why) chat.system(connection.why);
    walking.rest();
  }
  showStatus();
};
let lostAnnounced = false;

session.onDeny = (reason) => login.fail(sentence(reason));
session.onNotice = (text) => chat.system(sentence(text));

session.onEnter = (model, returns) => {
  lostAnnounced = false;
  marker = null;
  const me = actors.enter(model);
  byId("self-name").textContent = plain(me.name);
  byId("self-face").className = `face avatar${me.avatar}`;
  chat.system(returns ? "You are back." : `Welcome, ${plain(me.name)}! ${touch ? "Tap to walk." : "Click to walk, press Enter to talk."}`);
  camera.x = me.x;
  camera.y = me.y;
  if (!returns) canvas.focus({ preventScroll: true });
};

session.onPacket = (p) => {
  switch (p.action) {
    case "ModelDelta":
      actors.apply(p.model, clock.now());
      break;
    case "Chat": {
      if (p.sender === packet.HERALD) {
        chat.system(p.text);
        break;
      }
      chat.add("other", p.sender, p.text);
      const actor = p.sender && actors.named(p.sender);
      if (actor) speak(actor, plain(p.text), clock.now() / 1000);
      break;
    }
    case "Disconnect": {
      const actor = actors.remove(p.id);
      if (actor) chat.system(`${plain(actor.name)} has disconnected.`);
      break;
    }
    case "Despawn":
      actors.remove(p.id);
      break;
  }
};

function leaveGame() {
  actors.clear();
  marker = null;
  walking.rest();
  canvas.blur();
}

// The screens

login.onSubmit = ({ register, name, password, avatar }) => {
  if (register) session.register(name, password, avatar);
  else session.login(name, password);
};

login.onServer = (typed) => {
  const url = net.serverUrl(typed, location);
  if (url === connection.url && connection.state !== net.CLOSED) return;
  login.fail("");
  connection.open(url);
};

chat.onSay = (text) => {
  if (!session.send(packet.chat(session.name, text))) {
    chat.system("You are not connected: nobody heard that.");
    return false;
  }
  chat.add("own", actors.me.name, text);
  if (!text.startsWith("/")) speak(actors.me, text, clock.now() / 1000); // a command is for the server alone
  return true;
};
chat.onLeave = () => canvas.focus({ preventScroll: true });
chat.onUnread = (n) => { document.title = n > 0 ? `(${n}) Tavern` : "Tavern"; };

near.onVisit = (id) => {
  const actor = actors.get(id);
  if (actor) walkTo(actor.x, actor.y + 4, true);
};

byId("leave").addEventListener("click", () => session.leave());
byId("retry").addEventListener("click", () => connection.retryNow());

// Enter talks from wherever it has no other meaning.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || hud.hidden || event.isComposing) return;
  if (event.target === canvas || event.target === document.body || event.target === byId("log")) {
    event.preventDefault();
    byId("say-text").focus();
  }
});

function showStatus() {
  const place = session.place;
  const status = statusOf(connection, place, clock.now(), better);
  login.status(status.login);
  const waits = connection.state === net.OPEN && (place === REGISTERING || place === ENTERING);
  login.busy(waits ? "One moment…" : "");
  byId("banner").hidden = place !== RETURNING;
  const text = byId("banner-text");
  if (place === RETURNING && text.textContent !== status.banner) text.textContent = status.banner;
  byId("retry").hidden = !status.retry;
}

// Walking

function walkTo(x, y, marked) {
  const { me } = actors;
  if (!me || !world) return;
  const place = world.clamp(Math.round(x * 10) / 10, Math.round(y * 10) / 10);
  if (!session.send(packet.target(place.x, place.y))) return;
  me.motion.walkTo(place.x, place.y);
  marker = marked ? { ...place, since: clock.now() } : null;
}

const walking = new Walking(canvas, camera, walkTo, () => actors.me);
walking.onZoom = (step) => {
  camera.zoomed = Math.max(-3, Math.min(3, camera.zoomed + step));
  layOut();
};

// The picture

function layOut() {
  if (!world) return;
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  camera.resize(page.width, page.height, ratio, world.scale);
  if (canvas.width !== camera.width || canvas.height !== camera.height) {
    canvas.width = camera.width;
    canvas.height = camera.height;
  }
  const narrow = page.width <= 640 && page.height > 480;
  const panel = narrow && !hud.hidden ? Math.min(byId("chat").offsetHeight, page.height * 0.4) : 0;
  camera.hidden = Math.round((page.covered + panel) * ratio);
}

function paint(now) {
  requestAnimationFrame(paint);
  if (now - last > PAUSE) actors.catchUp(now);
  const seconds = Math.min(LONGEST_STEP, Math.max(0, (now - last) / 1000));
  last = now;
  walking.step(now);
  actors.step(now, seconds);
  const { me } = actors;
  if (marker && (!me?.motion.target || now - marker.since > MARKED)) marker = null;
  const still = lessMotion.matches;
  scene.still = still;
  if (me) {
    camera.follow(me.x, me.y - 24, still ? 1 : seconds, world);
    scene.draw(camera, actors.all(), me, marker, now / 1000);
    near.update(actors, now);
  } else {
    stage.step(now, seconds, still);
    const drift = still ? 0 : now / 9000;
    camera.x = Math.sin(drift) * 90;
    camera.y = -60 + Math.sin(drift * 0.7) * 40;
    scene.draw(camera, stage.people, null, null, now / 1000);
    login.draw(scene.pictures.avatars, now / 1000, still);
  }
  chat.flush(now);
}

setInterval(() => {
  if (connection.state === net.WAITING) showStatus(); // the seconds count down
}, 500);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) connection.retryNow();
});
window.addEventListener("online", () => connection.retryNow());

watchViewport(window, (size) => {
  page = size;
  layOut();
});

function safeStorage() {
  try {
    localStorage.getItem("");
    return localStorage;
  } catch { // storage is switched off
    return { getItem: () => null, setItem: () => {} };
  }
}

async function picture(name) {
  const image = new Image();
  image.src = `art/${name}.png`;
  await image.decode();
  return image;
}

async function start() {
  const typed = new URLSearchParams(location.search).get("server") ?? "";
  if (touch) byId("say-text").placeholder = "Say something";
  byId("server").value = typed;
  byId("server-details").open = typed !== "";
  connection.open(net.serverUrl(typed, location));
  login.show(true);
  const [json, tiles, objects, avatars, effects] = await Promise.all([
    fetch("art/world.json").then((answer) => answer.json()), picture("tiles"), picture("objects"), picture("avatars"), picture("effects"),
  ]);
  world = new World(json);
  scene = new Scene(canvas, world, { tiles, objects, avatars, effects });
  canvas.hidden = false;
  layOut();
  last = performance.now();
  requestAnimationFrame(paint);
}

// For the console, and for tests.
globalThis.tavern = { session, connection, actors, camera, chat, walkTo };

start().catch((error) => login.fail(`The game could not be loaded: ${error.message}`));
