// Starts and stops the real game server for the browser tests. TAVERN_SERVER names its program.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveClient } from "../static.js";

const PROGRAM = process.env.TAVERN_SERVER;
if (!PROGRAM) throw new Error("TAVERN_SERVER must name the server's program; run.sh builds one");

/** A game server on a port and a database of its own. flags are added to those of every test. */
export class GameServer {
  #process = null;
  #front = null;

  static async start(...flags) {
    const server = new GameServer();
    server.folder = await mkdtemp(join(tmpdir(), "tavern-"));
    server.port = await freePort();
    server.flags = ["-addr", `127.0.0.1:${server.port}`, "-db", join(server.folder, "test.db"), "-hash-memory", "64", "-hash-time", "1", ...flags];
    await server.run();
    const page = await fetch(server.#own);
    // Until the server serves the client itself, the tests do.
    if (page.ok && (await page.text()).includes("<title>Tavern")) server.url = server.#own;
    else {
      server.#front = await serveClient(server.port);
      server.url = server.#front.url;
    }
    return server;
  }

  get #own() {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Runs the program, again after kill(), and returns when it answers. */
  async run() {
    const program = spawn(PROGRAM, this.flags, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = program;
    let said = "";
    await new Promise((resolve, reject) => {
      program.once("error", reject);
      program.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
      program.stderr.on("data", (data) => {
        said += data;
        if (said.includes("listening")) resolve();
      });
    });
    await answers(this.#own + "healthz");
  }

  /** Ends the program at once, as a crash would. */
  async kill(signal = "SIGKILL") {
    const program = this.#process;
    this.#process = null;
    if (!program || program.exitCode !== null) return;
    program.kill(signal);
    await once(program, "exit");
  }

  async stop() {
    await this.kill("SIGTERM");
    this.#front?.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

async function answers(url) {
  for (let tries = 0; ; tries++) {
    try {
      if ((await fetch(url)).ok) return;
    } catch (error) {
      if (tries > 100) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
