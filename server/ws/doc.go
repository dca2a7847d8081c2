// Package ws is the edge of the server: WebSocket (RFC 6455) sessions that cost
// memory while they are idle and nothing else.
//
// net/http owns the port and answers the handshake ([Server.ServeHTTP]); from
// then on the connection lives in nbio's epoll engine, without a goroutine, a
// timer or a buffer of its own. Frames are parsed in place, on the poller's
// goroutine, as their bytes arrive; a buffer exists only while a frame or a
// message is incomplete.
//
// The package knows nothing of the game. It tells a [Handler] that a session
// opened, what messages it sent, and how it ended; and it takes whole frames to
// send ([Session.Write]).
//
// # Which goroutine runs what
//
//	net/http, one per handshake   ServeHTTP, Handler.Open, and Handler.Message for
//	                              messages that came in one piece with the handshake
//	poller, few, each session     parser, Handler.Message, pongs, the answer to a
//	always on the same one        peer's close frame, and then Handler.Closed
//	closer, one                   time-outs of closing sessions; Handler.Closed after Session.Close
//	nbio's, one                   Handler.Closed when the TCP connection just ended
//	any                           Session.Write, Ping, Close, Pending, RemoteAddr, LastHeard
//
// # Caveats
//
//   - The bytes given to Handler.Message die when it returns.
//   - No method of Handler may block: Message holds up every session of its poller.
//   - When a peer ends its side of the TCP connection the session is over, and
//     bytes that the kernel had not taken yet are dropped.
//   - There are no extensions (so no compression), and Linux is required.
package ws
