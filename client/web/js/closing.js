// Why a connection ended, in words, and whether it makes sense to connect again without being asked.

const CODES = {
  1000: ["The server ended the connection.", false],
  1001: ["The server is restarting.", true],
  1002: ["This client and the server do not understand each other.", false],
  1003: ["This client and the server do not understand each other.", false],
  1006: ["The connection was lost.", true],
  1007: ["This client and the server do not understand each other.", false],
  1008: ["The server ended the connection.", false],
  1009: ["The server refused a message that was too long.", false],
  1011: ["The server had a problem.", true],
  1012: ["The server is restarting.", true],
  1013: ["The server is full or this connection is too slow.", true],
  1014: ["The server cannot be reached at the moment.", true],
};

/** What a closing code and the server's own reason mean to a player: { text, again }. */
export function explain(code, reason, wasOpen) {
  if (!wasOpen && code === 1006) return { text: "The server cannot be reached.", again: true };
  let [text, again] = CODES[code] ?? ["The server ended the connection.", code < 3000];
  const said = sentence(reason);
  if (/\bbann?ed\b/i.test(said)) return { text: /^You are banned/i.test(said) ? said : `You are banned: ${said}`, again: false };
  if (/\bkick/i.test(said)) return { text: /^You were kicked/i.test(said) ? said : `You were kicked: ${said}`, again: false };
  if (said) text = said;
  return { text, again };
}

/** A reason with a capital letter and a full stop. */
export function sentence(reason) {
  const text = (reason ?? "").trim();
  if (!text) return "";
  return text[0].toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");
}
