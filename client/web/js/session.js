// The way into the game and back: registers, logs in, and logs in again after the connection was lost. It turns messages
// into packets; what packets of the game do is up to others.
import * as packet from "./packet.js";
import * as net from "./net.js";
import { backoff } from "./backoff.js";

const ANSWER_WITHIN = 20_000; // milliseconds for the answer to a Register or Login

/** Where a Session stands. */
export const OUTSIDE = "outside";
export const REGISTERING = "registering";
export const ENTERING = "entering";
export const INSIDE = "inside";
export const RETURNING = "returning"; // was inside, the connection was lost

/** Refusals that time heals, when one comes back while the server still holds the old connection. */
const PASSING = [/already logged in/i, /busy/i, /try again/i, /shutting down/i];
const TAKEN = /already taken/i;

export class Session {
  #wanted = null; // { name, password, avatar } of the one who is or wants to be inside
  #asked = ""; // "Register" or "Login" while its answer is awaited
  #asksAgain = false; // the connection was lost after a Register that may have succeeded
  #refusals = 0; // in a row, on the way back
  #timer = null;

  constructor(connection, clock) {
    this.connection = connection;
    this.clock = clock;
    this.place = OUTSIDE;
    this.onPlace = () => {}; // the place has changed
    this.onEnter = () => {}; // (model of me, whether this is a return)
    this.onPacket = () => {}; // any packet after entering
    this.onDeny = () => {}; // (reason): the way in was refused
    this.onNotice = () => {}; // (text): the server said something while inside
    connection.onMessage = (text) => this.#receive(text);
    this.onState = () => {}; // (state of the connection)
    connection.onState = (state) => this.#connectionIs(state);
  }

  /** Creates an account and enters. */
  register(name, password, avatar) {
    this.#want({ name, password, avatar }, REGISTERING);
  }

  /** Enters with an account. */
  login(name, password) {
    this.#want({ name, password }, ENTERING);
  }

  /** Leaves the game, for the login screen. */
  leave() {
    this.#forget();
    this.connection.open();
  }

  /** Sends a packet of the game; false when not inside. */
  send(text) {
    return this.place === INSIDE && this.connection.send(text);
  }

  get name() {
    return this.#wanted?.name ?? "";
  }

  #want(wanted, place) {
    this.#wanted = wanted;
    this.#asksAgain = false;
    this.#become(place);
    if (this.connection.state === net.OPEN) this.#ask();
    else if (this.connection.state === net.WAITING) this.connection.retryNow();
    else if (this.connection.state === net.CLOSED) this.connection.open();
  }

  #ask() {
    const { name, password, avatar } = this.#wanted;
    const registers = this.place === REGISTERING;
    this.#asked = registers ? "Register" : "Login";
    this.connection.send(registers ? packet.register(name, password, avatar) : packet.login(name, password));
    this.#startTimer(() => this.connection.reset("The server did not answer."), ANSWER_WITHIN);
  }

  #connectionIs(state) {
    if (state === net.OPEN) {
      if (this.#wanted) this.#ask();
    } else {
      this.#stopTimer();
      const wasAsked = this.#asked;
      this.#asked = "";
      if (this.place === INSIDE) {
        this.#refusals = 0;
        this.#become(RETURNING);
      } else if (wasAsked === "Register") {
        this.#asksAgain = true;
      }
      if (state === net.CLOSED && this.#wanted) { // and nobody will open it again
        const why = this.connection.why;
        this.#forget();
        this.onDeny(why);
      }
    }
    this.onState(state);
  }

  #receive(text) {
    const p = packet.decode(text);
    if (!p) return;
    if (this.place === INSIDE) {
      if (p.action === "Deny") this.onNotice(p.reason);
      else this.onPacket(p);
      return;
    }
    if (p.action === "Ok" && this.#asked === "Register") {
      this.#become(ENTERING);
      this.#ask();
    } else if (p.action === "Deny" && this.#asked) {
      this.#refused(p.reason);
    } else if (p.action === "ModelDelta" && this.#asked === "Login" && packet.isFull(p.model)) {
      this.#asked = "";
      this.#stopTimer();
      const returns = this.place === RETURNING;
      this.#refusals = 0;
      this.#become(INSIDE);
      this.onEnter(p.model, returns);
    }
  }

  #refused(reason) {
    this.#stopTimer();
    const asked = this.#asked;
    this.#asked = "";
    if (asked === "Register" && this.#asksAgain && TAKEN.test(reason)) {
      this.#become(ENTERING); // by us, just before the connection was lost
      this.#ask();
      return;
    }
    if (this.place === RETURNING && PASSING.some((p) => p.test(reason))) {
      this.onNotice(reason);
      this.#startTimer(() => this.#ask(), Math.min(10_000, backoff(this.#refusals++, Math.random(), 1000)));
      return;
    }
    this.#forget();
    this.onDeny(reason);
  }

  #forget() {
    this.#stopTimer();
    this.#wanted = null;
    this.#asked = "";
    this.#become(OUTSIDE);
  }

  #become(place) {
    if (this.place === place) return;
    this.place = place;
    this.onPlace(place);
  }

  #startTimer(then, wait) {
    this.#stopTimer();
    this.#timer = this.clock.setTimeout(then, wait);
  }

  #stopTimer() {
    if (this.#timer !== null) this.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
