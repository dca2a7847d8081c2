import { test } from "node:test";
import assert from "node:assert/strict";
import { Follower, Walker, facing, SPEED, SNAP, DOWN, LEFT, RIGHT, UP } from "../../js/motion.js";

const STEP = 1000 / 60; // milliseconds of a picture

// Lets a follower be shown while a player walks along x from time 0, with updates every so many milliseconds, and returns the
// lengths of its steps from picture to picture.
function watch(interval, seconds, jitter = () => 0) {
  const follower = new Follower(0, 0, 0);
  const updates = [];
  for (let t = interval; t <= seconds * 1000; t += interval) updates.push({ at: t + jitter(), x: (SPEED * t) / 1000 });
  const steps = [];
  let before = 0;
  for (let now = 0; now < seconds * 1000; now += STEP) {
    while (updates.length > 0 && updates[0].at <= now) follower.offer(updates.shift().x, 0, now);
    follower.step(now, STEP / 1000);
    steps.push(follower.x - before);
    before = follower.x;
  }
  return { steps, follower };
}

for (const [name, interval] of [["20 updates a second", 50], ["5 updates a second", 200], ["2 updates a second", 500]]) {
  test(`others walk smoothly with ${name}`, () => {
    const { steps, follower } = watch(interval, 8);
    const usual = (SPEED * STEP) / 1000;
    const settled = steps.slice(150); // after two and a half seconds
    assert.ok(Math.min(...settled) > 0.5 * usual, `slowest step ${Math.min(...settled)}, usual ${usual}`);
    assert.ok(Math.max(...settled) < 1.6 * usual, `longest step ${Math.max(...settled)}, usual ${usual}`);
    const behind = (SPEED * 8 - follower.x) / SPEED;
    assert.ok(behind < 0.2 + (2.2 * interval) / 1000, `shown ${behind} s late`);
  });
}

test("others walk smoothly though the network is not regular", () => {
  let n = 0;
  const { steps } = watch(200, 8, () => [0, 40, 10, 60, 25][n++ % 5]);
  const usual = (SPEED * STEP) / 1000;
  const still = steps.slice(150).filter((s) => s < 0.1 * usual).length;
  assert.ok(still < 0.02 * steps.length, `${still} of ${steps.length} pictures without a step`);
});

test("others end exactly where the server says", () => {
  const { follower } = watch(200, 3);
  for (let now = 3000; now < 5000; now += STEP) follower.step(now, STEP / 1000);
  assert.equal(follower.x, SPEED * 2.8); // the last update before the third second
});

test("one who stood does not slide when it sets out", () => {
  const follower = new Follower(0, 0, 0);
  for (let now = 0; now < 10_000; now += STEP) follower.step(now, STEP / 1000);
  follower.offer(14, 0, 10_000); // 0.2 s of walking
  let fastest = 0;
  let before = follower.x;
  let moved = 0;
  for (let now = 10_000; now < 11_000; now += STEP) {
    follower.step(now, STEP / 1000);
    fastest = Math.max(fastest, follower.x - before);
    if (follower.x !== before) moved++;
    before = follower.x;
  }
  assert.equal(follower.x, 14);
  assert.ok(moved >= 8 && moved <= 16, `${moved} pictures of moving, want about 12`);
  assert.ok(fastest < (1.6 * SPEED * STEP) / 1000);
});

test("others far from where they are shown jump", () => {
  const follower = new Follower(0, 0, 0);
  follower.offer(SNAP + 1, 0, 100);
  assert.equal(follower.x, SNAP + 1);
});

test("after a pause others are where the server last said", () => {
  const { follower } = watch(200, 2);
  follower.offer(160, 5, 2100);
  follower.catchUp(90_000);
  assert.deepEqual([follower.x, follower.y], [160, 5]);
});

// Lets me walk while the server answers with a delay, and returns the walker and the longest step.
function walk({ delay, seconds, speed = SPEED, target = [1000, 0], shift = 0 }) {
  const me = new Walker(0, 0);
  me.walkTo(...target);
  const server = [];
  const length = Math.hypot(...target);
  for (let t = 50; t <= seconds * 1000; t += 50) {
    const share = Math.min(1, ((speed * t) / 1000) / length);
    server.push({ at: t + delay, x: target[0] * share, y: target[1] * share + shift });
    if (share === 1) break;
  }
  let longest = 0;
  let shortest = Infinity;
  for (let now = 0; now < seconds * 1000; now += STEP) {
    while (server.length > 0 && server[0].at <= now) {
      const p = server.shift();
      me.correct(p.x, p.y, now);
    }
    const before = me.x;
    me.step(now, STEP / 1000);
    if (me.target) {
      longest = Math.max(longest, me.x - before);
      shortest = Math.min(shortest, me.x - before);
    }
  }
  return { me, longest, shortest };
}

test("my own walk is not disturbed by the network's delay", () => {
  for (const delay of [0, 60, 200, 600]) {
    const { longest, shortest } = walk({ delay, seconds: 5 });
    const usual = (SPEED * STEP) / 1000;
    assert.ok(longest < 1.05 * usual && shortest > 0.95 * usual, `delay ${delay}: steps from ${shortest} to ${longest}, usual ${usual}`);
  }
});

test("a small error is corrected smoothly and completely", () => {
  const { me, longest } = walk({ delay: 100, seconds: 4, target: [70, 0], shift: 20 });
  assert.ok(Math.abs(me.y - 20) < 0.5, `y is ${me.y}, want 20`);
  assert.ok(Math.abs(me.x - 70) < 0.5, `x is ${me.x}, want 70`);
  assert.ok(longest < 3, `longest step ${longest}`);
});

test("more than 200 units away I am put where the server says", () => {
  const me = new Walker(0, 0);
  me.correct(199, 0, 0);
  assert.equal(me.x, 0);
  me.correct(201, 0, 0);
  assert.equal(me.x, 201);
});

test("standing, I drift to where the server has me", () => {
  const me = new Walker(0, 0);
  for (let now = 0; now < 3000; now += STEP) {
    if (Math.floor(now / 50) !== Math.floor((now - STEP) / 50)) me.correct(40, -30, now);
    me.step(now, STEP / 1000);
  }
  assert.ok(Math.hypot(me.x - 40, me.y + 30) < 0.1);
});

test("I arrive exactly on the target", () => {
  const me = new Walker(0, 0);
  me.walkTo(10, 5);
  for (let now = 0; now < 1000; now += STEP) me.step(now, STEP / 1000);
  assert.deepEqual([me.x, me.y, me.target], [10, 5, null]);
});

test("directions, and none of them flickers on a diagonal", () => {
  assert.equal(facing(1, 0, DOWN), RIGHT);
  assert.equal(facing(-1, 0, DOWN), LEFT);
  assert.equal(facing(0, 1, UP), DOWN);
  assert.equal(facing(0, -1, DOWN), UP);
  assert.equal(facing(0, 0, LEFT), LEFT);
  assert.equal(facing(1, 1.1, RIGHT), RIGHT);
  assert.equal(facing(1.1, 1, DOWN), DOWN);
});
