// The client in real Chromium against the real server.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { GameServer } from "./server.js";
import { launch, openPage, submit, enter, entered, say, heard, sees, seesNoMore, standsAt, place, noErrors } from "./pages.js";

let browser;
let server;

before(async () => {
  browser = await launch();
  server = await GameServer.start();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("two players meet, talk, walk, and part", async () => {
  const ann = await openPage(browser, server.url);
  const bob = await openPage(browser, server.url);
  await enter(ann, "ann", 0);
  await enter(bob, "bob", 3);
  await Promise.all([sees(ann, "bob"), sees(bob, "ann")]);
  assert.equal(await ann.evaluate(() => tavern.actors.named("bob").avatar), 3);
  await ann.locator("#near-list .name", { hasText: "bob" }).waitFor();

  const texts = ["hello 😀👩‍👩‍👧", 'she said "hi" \\ it\'s & fine', "<b>bold</b><img src=x onerror=alert(1)>", "[b]x[/b] https://example.org"];
  for (const text of texts) {
    await say(ann, text);
    assert.match(await heard(bob, text), /ann: /);
  }
  assert.deepEqual(await bob.locator("#log .other .text").allTextContents(), texts, "each once and in order");
  assert.deepEqual(await ann.locator("#log .own .text").allTextContents(), texts, "my own once");
  assert.equal(await bob.locator("#log b, #log img, #log a").count(), 0, "text is never read as HTML");
  assert.equal(await bob.evaluate(() => tavern.actors.named("ann").bubble?.text), texts.at(-1));
  await say(bob, "back to you");
  await heard(ann, "back to you");

  // Ann clicks 120 pixels to the right of the middle of her screen.
  await ann.mouse.click(760, 380);
  const target = await ann.evaluate(() => tavern.actors.me.motion.target);
  assert.ok(target.x > 50, "she walks at once");
  await bob.waitForFunction(() => tavern.actors.named("ann").column >= 2);
  assert.equal(await bob.evaluate(() => tavern.actors.named("ann").direction), 2, "to the right, seen by bob");
  await standsAt(bob, "ann", target.x, target.y);
  await standsAt(ann, "ann", target.x, target.y);

  await ann.close();
  await heard(bob, "ann has disconnected.");
  await seesNoMore(bob, "ann");
  await bob.locator("#near-nobody").waitFor();

  // She comes back where she stood.
  const again = await openPage(browser, server.url);
  await submit(again, { name: "ann" });
  await entered(again);
  await standsAt(again, "ann", target.x, target.y);
  await sees(bob, "ann");
  noErrors(bob, again);
  await again.context().close();
  await bob.context().close();
});

test("the way in: reasons are shown where one looks", async () => {
  const page = await openPage(browser, server.url);
  const error = page.locator("#login-error");
  const reason = (text) => page.waitForFunction((t) => document.getElementById("login-error").textContent.includes(t), text);
  assert.equal(await page.getAttribute("#password", "type"), "password");

  await submit(page, { register: true, name: "carol", password: "" });
  await reason("Username or password must not be empty");
  await submit(page, { name: "nobody-here", password: "x" });
  await reason("Username or password incorrect");
  assert.equal(await error.getAttribute("role"), "alert");
  await enter(page, "carol", 4);
  assert.equal(await page.evaluate(() => tavern.actors.me.avatar), 4);
  await page.click("#leave");
  await page.locator("#login").waitFor();
  await submit(page, { register: true, name: "carol" });
  await reason("This username is already taken");
  await submit(page, { name: "carol", password: "wrong" });
  await reason("Username or password incorrect");
  await submit(page, { name: "carol" });
  await entered(page);

  const second = await openPage(browser, server.url);
  await submit(second, { name: "carol" });
  await second.waitForFunction(() => /already logged in/.test(document.getElementById("login-error").textContent));
  noErrors(page, second);
  await page.context().close();
  await second.context().close();
});

test("with the keyboard alone", async () => {
  const page = await openPage(browser, server.url);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  // The page starts in the name field; a new name registers.
  await page.keyboard.type("dora");
  await press("Enter"); // goes on to the password
  await page.keyboard.type("secret");
  await press("Tab"); // to the avatars
  await press("ArrowRight");
  const chosen = await page.evaluate(() => Number(document.querySelector("input[name=avatar]:checked").value));
  await press("Tab", "Enter");
  await entered(page);
  assert.equal(await page.evaluate(() => tavern.actors.me.avatar), chosen);

  await press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "say-text");
  await page.keyboard.type("typed");
  await press("Enter");
  await heard(page, "typed");
  await press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.id), "world");

  const from = await place(page, "dora");
  await page.keyboard.down("ArrowDown");
  await page.waitForFunction((y) => tavern.actors.me.y > y + 40, from.y);
  await page.keyboard.up("ArrowDown");
  await page.waitForFunction(() => tavern.actors.me.column < 2);
  assert.equal(await page.evaluate(() => tavern.actors.me.direction), 0);

  // Everything in the game can be reached by Tab and has a name.
  const names = [];
  for (let i = 0; i < 7; i++) {
    await press("Tab");
    names.push(await page.evaluate(() => {
      const e = document.activeElement;
      return (e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.textContent).trim();
    }));
  }
  for (const name of ["Leave", "Messages", "Say something", "Send"]) assert.ok(names.includes(name), `${name} is not among ${names}`);
  noErrors(page);
  await page.context().close();
});

