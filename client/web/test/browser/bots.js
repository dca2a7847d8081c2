// Players without a face: they register, log in, and walk about the village.
import { WebSocket } from "ws";

export class Bots {
  #sockets = [];
  #timers = [];

  /** Lets count bots in and resolves when all are inside. */
  static enter(port, count, name = "bot") {
    return Bots.named(port, Array.from({ length: count }, (_, i) => name + i));
  }

  /** Lets bots of these names in, a few at a time. */
  static async named(port, names) {
    const bots = new Bots();
    for (let i = 0; i < names.length; i += 20) {
      await Promise.all(names.slice(i, i + 20).map((name, k) => bots.#enter(port, name, (i + k) % 6)));
    }
    return bots;
  }

  #enter(port, name, avatar) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      this.#sockets.push(socket);
      const send = (packet) => socket.send(JSON.stringify(packet));
      let oks = 0;
      socket.on("open", () => send({ a: "Register", p0: name, p1: "bot", p2: avatar }));
      socket.on("error", reject);
      socket.on("message", (data) => {
        if (oks === 2) return; // inside; what bots hear does not matter
        const text = data.toString();
        if (text.startsWith('{"a":"Deny"')) reject(new Error(text));
        if (!text.startsWith('{"a":"Ok"')) return;
        oks++;
        if (oks === 1) send({ a: "Login", p0: name, p1: "bot" });
        else resolve();
      });
    });
  }

  /** Every bot goes on to another place every few seconds, within so many units of the middle. */
  walk(halfWidth, halfHeight) {
    for (const socket of this.#sockets) {
      const spread = (half) => Math.round((Math.random() * 2 - 1) * half);
      const go = () => socket.send(JSON.stringify({ a: "Target", p0: spread(halfWidth), p1: spread(halfHeight) }));
      go();
      this.#timers.push(setInterval(go, 2000 + Math.random() * 2000));
    }
  }

  /** One bot walks to a place. */
  walkTo(i, x, y) {
    this.#sockets[i].send(JSON.stringify({ a: "Target", p0: x, p1: y }));
  }

  /** One bot says something. */
  say(i, text) {
    this.#sockets[i].send(JSON.stringify({ a: "Chat", p0: "", p1: text }));
  }

  leave() {
    this.#timers.forEach(clearInterval);
    for (const socket of this.#sockets) socket.terminate();
  }
}
