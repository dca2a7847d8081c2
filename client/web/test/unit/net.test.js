import { test } from "node:test";
import assert from "node:assert/strict";
import { Connection, serverUrl, CLOSED, CONNECTING, OPEN, WAITING } from "../../js/net.js";
import { backoff } from "../../js/backoff.js";
import { explain } from "../../js/closing.js";
import { FakeClock, fakeSockets } from "./clock.js";

function setUp(random = () => 1) {
  const clock = new FakeClock();
  const sockets = fakeSockets();
  const connection = new Connection({ WebSocket: sockets.FakeSocket, clock, random });
  const states = [];
  connection.onState = (state) => states.push(state);
  return { clock, connection, states, ...sockets };
}

test("backoff doubles, has a cap, and spreads by chance", () => {
  assert.deepEqual([0, 1, 2, 3].map((n) => backoff(n, 1)), [500, 1000, 2000, 4000]);
  assert.equal(backoff(50, 1), 30_000);
  assert.equal(backoff(3, 0), 2000);
  assert.equal(backoff(0, 1, 4000), 4000);
});

test("connects, sends, hears", () => {
  const { connection, states, last } = setUp();
  const heard = [];
  connection.onMessage = (text) => heard.push(text);
  assert.equal(connection.send("{}"), false);
  connection.open("ws://here/");
  assert.equal(connection.state, CONNECTING);
  last().accept();
  assert.equal(connection.send('{"a":"x"}'), true);
  last().say("hello");
  last().onmessage({ data: new ArrayBuffer(2) });
  assert.deepEqual(last().sent, [{ a: "x" }]);
  assert.deepEqual(heard, ["hello"]);
  assert.deepEqual(states, [CONNECTING, OPEN]);
});

test("comes back by itself, later each time, and at once after success", () => {
  const { clock, connection, made, last } = setUp();
  connection.open("ws://here/");
  last().accept();
  last().end(1006);
  const waits = [];
  for (let i = 0; i < 9; i++) {
    assert.equal(connection.state, WAITING);
    waits.push(connection.retryAt - clock.now());
    clock.pass(waits.at(-1) - 1);
    assert.equal(connection.state, WAITING, "not before its time");
    clock.pass(1);
    assert.equal(connection.state, CONNECTING);
    last().end(1006);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assert.equal(made.length, 10);
  clock.pass(30_000);
  last().accept();
  clock.pass(5_000); // steady again
  last().end(1006);
  assert.equal(connection.retryAt - clock.now(), 500);
});

test("a server that accepts and hangs up at once is not hammered", () => {
  const { clock, connection, last } = setUp();
  connection.open("ws://here/");
  const waits = [];
  for (let i = 0; i < 4; i++) {
    last().accept();
    last().end(1006);
    waits.push(connection.retryAt - clock.now());
    clock.pass(waits.at(-1));
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000]);
});

test("retryNow does not wait", () => {
  const { clock, connection, made, last } = setUp();
  connection.open("ws://here/");
  last().end(1006);
  connection.retryNow();
  assert.equal(made.length, 2);
  assert.equal(connection.state, CONNECTING);
  clock.pass(600);
  assert.equal(made.length, 2, "the timer was stopped");
});

test("a handshake that takes for ever is given up", () => {
  const { clock, connection, last } = setUp();
  connection.open("ws://here/");
  clock.pass(10_000);
  assert.equal(last().closed, true);
  last().end(1006);
  assert.equal(connection.state, WAITING);
});

test("what an abandoned socket still says is nothing to us", () => {
  const { connection, made } = setUp();
  const heard = [];
  connection.onMessage = (text) => heard.push(text);
  connection.open("ws://one/");
  connection.open("ws://two/");
  assert.equal(made[0].closed, true);
  made[0].accept();
  made[0].say("old");
  made[0].end(1006);
  assert.equal(connection.state, CONNECTING);
  assert.deepEqual(heard, []);
});

test("close is final", () => {
  const { clock, connection, made } = setUp();
  connection.open("ws://one/");
  connection.close();
  clock.pass(100_000);
  assert.equal(connection.state, CLOSED);
  assert.equal(made.length, 1);
});

test("an impossible address is said, not thrown", () => {
  const { connection } = setUp();
  connection.open("bad");
  assert.equal(connection.state, CLOSED);
  assert.match(connection.why, /cannot be used/);
});

test("closing codes in words", async (t) => {
  const cases = [
    ["lost", [1006, "", true], "The connection was lost.", true],
    ["never there", [1006, "", false], "The server cannot be reached.", true],
    ["restart", [1001, "", true], "The server is restarting.", true],
    ["full, in the server's words", [1013, "the server is full", true], "The server is full.", true],
    ["kicked", [1008, "You were kicked: rude", true], "You were kicked: rude.", false],
    ["kicked, in other words", [4000, "kicked by carol", true], "You were kicked: Kicked by carol.", false],
    ["banned", [1008, "You are banned until Monday", true], "You are banned until Monday.", false],
    ["banned, in other words", [1001, "account banned", true], "You are banned: Account banned.", false],
    ["flooding", [1008, "You are sending too fast", true], "You are sending too fast.", false],
    ["an application's own code", [4001, "", true], "The server ended the connection.", false],
    ["band is no ban", [1001, "the band plays on", true], "The band plays on.", true],
  ];
  for (const [name, args, text, again] of cases) {
    await t.test(name, () => assert.deepEqual(explain(...args), { text, again }));
  }
});

test("no return after a kick, a patient one when full", () => {
  const kicked = setUp();
  kicked.connection.open("ws://here/");
  kicked.last().accept();
  kicked.last().end(1008, "kicked");
  kicked.clock.pass(100_000);
  assert.equal(kicked.connection.state, CLOSED);
  assert.equal(kicked.made.length, 1);

  const full = setUp();
  full.connection.open("ws://here/");
  full.last().accept();
  full.last().end(1013, "The server is full");
  assert.ok(full.connection.retryAt - full.clock.now() >= 2000);
});

test("addresses of servers", () => {
  const page = { protocol: "http:", host: "localhost:8081" };
  const secure = { protocol: "https:", host: "game.example" };
  assert.equal(serverUrl("", page), "ws://localhost:8081/");
  assert.equal(serverUrl(null, secure), "wss://game.example/");
  assert.equal(serverUrl(" other:9000 ", page), "ws://other:9000");
  assert.equal(serverUrl("other", secure), "wss://other");
  assert.equal(serverUrl("wss://x/y", page), "wss://x/y");
  assert.equal(serverUrl("https://x/y", page), "wss://x/y");
});
