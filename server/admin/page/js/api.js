// The server's HTTP API, as API.md has it. Every function throws a Refused.

/** Why the server did not do something, in a sentence. status is 0 when it could not be reached. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(method, path, body) {
  const headers = {};
  if (method !== "GET") headers["Tavern-Page"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch("api/v1/" + path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", signal: AbortSignal.timeout(15000),
    });
  } catch {
    throw new Refused(0, "The server does not answer");
  }
  const text = await response.text();
  let value = {};
  try {
    if (text) value = JSON.parse(text);
  } catch {
    throw new Refused(response.status, "This is not an answer of the server: " + text.slice(0, 80));
  }
  if (!response.ok) throw new Refused(response.status, value.error || response.statusText);
  return value;
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body);

export const login = (token, name) => request("POST", "session", { token, name });
export const logout = () => request("DELETE", "session");
