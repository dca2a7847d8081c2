// Pages of the client in a real Chromium, and what a player does with them.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export const launch = () => chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Opens the client. Errors of the page fail the test through the returned page's errors. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.stack));
  page.on("console", (message) => {
    if (/Content.Security.Policy/i.test(message.text())) page.errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction(() => !document.getElementById("world").hidden);
  return page;
}

/** Fills in the form and presses Enter. */
export async function submit(page, { register = false, name, password = "secret", avatar = 0 }) {
  await page.locator(`input[name=mode][value=${register ? "register" : "login"}]`).check({ force: true });
  if (register) await page.locator(`input[name=avatar][value="${avatar}"]`).check({ force: true });
  await page.fill("#name", name);
  await page.fill("#password", password);
  await page.press("#password", "Enter");
}

export const entered = (page) => page.locator("#hud").waitFor();

/** A new account, inside the game. */
export async function enter(page, name, avatar = 0) {
  await submit(page, { register: true, name, avatar });
  await entered(page);
}

/** Says something as a player with a keyboard does. */
export async function say(page, text) {
  await page.locator("#world").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.insertText(text);
  await page.keyboard.press("Enter");
}

/** Waits for a line in the chat log and returns its text. */
export async function heard(page, text) {
  const line = page.locator("#log .line", { hasText: text }).last();
  await line.waitFor();
  return line.textContent();
}

/** Waits until a page shows an actor by that name, and until it does not. */
export const sees = (page, name) => page.waitForFunction((n) => tavern.actors.named(n) !== undefined, name);
export const seesNoMore = (page, name) => page.waitForFunction((n) => tavern.actors.named(n) === undefined, name);

/** Waits until a page shows an actor within a unit of a place. */
export const standsAt = (page, name, x, y) => page.waitForFunction(([n, px, py]) => {
  const actor = tavern.actors.named(n);
  return actor && Math.hypot(actor.x - px, actor.y - py) < 1;
}, [name, x, y]);

export const place = (page, name) => page.evaluate((n) => {
  const { x, y } = tavern.actors.named(n);
  return { x, y };
}, name);

export function noErrors(...pages) {
  for (const page of pages) assert.deepEqual(page.errors, []);
}
