import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import * as packet from "../../js/packet.js";

const GOLDEN = new URL("../../../../codec/testdata/golden/", import.meta.url);

const files = readdirSync(GOLDEN).filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(new URL(name, GOLDEN), "utf8")));

// How this client writes what it sends, from the fields of a golden case.
const encoders = {
  Register: ({ username, password, avatar }) => packet.register(username, password, avatar),
  Login: ({ username, password }) => packet.login(username, password),
  Chat: ({ sender, text }, payloads) => (payloads === 2 ? packet.chat(sender, text) : packet.guestChat(text)),
  Target: ({ x, y }) => packet.target(x, y),
};

// What decode() makes of the fields of a golden case.
const expected = {
  Ok: () => ({ action: "Ok" }),
  Deny: ({ reason }) => ({ action: "Deny", reason }),
  Chat: ({ sender = "", text }) => ({ action: "Chat", sender, text }),
  Disconnect: ({ id }) => ({ action: "Disconnect", id }),
  Despawn: ({ id }) => ({ action: "Despawn", id }),
  ModelDelta: ({ id, x, y, name, avatar }) => ({
    action: "ModelDelta",
    model: { id, x, y, ...(name === undefined ? {} : { name }), ...(avatar === undefined ? {} : { avatar }) },
  }),
};

test("golden: what the server sends is understood", async (t) => {
  let cases = 0;
  for (const { action, cases: all } of files) {
    for (const c of all.filter((one) => one.direction === "s2c")) {
      cases++;
      await t.test(`${action}: ${c.name}`, () => assert.deepEqual(packet.decode(c.raw), expected[action](c.fields)));
    }
  }
  assert.ok(cases >= 20, `only ${cases} cases: are the golden files there?`);
});

test("golden: what this client sends is as the server expects it", async (t) => {
  let cases = 0;
  for (const { action, cases: all } of files) {
    for (const c of all.filter((one) => one.direction === "c2s" && one.compact)) {
      cases++;
      await t.test(`${action}: ${c.name}`, () => assert.equal(encoders[action](c.fields, c.payloads), c.raw));
    }
  }
  assert.ok(cases >= 8, `only ${cases} cases: are the golden files there?`);
});

test("golden: packets that are broken as JSON are ignored", () => {
  for (const { cases } of files) {
    for (const c of cases.filter((one) => one.error === "not_json" || one.error === "not_object")) {
      assert.equal(packet.decode(c.raw), null, c.name);
    }
  }
});

test("packets of wrong types are ignored", () => {
  const wrong = [
    "null", "[]", "7", "{}", '{"a":"Foo"}', '{"a":"Deny"}', '{"a":"Deny","p0":5}', '{"a":"Chat"}', '{"a":"Chat","p0":"x","p1":{}}',
    '{"a":"ModelDelta"}', '{"a":"ModelDelta","p0":null}', '{"a":"ModelDelta","p0":{"id":"1"}}', '{"a":"ModelDelta","p0":{"id":1.5}}',
    '{"a":"Disconnect","p0":"1"}', '{"a":"Despawn"}', '{"a":"Login","p0":"a","p1":"b"}', '{"a":"__proto__"}',
  ];
  for (const raw of wrong) assert.equal(packet.decode(raw), null, raw);
});

test("a delta may lack a coordinate, and rubbish in a model is left out", () => {
  const { model } = packet.decode('{"a":"ModelDelta","p0":{"id":1,"avatar_id":"3","instanced_entity":{"x":2.5,"y":"7","entity":{"name":9}}}}');
  assert.deepEqual(model, { id: 1, x: 2.5 });
  assert.equal(packet.isFull(model), false);
});

test("fit cuts by bytes and never within a character", () => {
  assert.equal(packet.fit("hello", 5), "hello");
  assert.equal(packet.fit("hello", 4), "hell");
  assert.equal(packet.fit("é€😀", 9), "é€😀");
  assert.equal(packet.fit("é€😀", 8), "é€");
  assert.equal(packet.fit("é€😀", 4), "é");
});
