// Players without a face: they register, log in, and walk about the village.
import { WebSocket } from "ws";

export class Bots {
  #sockets = [];
  #timers = [];

  /** Lets count bots in, a few at a time, and resolves when all are inside. */
  static async enter(port, count, name = "bot") {
    const bots = new Bots();
    for (let i = 0; i < count; i += 20) {
      await Promise.all(Array.from({ length: Math.min(20, count - i) }, (_, k) => bots.#enter(port, `${name}${i + k}`, (i + k) % 6)));
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
      const go = () => socket.send(JSON.stringify({ a: "Target", p0: Math.round((Math.random() * 2 - 1) * halfWidth), p1: Math.round((Math.random() * 2 - 1) * halfHeight) }));
      go();
      this.#timers.push(setInterval(go, 2000 + Math.random() * 2000));
    }
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
