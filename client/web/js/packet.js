// The wire format: one packet is one JSON object {"a": action, "p0": …} in one WebSocket message. This file knows what packets
// look like and nothing of what they do.

/** Greatest lengths that the server takes, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 128;
export const MAX_PASSWORD_BYTES = 256;
export const MAX_TEXT_BYTES = 1024;

/** The sender of what the server itself says in the chat; no account can have that name. */
export const HERALD = "[Server]";

export const register = (name, password, avatar) => encode("Register", name, password, avatar);
export const login = (name, password) => encode("Login", name, password);
export const chat = (sender, text) => encode("Chat", sender, text);
export const guestChat = (text) => encode("Chat", text);
export const target = (x, y) => encode("Target", x, y);

function encode(action, ...payloads) {
  const packet = { a: action };
  payloads.forEach((payload, i) => { packet["p" + i] = payload; });
  return JSON.stringify(packet);
}

/**
 * Takes a packet of the server apart. What comes back always has the fields of its action, of the right types; null stands
 * for anything else, which is to be ignored: an unknown action may come from a newer server.
 */
export function decode(text) {
  let packet;
  try {
    packet = JSON.parse(text);
  } catch {
    return null;
  }
  if (packet === null || typeof packet !== "object") return null;
  const { a: action, p0, p1 } = packet;
  switch (action) {
    case "Ok":
      return { action };
    case "Deny":
      return typeof p0 === "string" ? { action, reason: p0 } : null;
    case "Chat":
      if (typeof p0 !== "string") return null;
      if (p1 === undefined) return { action, sender: "", text: p0 };
      return typeof p1 === "string" ? { action, sender: p0, text: p1 } : null;
    case "ModelDelta": {
      const model = decodeModel(p0);
      return model && { action, model };
    }
    case "Disconnect":
    case "Despawn":
      return Number.isSafeInteger(p0) ? { action, id: p0 } : null;
  }
  return null;
}

// A full model has a name; a delta has whichever coordinates changed.
function decodeModel(p0) {
  if (!p0 || typeof p0 !== "object" || !Number.isSafeInteger(p0.id)) return null;
  const model = { id: p0.id };
  const place = p0.instanced_entity;
  if (place && typeof place === "object") {
    if (Number.isFinite(place.x)) model.x = place.x;
    if (Number.isFinite(place.y)) model.y = place.y;
    if (typeof place.entity?.name === "string") model.name = place.entity.name;
  }
  if (Number.isInteger(p0.avatar_id)) model.avatar = p0.avatar_id;
  return model;
}

/** Says whether a decoded model is a full one, which makes a new actor, and not a delta. */
export const isFull = (model) => model.name !== undefined && model.x !== undefined && model.y !== undefined;

/** Cuts text so that it fits into so many bytes of UTF-8, never in the middle of a character. */
export function fit(text, bytes) {
  const encoder = new TextEncoder();
  if (encoder.encode(text).length <= bytes) return text;
  let used = 0;
  let out = "";
  for (const character of text) {
    used += encoder.encode(character).length;
    if (used > bytes) break;
    out += character;
  }
  return out;
}
