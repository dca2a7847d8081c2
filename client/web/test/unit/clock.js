// A clock that stands still until it is moved, for tests of what waits.

export class FakeClock {
  #now = 0;
  #timers = new Map();
  #next = 1;

  now = () => this.#now;

  setTimeout = (then, wait) => {
    const id = this.#next++;
    this.#timers.set(id, { then, at: this.#now + wait });
    return id;
  };

  clearTimeout = (id) => {
    this.#timers.delete(id);
  };

  /** Lets time pass and runs what comes due, in order. */
  pass(milliseconds) {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].then();
    }
    this.#now = end;
  }

  /** Milliseconds until the next timer, or Infinity. */
  get untilNext() {
    return Math.min(Infinity, ...[...this.#timers.values()].map((t) => t.at - this.#now));
  }
}

/** Sockets that do what the test says; FakeSocket.made holds all of them. */
export function fakeSockets() {
  const made = [];
  class FakeSocket {
    constructor(url) {
      if (url.startsWith("bad")) throw new SyntaxError("no address");
      this.url = url;
      this.sent = [];
      this.closed = false;
      made.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close() {
      this.closed = true;
    }

    // What the server or the network does:
    accept() {
      this.onopen();
    }

    say(packet) {
      this.onmessage({ data: typeof packet === "string" ? packet : JSON.stringify(packet) });
    }

    end(code = 1006, reason = "") {
      this.onclose({ code, reason });
    }
  }
  return { FakeSocket, made, last: () => made.at(-1) };
}
