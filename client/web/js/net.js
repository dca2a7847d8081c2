// One WebSocket that is kept open: it connects, says in which state it is, and connects again after it was lost. It knows
// nothing of packets; messages go in and out as text.
import { backoff } from "./backoff.js";
import { explain } from "./closing.js";

const OPEN_WITHIN = 10_000; // milliseconds for a handshake
const STEADY_AFTER = 5_000; // milliseconds open after which earlier failures no longer count
const FULL_WAIT = 4_000; // least longest wait when the server says "try later"

/** The states of a Connection. */
export const CLOSED = "closed"; // and will stay so until open() is called
export const CONNECTING = "connecting";
export const OPEN = "open";
export const WAITING = "waiting"; // for the next attempt, at retryAt

export class Connection {
  #socket = null;
  #timer = null; // of the handshake, of the next attempt, or of steadiness
  #failures = 0;

  /** clock has now(), setTimeout() and clearTimeout(); the rest may be left out. */
  constructor({ WebSocket = globalThis.WebSocket, clock, random = Math.random }) {
    this.WebSocket = WebSocket;
    this.clock = clock;
    this.random = random;
    this.url = "";
    this.state = CLOSED;
    this.retryAt = 0; // clock time of the next attempt, while waiting
    this.why = ""; // the last end, in words
    this.onState = () => {};
    this.onMessage = () => {};
  }

  /** Connects to another address, or again to the same one. */
  open(url = this.url) {
    this.#drop();
    this.url = url;
    this.#failures = 0;
    this.why = "";
    this.#connect();
  }

  /** Ends the connection for good. */
  close() {
    this.#drop();
    this.why = "";
    this.#become(CLOSED);
  }

  /** Does not wait any longer for the next attempt. */
  retryNow() {
    if (this.state !== WAITING) return;
    this.#stopTimer();
    this.#connect();
  }

  /** Gives up this socket, which seems dead, and connects anew. */
  reset(why) {
    if (this.state !== OPEN) return;
    this.#drop();
    this.#lost({ text: why, again: true }, 0);
  }

  /** Sends one message; false if that is not possible now. */
  send(text) {
    if (this.state !== OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  #connect() {
    this.#become(CONNECTING);
    let socket;
    try {
      socket = new this.WebSocket(this.url);
    } catch {
      // The address is none, or this page is secure and the server is not.
      this.why = "This address cannot be used: " + this.url;
      this.#become(CLOSED);
      return;
    }
    this.#socket = socket;
    let wasOpen = false;
    this.#startTimer(() => socket.close(), OPEN_WITHIN);
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      wasOpen = true;
      this.#startTimer(() => { this.#failures = 0; }, STEADY_AFTER);
      this.why = "";
      this.#become(OPEN);
    };
    socket.onmessage = (event) => {
      if (socket === this.#socket && typeof event.data === "string") this.onMessage(event.data);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#lost(explain(event.code, event.reason, wasOpen), event.code === 1013 ? FULL_WAIT : 0);
    };
  }

  #lost({ text, again }, least) {
    this.#stopTimer();
    this.why = text;
    if (!again) {
      this.#become(CLOSED);
      return;
    }
    const wait = backoff(this.#failures++, this.random(), least);
    this.retryAt = this.clock.now() + wait;
    this.#startTimer(() => this.#connect(), wait);
    this.#become(WAITING);
  }

  #drop() {
    this.#stopTimer();
    const socket = this.#socket;
    this.#socket = null; // from here on its events mean nothing
    socket?.close();
  }

  #become(state) {
    this.state = state;
    this.onState(state);
  }

  #startTimer(then, wait) {
    this.#stopTimer();
    this.#timer = this.clock.setTimeout(() => {
      this.#timer = null;
      then();
    }, wait);
  }

  #stopTimer() {
    if (this.#timer !== null) this.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/**
 * The WebSocket address for what somebody typed or put into ?server=: an address, a host with or without a port, or
 * nothing for the server of the page itself.
 */
export function serverUrl(typed, page) {
  const secure = page.protocol === "https:";
  const text = (typed ?? "").trim();
  if (!text) return `${secure ? "wss" : "ws"}://${page.host}/`;
  if (/^wss?:\/\//i.test(text)) return text;
  if (/^https?:\/\//i.test(text)) return text.replace(/^http/i, "ws");
  return `${secure ? "wss" : "ws"}://${text}`;
}
