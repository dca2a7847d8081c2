// Takes the pictures of the client that the README shows: node shots.js FOLDER, with TAVERN_SERVER set.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { GameServer } from "./browser/server.js";
import { Bots } from "./browser/bots.js";
import { launch, openPage, submit, entered } from "./browser/pages.js";

const folder = process.argv[2] ?? "../screenshots";
const PEOPLE = ["Wren", "Bram", "Mirel", "Tod", "Percival", "Puddle", "Ottilie", "Hazel", "Quill", "Sorrel", "Bertram", "Fern"];
const PLACES = [[-60, 40], [95, 20], [150, 75], [-150, 10], [40, 110], [-95, 120], [210, 20], [-200, 70], [10, -40], [120, 130], [-30, 170], [-250, 0]];
const TALK = [[1, "Welcome! First drink is on the house 🍺"], [4, "I shall guard the fountain."], [5, "the pond is lovely today"], [0, "Race you to the windmill?"]];

await mkdir(folder, { recursive: true });
const server = await GameServer.start("-limits", "off");
const browser = await launch();
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const shot = (page, name) => page.screenshot({ path: join(folder, name + ".png") });
try {
  const desktop = await openPage(browser, server.url);
  const small = await openPage(browser, server.url, phone);
  await desktop.locator("#login-status", { hasText: "Connected" }).waitFor();
  await shot(desktop, "desktop-login");
  await shot(small, "phone-login");
  await submit(desktop, { register: true, name: "Ann", avatar: 0 });
  await submit(small, { register: true, name: "Reynard", avatar: 3 });
  await Promise.all([entered(desktop), entered(small)]);
  await desktop.evaluate(() => tavern.walkTo(-10, 60, true));
  await small.evaluate(() => tavern.walkTo(60, 70, true));
  const bots = await Bots.named(server.port, PEOPLE);
  PLACES.forEach(([x, y], i) => bots.walkTo(i, x, y));
  await desktop.waitForFunction((n) => tavern.actors.size > n, PEOPLE.length);
  await desktop.waitForTimeout(2600);
  for (const [i, text] of TALK) bots.say(i, text);
  await desktop.evaluate(() => tavern.chat.onSay("What a place!"));
  await desktop.waitForTimeout(500);
  await shot(desktop, "desktop");
  await shot(small, "phone");
  for (const [name, x, y] of JSON.parse(process.env.TAVERN_PLACES ?? "[]")) { // further places, for looking at
    await desktop.evaluate(([px, py]) => {
      tavern.connection.onMessage = () => {};
      tavern.actors.me.motion.place(px, py);
    }, [x, y]);
    await desktop.waitForTimeout(700);
    await shot(desktop, name);
  }
  bots.leave();
} finally {
  await browser.close();
  await server.stop();
}
