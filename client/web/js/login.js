// The login screen: name, password, avatar, server, and what the server says to them.
import { fit, MAX_NAME_BYTES, MAX_PASSWORD_BYTES } from "./packet.js";

/** The avatars' names, by number. */
export const AVATARS = ["Ranger", "Innkeeper", "Wizard", "Fox", "Knight", "Frog"];

const TURN = 1.6; // seconds that the chosen one looks into one direction
const TURNS = [0, 1, 3, 2]; // down, left, up, right
const CELL = 32;
const NAME_KEY = "tavern.name";

export class Login {
  #portraits = []; // 2D contexts
  #chosenAt = 0;

  /** elements: { screen, form, name, password, avatars, avatarList, avatarName, error, enter, status, server, serverDetails }. */
  constructor(elements, document, storage, randomAvatar) {
    this.el = elements;
    this.storage = storage;
    this.onSubmit = () => {}; // ({ register, name, password, avatar })
    this.onServer = () => {}; // (what was typed)
    this.#addAvatars(document, randomAvatar);
    const { form, server, name } = elements;
    name.value = storage.getItem(NAME_KEY) ?? "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.addEventListener("change", (event) => {
      if (event.target.name === "mode") this.#showMode();
      if (event.target.name === "avatar") this.#showAvatar();
      if (event.target === server) this.onServer(server.value);
    });
    server.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // it chooses the server and does not log in
      this.onServer(server.value);
    });
    // In the name field Enter goes on to the password while that is empty.
    name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || elements.password.value !== "" || name.value === "") return;
      event.preventDefault();
      elements.password.focus();
    });
    if (!name.value) form.elements.mode.value = "register";
    this.#showMode();
    this.#showAvatar();
  }

  show(yes) {
    const { screen, name, password } = this.el;
    screen.hidden = !yes;
    if (yes) (name.value ? password : name).focus();
    else password.value = "";
  }

  /** Says why it did not work, next to the button. */
  fail(reason) {
    const { error, name, password } = this.el;
    error.textContent = reason;
    for (const field of [name, password]) field.setAttribute("aria-invalid", String(reason !== ""));
    if (!reason) return;
    const field = /password/i.test(reason) && !/username or password must/i.test(reason) ? password : name;
    if (!this.el.screen.hidden) field.focus();
  }

  /** What goes on with the connection. */
  status(text) {
    if (this.el.status.textContent !== text) this.el.status.textContent = text;
  }

  /** While an answer is awaited the button says so. */
  busy(text) {
    const { enter } = this.el;
    enter.disabled = text !== "";
    enter.textContent = text || (this.#registers ? "Create account and enter" : "Enter the tavern");
  }

  get #registers() {
    return this.el.form.elements.mode.value === "register";
  }

  get #avatar() {
    return Number(this.el.form.elements.avatar.value);
  }

  #submit() {
    const { name, password } = this.el;
    const username = name.value.trim();
    if (username === "" || password.value === "") {
      this.fail("Username or password must not be empty");
      (username === "" ? name : password).focus();
      return;
    }
    this.fail("");
    this.storage.setItem(NAME_KEY, username);
    this.onSubmit({
      register: this.#registers,
      name: fit(username, MAX_NAME_BYTES),
      password: fit(password.value, MAX_PASSWORD_BYTES),
      avatar: this.#avatar,
    });
  }

  #showMode() {
    const { avatars, password } = this.el;
    avatars.hidden = !this.#registers;
    password.autocomplete = this.#registers ? "new-password" : "current-password";
    this.fail("");
    this.busy("");
  }

  #showAvatar() {
    this.el.avatarName.textContent = AVATARS[this.#avatar];
    this.#chosenAt = performance.now() / 1000;
  }

  #addAvatars(document, chosen) {
    AVATARS.forEach((title, n) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      input.type = "radio";
      input.name = "avatar";
      input.value = String(n);
      input.checked = n === chosen;
      input.setAttribute("aria-label", title);
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = CELL;
      label.append(input, canvas);
      this.el.avatarList.append(label);
      this.#portraits.push(canvas.getContext("2d"));
    });
  }

  /** Draws the portraits: the chosen one walks and turns about, the others wait. */
  draw(sheet, seconds, still) {
    if (this.el.avatars.hidden || this.el.screen.hidden) return;
    this.#portraits.forEach((context, n) => {
      const chosen = n === this.#avatar;
      const since = seconds - this.#chosenAt;
      const direction = chosen && !still ? TURNS[Math.floor(since / TURN) % 4] : 0;
      const column = chosen && !still ? 2 + (Math.floor(since * 8) % 4) : (seconds + n * 0.7) % 4 > 3.85 ? 1 : 0;
      context.clearRect(0, 0, CELL, CELL);
      context.drawImage(sheet, CELL * column, CELL * (4 * n + direction), CELL, CELL, 0, 0, CELL, CELL);
    });
  }
}
