// Serves the client's files for the browser tests as long as the game server under test does not do so itself, under the same policy.
// Upgrade requests are handed on to the game server, so that the page and its server have one address.
import { createServer } from "node:http";
import { connect } from "node:net";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".png": "image/png", ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};
const POLICY = "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

/** Listens on a free port of the loopback, in front of a game server on another port; returns { url, close() }. */
export async function serveClient(gamePort) {
  const sockets = new Set();
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://host").pathname).replace(/\/$/, "/index.html");
    try {
      const data = path === "/healthz" ? await healthz(gamePort) : await readFile(join(ROOT, path));
      response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", "Content-Security-Policy": POLICY });
      response.end(data);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.on("upgrade", (request, socket, head) => {
    const game = connect(gamePort, "127.0.0.1");
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    game.on("connect", () => {
      const headers = request.rawHeaders.reduce((out, word, i, all) => (i % 2 ? out : out + `${word}: ${all[i + 1]}\r\n`), "");
      game.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers}\r\n`);
      game.write(head);
      game.pipe(socket).pipe(game);
    });
    for (const [one, other] of [[game, socket], [socket, game]]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function healthz(gamePort) {
  const answer = await fetch(`http://127.0.0.1:${gamePort}/healthz`);
  if (!answer.ok) throw new Error(answer.statusText);
  return Buffer.from(await answer.arrayBuffer());
}
