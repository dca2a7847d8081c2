import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { World } from "../../js/world.js";
import { Camera } from "../../js/camera.js";
import { Scene, speak } from "../../js/draw.js";

// A canvas that only writes down which part of which picture is drawn where.
function fakeCanvas(calls) {
  const context = {
    drawImage: (...args) => calls.push(args),
    measureText: (text) => ({ width: 7 * text.length }),
    fillRect() {}, fillText() {}, strokeText() {}, beginPath() {}, roundRect() {}, moveTo() {}, lineTo() {}, stroke() {}, fill() {},
  };
  return { width: 0, height: 0, getContext: () => context };
}

const json = JSON.parse(readFileSync(new URL("../../art/world.json", import.meta.url), "utf8"));
const sizes = { tiles: [256, 256], objects: [512, 768], avatars: [192, 768], effects: [128, 48] };

function setUp() {
  const calls = [];
  globalThis.document = { createElement: () => fakeCanvas(calls) };
  const world = new World(json);
  const pictures = Object.fromEntries(Object.keys(sizes).map((name) => [name, { name }]));
  const camera = new Camera();
  camera.resize(1280, 720, 1, world.scale);
  return { calls, world, pictures, camera, scene: new Scene(fakeCanvas(calls), world, pictures) };
}

const actor = (id, x, y, more = {}) => ({ id, name: "n" + id, avatar: Math.abs(id) % 6, x, y, direction: Math.abs(id) % 4, column: Math.abs(id) % 6, walked: 0, bubble: null, ...more });

test("only what belongs to a sprite is drawn, wherever and whenever", () => {
  const { calls, world, pictures, camera, scene } = setUp();
  const allowed = new Set();
  for (const s of world.sprites) for (let i = 0; i < s.frames; i++) allowed.add([s.x + i * s.w, s.y, s.w, s.h].join());
  for (let x = -2000; x <= 2000; x += 500) {
    for (let y = -2000; y <= 2000; y += 500) {
      Object.assign(camera, { x, y });
      scene.draw(camera, [actor(1, x, y), actor(-2, x + 20, y), actor(9, x, y + 30)], null, { x, y }, (x + y) / 97 + 60);
    }
  }
  const drawn = calls.filter(([picture]) => picture === pictures.objects);
  assert.ok(drawn.length > 1000);
  for (const [, ...rect] of drawn) assert.ok(allowed.has(rect.slice(0, 4).join()), `part ${rect.slice(0, 4)} of objects.png`);
  for (const [picture, x, y, w, h] of calls) {
    const size = sizes[picture.name];
    if (size) assert.ok(x >= 0 && y >= 0 && x + w <= size[0] && y + h <= size[1], `${picture.name}: ${[x, y, w, h]}`);
  }
});

test("whoever stands lower is drawn later, and swimmers without their legs", () => {
  const { calls, pictures, camera, scene, world } = setUp();
  Object.assign(camera, { x: 0, y: 0 });
  scene.draw(camera, [actor(1, 0, 60), actor(2, 5, 20), actor(3, 3, 40)], null, null, 1);
  const order = calls.filter(([picture]) => picture === pictures.avatars).map(([, , y]) => Math.floor(y / 128));
  assert.deepEqual(order, [2, 3, 1]);

  calls.length = 0;
  Object.assign(camera, { x: 640, y: 1312 });
  assert.ok(world.swims(640, 1312));
  scene.draw(camera, [actor(4, 640, 1312)], null, null, 1);
  const [, , , , rows] = calls.find(([picture]) => picture === pictures.avatars);
  assert.equal(rows, 23);
});

test("bubbles do not cover each other, and end", () => {
  const { calls, camera, scene } = setUp();
  Object.assign(camera, { x: 0, y: 0 });
  const people = [actor(1, 0, 0), actor(2, 20, 5), actor(3, -20, 10)];
  for (const p of people) speak(p, "hello all of you", 10);
  scene.draw(camera, people, people[0], null, 10);
  const placed = people.map((p) => {
    const [picture, left, top] = calls.find(([one]) => one === p.bubble.picture);
    return { left, top, right: left + picture.width, bottom: top + picture.height };
  });
  for (const a of placed) {
    for (const b of placed) {
      assert.ok(a === b || a.left >= b.right || b.left >= a.right || a.top >= b.bottom || b.top >= a.bottom, "they overlap");
    }
  }
  scene.draw(camera, people, people[0], null, 30);
  assert.ok(people.every((p) => p.bubble === null));
});
