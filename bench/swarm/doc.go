// Package swarm is the crowd of clients behind the load generator: many thousand
// WebSocket connections on one thread, counted rather than understood.
//
// An [Engine] owns an epoll instance, raw non-blocking sockets and one big read
// buffer. What arrives is walked frame by frame by header only; a chat of the
// running measurement is recognised at a fixed distance from its frame's end, so
// that every chat of every receiver can be counted and fingerprinted for a few
// nanoseconds. Nothing decodes JSON on that road.
//
// A [Fleet] is what the modes use: it spreads the connections over one engine in
// this process, or over several in child processes when the file limit demands it,
// and adds up what they found.
//
// The package knows the wire protocol from the client's side. It knows nothing of
// the server under test beyond its address.
package swarm
