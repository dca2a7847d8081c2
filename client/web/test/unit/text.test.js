import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { plain, hue, clockTime, lineElement } from "../../js/text.js";

// A document that only knows what lineElement may use. Whatever would read text as HTML does not exist here.
const document = {
  createElement: (tag) => ({
    tag, children: [], className: "", textContent: "",
    append(...nodes) {
      this.children.push(...nodes);
    },
    set innerHTML(_) {
      throw new Error("text was read as HTML");
    },
  }),
};

const find = (li, name) => li.children.find((c) => c.className?.startsWith(name));
const date = new Date(2026, 0, 2, 7, 5);

test("text and names stay text", () => {
  const evil = '<img src=x onerror=alert(1)> & "quotes" </b> [b]x[/b] 😀';
  const li = lineElement(document, { kind: "other", sender: "<b>bob</b>", text: evil, date });
  assert.equal(find(li, "text").textContent, evil);
  assert.equal(find(li, "name").textContent, "<b>bob</b>");
  assert.equal(li.className, "line other");
  assert.equal(li.children[0].textContent, "07:05");
});

test("a system line has no sender", () => {
  const li = lineElement(document, { kind: "system", sender: "", text: "hello", date });
  assert.equal(find(li, "name"), undefined);
  assert.equal(li.className, "line system");
});

test("controls and turned writing are left out, lines become one", () => {
  assert.equal(plain("a\u202Eb\u0000c\u200F\u2066d\u001b[31m"), "abcd[31m");
  assert.equal(plain("one\r\ntwo\tthree"), "one two three");
  assert.equal(plain("família 👩‍👩‍👧 ok"), "família 👩‍👩‍👧 ok");
});

test("a name always has the same colour", () => {
  assert.equal(hue("alice"), hue("alice"));
  for (const name of ["", "a", "zoë", "😀😀"]) assert.ok(hue(name) >= 0 && hue(name) < 8);
});

test("times have two digits", () => assert.equal(clockTime(new Date(2026, 0, 1, 23, 0)), "23:00"));

test("no file of the client reads text as HTML, runs text, or writes inline styles", () => {
  const folder = new URL("../../js/", import.meta.url);
  for (const name of readdirSync(folder)) {
    const code = readFileSync(new URL(name, folder), "utf8");
    assert.doesNotMatch(code, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\("style|alert\(/, name);
  }
  const page = readFileSync(new URL("../../index.html", import.meta.url), "utf8");
  assert.doesNotMatch(page, /\son\w+=|style=|<style|<script(?![^>]*src=)|https?:\/\//);
});
