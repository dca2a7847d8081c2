// The state of the connection in words, on the login screen and as a banner in the game.
import * as net from "./net.js";
import * as session from "./session.js";
import { sentence } from "./closing.js";

/** What to show: { login, banner, retry }. better is a better reason than the connection's own, if known. */
export function statusOf(connection, place, now, better) {
  const host = hostOf(connection.url);
  const why = better || connection.why;
  switch (connection.state) {
    case net.OPEN:
      return place === session.RETURNING
        ? { login: "", banner: "Connected again, entering…", retry: false }
        : { login: `Connected to ${host}`, banner: "", retry: false };
    case net.CONNECTING:
      return { login: `Connecting to ${host}…`, banner: "Connecting…", retry: false };
    case net.WAITING: {
      const left = Math.max(1, Math.ceil((connection.retryAt - now) / 1000));
      return { login: `${why} Trying again in ${left} s.`, banner: `${why} Trying again in ${left} s.`, retry: true };
    }
  }
  return { login: sentence(why), banner: sentence(why), retry: true };
}

function hostOf(url) {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
