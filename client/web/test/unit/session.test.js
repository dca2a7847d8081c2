import { test } from "node:test";
import assert from "node:assert/strict";
import { Connection } from "../../js/net.js";
import { Session, OUTSIDE, REGISTERING, ENTERING, INSIDE, RETURNING } from "../../js/session.js";
import { FakeClock, fakeSockets } from "./clock.js";

const model = (id, name) => ({
  a: "ModelDelta",
  p0: { id, user: id, instanced_entity: { id, x: 1, y: 2, entity: { id, name, model_type: "Entity" }, model_type: "InstancedEntity" }, avatar_id: 3, model_type: "Actor" },
});

function setUp() {
  const clock = new FakeClock();
  const sockets = fakeSockets();
  const connection = new Connection({ WebSocket: sockets.FakeSocket, clock, random: () => 1 });
  const session = new Session(connection, clock);
  const events = [];
  session.onPlace = (place) => events.push(place);
  session.onEnter = (me, returns) => events.push(`enter ${me.name}${returns ? " again" : ""}`);
  session.onDeny = (reason) => events.push(`deny ${reason}`);
  session.onNotice = (text) => events.push(`notice ${text}`);
  session.onPacket = (p) => events.push(`packet ${p.action}`);
  connection.open("ws://here/");
  return { clock, connection, session, events, ...sockets };
}

function inside() {
  const s = setUp();
  s.last().accept();
  s.session.login("ann", "pw");
  s.last().say({ a: "Ok" });
  s.last().say(model(7, "ann"));
  s.events.length = 0;
  return s;
}

test("registers, then logs in", () => {
  const { session, events, last } = setUp();
  last().accept();
  session.register("ann", "pw", 3);
  last().say({ a: "Ok" });
  assert.deepEqual(last().sent, [{ a: "Register", p0: "ann", p1: "pw", p2: 3 }, { a: "Login", p0: "ann", p1: "pw" }]);
  last().say({ a: "Ok" });
  assert.equal(session.place, ENTERING, "not inside before the first model");
  last().say(model(7, "ann"));
  last().say(model(8, "bob"));
  assert.deepEqual(events, [REGISTERING, ENTERING, INSIDE, "enter ann", "packet ModelDelta"]);
});

test("what is asked before the connection is open waits for it", () => {
  const { session, last } = setUp();
  session.login("ann", "pw");
  assert.deepEqual(last().sent, []);
  last().accept();
  assert.deepEqual(last().sent, [{ a: "Login", p0: "ann", p1: "pw" }]);
});

test("a refusal leads back outside", () => {
  const { session, events, last } = setUp();
  last().accept();
  session.login("ann", "wrong");
  last().say({ a: "Deny", p0: "Username or password incorrect" });
  assert.deepEqual(events, [ENTERING, OUTSIDE, "deny Username or password incorrect"]);
});

test("the game is not heard before entering, nor sent to", () => {
  const { session, events, last } = setUp();
  last().accept();
  last().say({ a: "Chat", p0: "hello" });
  last().say(model(9, "stranger"));
  assert.deepEqual(events, []);
  assert.equal(session.send('{"a":"Target","p0":1,"p1":1}'), false);
});

test("comes back after a loss with the same name", () => {
  const { clock, session, events, last, made } = inside();
  last().end(1006);
  assert.equal(session.place, RETURNING);
  clock.pass(500);
  assert.equal(made.length, 2);
  last().accept();
  assert.deepEqual(last().sent, [{ a: "Login", p0: "ann", p1: "pw" }]);
  last().say({ a: "Ok" });
  last().say(model(7, "ann"));
  assert.deepEqual(events, [RETURNING, INSIDE, "enter ann again"]);
});

test("while the server still holds the old connection it asks again, patiently", () => {
  const { clock, session, last } = inside();
  last().end(1006);
  clock.pass(500);
  last().accept();
  for (let i = 0; i < 5; i++) {
    last().say({ a: "Deny", p0: "You are already logged in" });
    assert.equal(session.place, RETURNING);
    assert.equal(last().sent.length, 1 + i);
    clock.pass(10_000);
    assert.equal(last().sent.length, 2 + i);
  }
  last().say({ a: "Ok" });
  last().say(model(7, "ann"));
  assert.equal(session.place, INSIDE);
});

test("already logged in at the first login is a refusal", () => {
  const { session, events, last } = setUp();
  last().accept();
  session.login("ann", "pw");
  last().say({ a: "Deny", p0: "You are already logged in" });
  assert.equal(session.place, OUTSIDE);
  assert.deepEqual(events.at(-1), "deny You are already logged in");
});

test("a kick ends the game with the reason", () => {
  const { clock, session, events, last, made } = inside();
  last().end(1008, "You were kicked: rude");
  assert.equal(session.place, OUTSIDE);
  assert.equal(events.at(-1), "deny You were kicked: rude.");
  clock.pass(100_000);
  assert.equal(made.length, 1);
});

test("a Register whose answer was lost is not an error", () => {
  const { clock, session, last } = setUp();
  last().accept();
  session.register("ann", "pw", 1);
  last().end(1006);
  clock.pass(500);
  last().accept();
  assert.equal(last().sent[0].a, "Register");
  last().say({ a: "Deny", p0: "This username is already taken" });
  assert.deepEqual(last().sent[1], { a: "Login", p0: "ann", p1: "pw" });
  last().say({ a: "Ok" });
  last().say(model(7, "ann"));
  assert.equal(session.place, INSIDE);
});

test("a server that never answers is given up and tried again", () => {
  const { clock, connection, session, last } = setUp();
  last().accept();
  session.login("ann", "pw");
  clock.pass(20_000);
  assert.equal(last().closed, true);
  assert.equal(connection.why, "The server did not answer.");
  clock.pass(1000);
  last().accept();
  assert.equal(last().sent[0].a, "Login");
});

test("a refusal in the game is a notice", () => {
  const { session, events, last } = inside();
  last().say({ a: "Deny", p0: "This text is too long" });
  assert.deepEqual(events, ["notice This text is too long"]);
  assert.equal(session.place, INSIDE);
});

test("leaving forgets who one was", () => {
  const { clock, session, last } = inside();
  session.leave();
  assert.equal(session.place, OUTSIDE);
  last().accept();
  clock.pass(100_000);
  assert.deepEqual(last().sent, []);
});
