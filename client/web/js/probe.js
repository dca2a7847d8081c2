// A browser does not tell why a WebSocket handshake was refused. When the page's own server still answers, then it is not
// down but has no room, or none for this visitor.

/** What to say of a server that cannot be reached by WebSocket, or "" if there is nothing better to say. */
export async function probe(socketUrl, fetch, page) {
  const url = new URL(socketUrl.replace(/^ws/i, "http"));
  if (url.host !== page.host) { // the page's policy allows to ask no other
    return "The server cannot be reached, or takes no visitors from this page.";
  }
  try {
    const answer = await fetch(new URL("/healthz", page.href), { cache: "no-store" });
    return answer.ok ? "The server is full, or does not let you in." : "";
  } catch {
    return "";
  }
}