test("the server is killed and comes back", async () => {
  const own = await GameServer.start();
  const page = await openPage(browser, own.url);
  await enter(page, "erna", 1);
  const other = await openPage(browser, own.url);
  await enter(other, "fritz", 2);
  await page.evaluate(() => tavern.walkTo(90, 40, false));
  await standsAt(other, "erna", 90, 40);
  // The last place is written at intervals: a clean stop saves it, and the crash comes after.
  await own.kill("SIGTERM");
  await page.locator("#banner", { hasText: "Trying again" }).waitFor();
  await say(page, "lost words");
  await heard(page, "nobody heard that");
  assert.equal(await page.inputValue("#say-text"), "lost words", "what was not sent is not lost");
  await page.fill("#say-text", "");
  await own.run();
  await Promise.all([heard(page, "You are back."), heard(other, "You are back.")]);
  await page.locator("#banner").waitFor({ state: "hidden" });
  await standsAt(page, "erna", 90, 40);
  await Promise.all([sees(page, "fritz"), sees(other, "erna")]);
  await say(page, "here again");
  await heard(other, "here again");

  await own.kill("SIGKILL");
  await page.locator("#banner", { hasText: "Trying again" }).waitFor();
  await own.run();
  await page.click("#retry").catch(() => {}); // or it has come back by itself
  await page.waitForFunction(() => [...document.querySelectorAll("#log .system")].filter((l) => l.textContent.includes("You are back")).length === 2);
  noErrors(page, other);
  await page.context().close();
  await other.context().close();
  await own.stop();
});

test("a server that is full says so", async () => {
  const own = await GameServer.start("-max-players", "1");
  const first = await openPage(browser, own.url);
  await enter(first, "gina", 5);
  const second = await openPage(browser, own.url);
  await second.locator("#login-status", { hasText: "The server is full" }).waitFor();
  await second.locator("#login-status", { hasText: "Trying again in" }).waitFor();
  await first.close();
  await second.locator("#login-status", { hasText: "Connected" }).waitFor();
  noErrors(second);
  await second.context().close();
  await own.stop();
});

