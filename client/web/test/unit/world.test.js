import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { World, unpack } from "../../js/world.js";
import { Camera } from "../../js/camera.js";
import { Actors } from "../../js/actors.js";
import { statusOf } from "../../js/status.js";
import { wrap } from "../../js/labels.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const json = JSON.parse(readFileSync(join(ROOT, "art/world.json"), "utf8"));

test("layers are expanded", () => {
  assert.deepEqual([...unpack(btoa("\x02\x07\x01\x09"), 3)], [7, 7, 9]);
  assert.throws(() => unpack(btoa("\x02\x07"), 3));
});

test("the map", () => {
  const world = new World(json);
  assert.equal(world.right, 2048);
  assert.equal(world.swims(0, 0), false);
  assert.equal(world.swims(99_999, 0), false);
  assert.ok(world.swims(20 * 32, 41 * 32), "the lake");
  assert.deepEqual(world.clamp(-9999, 5), { x: -2048, y: 5 });
  const i = world.firstFrom(0);
  assert.ok(world.objects[i].y >= 0 && world.objects[i - 1].y < 0);
});

test("the camera shows places where they are and nothing beyond the world", () => {
  const world = new World(json);
  const camera = new Camera();
  for (const [w, h, ratio] of [[1280, 720, 1], [390, 844, 3], [1920, 1080, 1.25], [320, 480, 2]]) {
    camera.resize(w, h, ratio, world.scale);
    assert.ok(Number.isInteger(camera.art) && camera.art >= 2);
    camera.follow(5000, -5000, 10, world);
    const view = camera.view();
    assert.ok(view.right <= 2048 + 1 && view.top >= -2048 - 1, `${w} × ${h}: ${JSON.stringify(view)}`);
    const p = camera.toWorld(100, 50);
    const back = camera.toScreen(p.x, p.y);
    assert.ok(Math.abs(back.x - 100) < 0.01 && Math.abs(back.y - 50) < 0.01);
    assert.ok(view.right - view.left <= 1280, "no more is shown than the server tells of");
  }
});

test("the camera follows smoothly and jumps far", () => {
  const world = new World(json);
  const camera = new Camera();
  camera.resize(1280, 720, 1, 2);
  camera.follow(100, 0, 1 / 60, world);
  assert.ok(camera.x > 5 && camera.x < 50);
  camera.follow(1000, 0, 1 / 60, world);
  assert.equal(camera.x, 1000);
});

test("actors come, walk, and go", () => {
  const actors = new Actors();
  assert.equal(actors.apply({ id: 5, x: 1, y: 1 }, 0), undefined, "a delta of nobody known");
  actors.enter({ id: 1, name: "me", x: 0, y: 0, avatar: 2 });
  actors.apply({ id: 2, name: "bob", x: 30, y: 40, avatar: 9 }, 0);
  assert.equal(actors.get(2).avatar, 0, "no such avatar");
  assert.deepEqual(actors.near().map(({ actor, distance }) => [actor.name, distance]), [["bob", 50]]);
  actors.apply({ id: 2, x: 44 }, 100);
  for (let t = 100; t < 2000; t += 16) actors.step(t, 0.016);
  assert.deepEqual([actors.get(2).x, actors.get(2).y], [44, 40], "a delta with one coordinate keeps the other");
  assert.equal(actors.named("bob").id, 2);
  assert.equal(actors.remove(1), actors.me);
  assert.equal(actors.size, 2, "I never vanish");
  actors.remove(2);
  assert.equal(actors.size, 1);
});

test("actors are where the server last said after a pause", () => {
  const actors = new Actors();
  const me = actors.enter({ id: 1, name: "me", x: 0, y: 0, avatar: 0 });
  me.motion.walkTo(100, 0);
  actors.apply({ id: 1, x: 90, y: 0 }, 5000);
  actors.catchUp(60_000);
  assert.deepEqual([me.x, me.motion.target], [90, null]);
});

test("an actor that walks shows the walk, one that stands does not", () => {
  const actors = new Actors();
  const me = actors.enter({ id: 1, name: "me", x: 0, y: 0, avatar: 0 });
  me.motion.walkTo(-70, 0);
  const columns = new Set();
  for (let t = 0; t < 900; t += 16) {
    actors.step(t, 0.016);
    columns.add(me.column);
  }
  assert.deepEqual([...columns].sort(), [2, 3, 4, 5]);
  assert.equal(me.direction, 1);
  for (let t = 900; t < 2000; t += 16) actors.step(t, 0.016);
  assert.ok(me.column < 2);
});

test("the state of the connection in words", () => {
  const connection = { url: "ws://host:1/", state: "waiting", why: "The connection was lost.", retryAt: 4100 };
  assert.match(statusOf(connection, "returning", 1000, "").banner, /lost\. Trying again in 4 s/);
  assert.match(statusOf(connection, "outside", 1000, "The server is full.").login, /full\. Trying again/);
  assert.match(statusOf({ ...connection, state: "open" }, "outside", 0, "").login, /Connected to host:1/);
});

test("bubbles break lines by words, and within words that are too long", () => {
  const context = { measureText: (text) => ({ width: [...text].length }) };
  assert.deepEqual(wrap(context, "one two three", 7, 4), ["one two", "three"]);
  assert.deepEqual(wrap(context, "abcdefghij", 4, 4), ["abcd", "efgh", "ij"]);
  assert.deepEqual(wrap(context, "a ".repeat(20), 3, 2), ["a a", "a …"]);
  assert.ok(wrap(context, "x".repeat(5000), 20, 4).length <= 4);
});

test("the client fits into 200 KB", () => {
  const size = (path) => (statSync(path).isDirectory() ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0) : statSync(path).size);
  const total = ["index.html", "style.css", "manifest.webmanifest", "js", "art"].reduce((sum, name) => sum + size(join(ROOT, name)), 0);
  assert.ok(total <= 200_000, `${total} bytes`);
});
