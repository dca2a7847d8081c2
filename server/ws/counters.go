package ws

import "sync/atomic"

// counters are written where things happen and read by Server.Counters.
type counters struct {
	accepted, messages, pongs    atomic.Uint64
	bytesIn, bytesOut            atomic.Uint64
	overflows, truncated, panics atomic.Uint64
	silent, tls, stopped         atomic.Uint64
	open                         atomic.Int64
	closed                       [len(CloseCodes) + 2]atomic.Uint64
	faults                       [maxFaults]atomic.Uint64
	refused                      [maxRefusals]atomic.Uint64
}

// closedIndex is where counters.closed counts code: the rows of the table, then
// applications' codes, then the rest.
func closedIndex(code int) int {
	i := closeIndex(code)
	if i == len(CloseCodes) && (code < 3000 || code > 4999) {
		i++
	}
	return i
}

// Counters is a snapshot of what a Server has counted since New. All but Open
// only grow. Accepted = Open + the sum of Closed, up to sessions that open or end
// while the snapshot is taken.
type Counters struct {
	Accepted  uint64            // sessions that opened
	Open      int64             // sessions that have not ended
	Sockets   int64             // connections in the engine or on their way: Open, and those that still say goodbye
	Closed    map[string]uint64 // sessions that ended, by CloseCode.Name, "application" or "other"
	Refused   map[string]uint64 // handshakes that failed, by reason
	Faults    map[string]uint64 // breaches of RFC 6455, by Fault.Label
	Messages  uint64            // given to Handler.Message
	Pongs     uint64            // received
	BytesIn   uint64            // read from sockets after the handshake, frames and all, without TLS's own
	BytesOut  uint64            // taken by the kernel after the handshake, frames and all
	Overflows uint64            // Writes refused with ErrBacklog
	Truncated uint64            // closed sessions whose peer did not read its backlog within Config.DrainTimeout
	Panics    uint64            // of the handler
	Silent    uint64            // sessions closed because pings went unanswered
	TLS       uint64            // sessions closed because what came was no TLS record of theirs
	Stopped   uint64            // sessions closed by Shutdown
}

// Counters takes a snapshot. Any goroutine.
func (s *Server) Counters() Counters {
	c := &s.counters
	snap := Counters{
		Accepted:  c.accepted.Load(),
		Open:      c.open.Load(),
		Sockets:   s.sockets.Load(),
		Closed:    make(map[string]uint64, len(c.closed)),
		Refused:   make(map[string]uint64, len(refusals)),
		Faults:    make(map[string]uint64, len(faults)),
		Messages:  c.messages.Load(),
		Pongs:     c.pongs.Load(),
		BytesIn:   c.bytesIn.Load(),
		BytesOut:  c.bytesOut.Load(),
		Overflows: c.overflows.Load(),
		Truncated: c.truncated.Load(),
		Panics:    c.panics.Load(),
		Silent:    c.silent.Load(),
		TLS:       c.tls.Load(),
		Stopped:   c.stopped.Load(),
	}
	for i, row := range CloseCodes {
		snap.Closed[row.Name] = c.closed[i].Load()
	}
	snap.Closed["application"] = c.closed[len(CloseCodes)].Load()
	snap.Closed["other"] = c.closed[len(CloseCodes)+1].Load()
	for i, r := range refusals {
		snap.Refused[r.label] = c.refused[i].Load()
	}
	for i, f := range faults {
		snap.Faults[f.Label] = c.faults[i].Load()
	}
	return snap
}