test("on a phone", async () => {
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true };
  const page = await openPage(browser, server.url, phone);
  await submit(page, { register: true, name: "hugo", avatar: 5 });
  await entered(page);
  // Waited for: a new size of the window is laid out a moment later.
  const fits = () => page.waitForFunction(() => [...document.querySelectorAll("#hud > :not([hidden]), #say, #say-text")].every((e) => {
    const r = e.getBoundingClientRect();
    return r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight;
  }), null, { timeout: 5000 });
  await fits(); // in portrait
  const from = await place(page, "hugo");
  await page.touchscreen.tap(300, 300);
  await page.waitForFunction((x) => tavern.actors.me.x > x + 30, from.x);
  await page.tap("#say-text");
  await page.keyboard.insertText("from my phone");
  await page.tap("#say button");
  await heard(page, "from my phone");
  const before = await page.locator("#log").evaluate((e) => e.clientHeight);
  await page.tap("#chat-toggle");
  assert.ok(await page.locator("#log").evaluate((e) => e.clientHeight) > before + 100, "the log unfolds");
  await fits();
  await page.tap("#near-toggle");
  await page.locator("#near-nobody").waitFor();
  await page.setViewportSize({ width: 844, height: 390 });
  await fits(); // in landscape
  const size = await page.evaluate(() => Number.parseFloat(getComputedStyle(document.getElementById("say-text")).fontSize));
  assert.ok(size >= 16, "no zoom when the field is touched");
  noErrors(page);
  await page.context().close();
});

test("an on-screen keyboard does not hide what one types", async () => {
  const page = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await enter(page, "ines", 0);
  // The keyboard shrinks the visual viewport and not the page.
  await page.evaluate(() => {
    Object.defineProperty(visualViewport, "height", { get: () => 480, configurable: true });
    visualViewport.dispatchEvent(new Event("resize"));
  });
  const bottom = await page.locator("#say-text").evaluate((e) => e.getBoundingClientRect().bottom);
  assert.ok(bottom <= 480, `the field ends at ${bottom}`);
  const me = await page.evaluate(() => new Promise((resolve) => setTimeout(() => resolve(tavern.camera.toScreen(tavern.actors.me.x, tavern.actors.me.y)), 600)));
  assert.ok(me.y > 60 && me.y < 400, `I am at ${me.y}, above the keyboard`);
  noErrors(page);
  await page.context().close();
});

test("scrolling back keeps its place and counts what is new", async () => {
  const own = await GameServer.start("-limits", "off");
  const page = await openPage(browser, own.url);
  const other = await openPage(browser, own.url);
  await enter(page, "jana", 0);
  await enter(other, "karl", 1);
  for (let first = 0; first < 60; first += 20) { // a player's ring holds 32 packets
    await other.evaluate((from) => {
      for (let i = from; i < from + 20; i++) tavern.chat.onSay(`line ${i}`);
    }, first);
    await heard(page, `line ${first + 19}`);
  }
  await page.locator("#log").hover();
  await page.mouse.wheel(0, -400);
  await page.waitForFunction(() => !tavern.chat.atEnd);
  await other.evaluate(() => {
    for (let i = 0; i < 3; i++) tavern.chat.onSay(`news ${i}`);
  });
  await page.locator("#latest", { hasText: "3 new messages" }).waitFor();
  assert.equal(await page.evaluate(() => tavern.chat.atEnd), false, "it did not jump");
  assert.equal(await page.title(), "(3) Tavern");
  await page.click("#latest");
  await page.locator("#latest").waitFor({ state: "hidden" });
  assert.equal(await page.title(), "Tavern");
  noErrors(page, other);
  await page.context().close();
  await other.context().close();
  await own.stop();
});

test("another server by ?server=", async () => {
  const page = await openPage(browser, `${server.url}?server=127.0.0.1:1`);
  assert.equal(await page.inputValue("#server"), "127.0.0.1:1");
  await page.locator("#login-status", { hasText: "cannot be reached" }).waitFor();
  await page.fill("#server", "");
  await page.press("#server", "Enter");
  await page.locator("#login-status", { hasText: "Connected to" }).waitFor();
  noErrors(page);
  await page.context().close();
});

test("it loads quickly and asks nobody else", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(server.url);
  await page.waitForFunction(() => !document.getElementById("world").hidden);
  const took = await page.evaluate(() => performance.now()); // since the page was asked for
  for (const url of asked) assert.ok(url.startsWith(server.url) || url.startsWith("data:"), `asked ${url}`);
  assert.ok(took < 2000, `${took} ms, though other tests may share this machine`);
  console.log(`loaded in ${Math.round(took)} ms, ${asked.length} requests`);
  await context.close();
});
