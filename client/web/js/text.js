// Text from other people: what may be shown of it. It is only ever set as the text of elements and never read as HTML.

// Controls, and the characters that turn the direction of writing round or are invisible.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** One line of plain text. */
export const plain = (text) => text.replace(/[\t\n\u2028\u2029]+/g, " ").replace(UNSEEN, "");

/** Hours and minutes of a Date. */
export const clockTime = (date) => String(date.getHours()).padStart(2, "0") + ":" + String(date.getMinutes()).padStart(2, "0");

/** One of 8 colours for a name, always the same one: the index. */
export function hue(name) {
  let h = 0;
  for (const character of name) h = (h * 31 + character.codePointAt(0)) >>> 0;
  return h % 8;
}

/**
 * The element of one line of chat. line is { kind: "system" | "own" | "other", sender, text, date }. Names and texts stand in
 * <bdi>, so that writing from right to left in one cannot rearrange the other.
 */
export function lineElement(document, line) {
  const li = document.createElement("li");
  li.className = "line " + line.kind;
  const time = document.createElement("time");
  time.textContent = clockTime(line.date);
  li.append(time, " ");
  if (line.sender) {
    const name = document.createElement("bdi");
    name.className = "name hue" + hue(line.sender);
    name.textContent = plain(line.sender);
    li.append(name, ": ");
  }
  const text = document.createElement("bdi");
  text.className = "text";
  text.textContent = plain(line.text);
  li.append(text);
  return li;
}
