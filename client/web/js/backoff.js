// How long to wait before the next attempt to connect.

const BASE = 500; // milliseconds before the second attempt
const CAP = 30_000; // longest wait

/**
 * Milliseconds to wait after so many failures in a row: twice as long each time, and by chance up to half less, so that
 * the clients of a server that restarts do not come back all at once. random is a number from 0 to 1.
 */
export function backoff(failures, random, least = 0) {
  const longest = Math.min(CAP, BASE * 2 ** Math.min(failures, 20));
  return Math.round(Math.max(longest, least) * (0.5 + 0.5 * random));
}
