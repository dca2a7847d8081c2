// Two tabs in one window of a real Chromium, so that one can hide the other. Playwright keeps every page "visible", so this speaks
// the browser's own protocol.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const POLL = 100; // milliseconds
const WITHIN = 30_000;

export class Tabs {
  #next = 1;
  #answers = new Map();

  static async launch() {
    const tabs = new Tabs();
    tabs.folder = await mkdtemp(join(tmpdir(), "tavern-tabs-"));
    tabs.program = spawn(CHROMIUM, ["--headless", "--remote-debugging-port=0", `--user-data-dir=${tabs.folder}`, "--no-sandbox", "--disable-gpu",
      "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "about:blank"],
    { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    const url = await new Promise((resolve, reject) => {
      tabs.program.once("error", reject);
      tabs.program.once("exit", () => reject(new Error(said)));
      tabs.program.stderr.on("data", (data) => {
        said += data;
        const found = /listening on (ws:\S+)/.exec(said);
        if (found) resolve(found[1]);
      });
    });
    tabs.socket = new WebSocket(url);
    await once(tabs.socket, "open");
    tabs.socket.on("message", (data) => {
      const message = JSON.parse(data);
      tabs.#answers.get(message.id)?.(message);
      tabs.#answers.delete(message.id);
    });
    return tabs;
  }

  /** Opens a tab, in front of the others. */
  async open(url) {
    const { targetId } = await this.call("Target.createTarget", { url });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const tab = {
      front: () => this.call("Target.activateTarget", { targetId }),
      /** The value of an expression in the page. */
      value: async (expression) => {
        const answer = await this.call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true }, sessionId);
        if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? expression);
        return answer.result.value;
      },
      /** Waits until an expression is true. */
      until: async (expression) => {
        for (let waited = 0; !(await tab.value(`Boolean(${expression})`).catch(() => false)); waited += POLL) {
          if (waited > WITHIN) throw new Error(`waited in vain for ${expression}`);
          await new Promise((resolve) => setTimeout(resolve, POLL));
        }
      },
    };
    return tab;
  }

  call(method, params, sessionId) {
    const id = this.#next++;
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) => (error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result)));
    });
  }

  async close() {
    this.socket.close();
    this.program.kill();
    await once(this.program, "exit");
    await rm(this.folder, { recursive: true, force: true });
  }
}
