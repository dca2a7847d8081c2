package stream

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A test frame names its number and whether it is chat, and says its length.
const frameHeader = 1 + 4 + 4

func appendTestFrame(dst []byte, chat bool, id uint32, size int) []byte {
	kind := byte('m')
	if chat {
		kind = 'c'
	}
	dst = append(dst, kind)
	dst = binary.LittleEndian.AppendUint32(dst, id)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
	for i := range size {
		dst = append(dst, byte(int(id)+i))
	}
	return dst
}

// nextTestFrame takes one frame off what a connection was given.
func nextTestFrame(log []byte) (chat bool, id uint32, rest []byte, err error) {
	if len(log) < frameHeader || log[0] != 'm' && log[0] != 'c' {
		return false, 0, nil, fmt.Errorf("no frame begins with %q", log[:min(len(log), frameHeader)])
	}
	chat, id = log[0] == 'c', binary.LittleEndian.Uint32(log[1:])
	size := int(binary.LittleEndian.Uint32(log[5:]))
	rest = log[frameHeader:]
	if size > len(rest) {
		return false, 0, nil, fmt.Errorf("frame %d has %d bytes of %d", id, len(rest), size)
	}
	for i, b := range rest[:size] {
		if b != byte(int(id)+i) {
			return false, 0, nil, fmt.Errorf("frame %d is altered at byte %d", id, i)
		}
	}
	return chat, id, rest[size:], nil
}

// heard is one frame that a listener must get.
type heard struct {
	id     uint32
	stream *Stream // nil for a private packet
	at     uint64  // its position
}

// subject is a listener with its connection and what the model says it hears: in
// main the frames of its areas and its private packets, in their order, in chat
// those of its chats.
type subject struct {
	Listener
	conn       *fakeConn
	main, chat []heard
	compared   int // bytes that have been compared
	mains      int // frames of main in them
	chats      int
	gone       bool
	after      int // bytes it had got when the writers had been told that it left, -1 before
}

// script drives writers and model with operations taken from bytes.
type script struct {
	tb       testing.TB
	data     []byte
	ws       *Writers
	auds     []*Audience
	areas    []*Stream // some audience's each
	chats    []*Stream
	subjects []*subject
	marks    map[*Stream]uint64 // published ends
	id       uint32
	frame    []byte
	nested   bool // an operation runs within a write
	midway   bool // Publish has begun and is not over
	maxLive  int
}

// newScript makes five audiences of areas, two of them of guests' chat, and one
// with a chat only.
func newScript(tb testing.TB, data []byte, cfg Config) *script {
	sc := &script{tb: tb, data: data, ws: NewWriters(cfg), marks: map[*Stream]uint64{}, maxLive: 30}
	sc.chats = []*Stream{NewStream(), NewStream()}
	for i := range 5 {
		area := NewStream()
		sc.areas = append(sc.areas, area)
		sc.auds = append(sc.auds, sc.ws.NewAudience(area, sc.chats[i/3]))
	}
	sc.auds = append(sc.auds, sc.ws.NewAudience(nil, sc.chats[1]))
	return sc
}

// byte is the next of the script, 0 when it is over.
func (sc *script) byte() int {
	if len(sc.data) == 0 {
		return 0
	}
	b := sc.data[0]
	sc.data = sc.data[1:]
	return int(b)
}

// any is one of the listeners that have not left, nil without any.
func (sc *script) any() *subject {
	if len(sc.subjects) == 0 {
		return nil
	}
	from := sc.byte() % len(sc.subjects)
	for i := range sc.subjects {
		if p := sc.subjects[(from+i)%len(sc.subjects)]; !p.gone {
			return p
		}
	}
	return nil
}

// size is mostly that of a small packet and now and then more than a segment.
func (sc *script) size() int {
	switch b := sc.byte(); {
	case b < 200:
		return b / 4
	case b < 245:
		return b * 5
	default:
		return (b - 244) * 700
	}
}

// say appends a frame to s and to the model of everybody who hears it.
func (sc *script) say(s *Stream, chat bool) {
	sc.id++
	at := s.Position()
	sc.frame = appendTestFrame(sc.frame[:0], chat, sc.id, sc.size())
	sc.ws.Append(s, sc.frame)
	for _, p := range sc.subjects {
		if p.gone {
			continue
		}
		if chat && p.Audience().hears[Chat] == s {
			p.chat = append(p.chat, heard{sc.id, s, at})
		} else if !chat && p.Audience().hears[Area] == s {
			p.main = append(p.main, heard{sc.id, s, at})
		}
	}
}

// skip keeps what s has said since from away from p.
func (sc *script) skip(p *subject, s *Stream, from uint64) {
	sc.ws.Skip(&p.Listener, s, from)
	skipped := func(h heard) bool { return h.stream == s && h.at >= from }
	p.main = slices.DeleteFunc(p.main, skipped)
	p.chat = slices.DeleteFunc(p.chat, skipped)
}

func (sc *script) send(p *subject) {
	sc.id++
	sc.frame = appendTestFrame(sc.frame[:0], false, sc.id, sc.size())
	sc.ws.Send(&p.Listener, sc.frame)
	p.main = append(p.main, heard{id: sc.id})
}

func (sc *script) join(conn *fakeConn) {
	p := &subject{conn: conn, after: -1}
	conn.name = fmt.Sprint("listener ", len(sc.subjects))
	sc.subjects = append(sc.subjects, p)
	sc.ws.Join(&p.Listener, conn, sc.auds[sc.byte()%len(sc.auds)])
}

// publish ends a tick of the loop.
func (sc *script) publish() {
	sc.ws.Publish()
	sc.published()
}

func (sc *script) published() {
	for _, s := range append(slices.Clone(sc.areas), sc.chats...) {
		sc.marks[s] = s.Position()
	}
}

// loopOp is one operation of the loop.
func (sc *script) loopOp() {
	switch op := sc.byte() % 32; {
	case op < 8:
		sc.say(sc.areas[sc.byte()%len(sc.areas)], false)
	case op < 12:
		sc.say(sc.chats[sc.byte()%len(sc.chats)], true)
	case op < 16: // somebody says something past itself, sometimes more than that
		p := sc.any()
		if p == nil {
			return
		}
		i := sc.byte() % streams
		s := p.Audience().hears[i]
		if s == nil {
			return
		}
		from := s.Position()
		for range 1 + sc.byte()%3 {
			sc.say(s, i == Chat)
		}
		if sc.byte()%4 == 0 {
			from = sc.marks[s] // nobody can have been sent what is not published
		}
		sc.skip(p, s, from)
	case op < 20:
		if p := sc.any(); p != nil {
			sc.send(p)
		}
	case op < 24:
		if p := sc.any(); p != nil {
			sc.ws.Move(&p.Listener, sc.auds[sc.byte()%len(sc.auds)])
		}
	case op < 25:
		if p := sc.any(); p != nil {
			sc.ws.Leave(&p.Listener)
			p.gone = true
		}
	default:
		sc.publish()
	}
}

func (sc *script) live() (n int) {
	for _, p := range sc.subjects {
		if !p.gone {
			n++
		}
	}
	return n
}

// expect compares what p was given since the last time with the model: all of it,
// or, with part, a beginning of it.
func (sc *script) expect(p *subject, part bool) {
	sc.tb.Helper()
	log := p.conn.since(p.compared)
	p.compared += len(log)
	for len(log) > 0 {
		chat, id, rest, err := nextTestFrame(log)
		if err != nil {
			sc.tb.Fatalf("%s: %v", p.conn.name, err)
		}
		log = rest
		want, n := p.main, &p.mains
		if chat {
			want, n = p.chat, &p.chats
		}
		if *n >= len(want) || want[*n].id != id {
			sc.tb.Fatalf("%s: frame %d (chat %v) is number %d, want %v", p.conn.name, id, chat, *n, want[min(*n, len(want)):min(len(want), *n+3)])
		}
		*n++
	}
	if !part && (p.mains < len(p.main) || p.chats < len(p.chat)) {
		sc.tb.Fatalf("%s was given %d frames of %d and %d chats of %d", p.conn.name, p.mains, len(p.main), p.chats, len(p.chat))
	}
}

// settle compares everybody when the writers have been given all that was said
// and have done all they can.
func (sc *script) settle() {
	sc.tb.Helper()
	for _, p := range sc.subjects {
		switch {
		case !p.gone:
			sc.expect(p, p.conn.Pending() > 0)
		case p.after < 0:
			sc.expect(p, true)
			p.after = p.conn.total()
		case p.after != p.conn.total():
			sc.tb.Fatalf("%s was sent something after it had left", p.conn.name)
		}
	}
}

// hook makes operations of the loop happen within a write of the writers.
func (sc *script) hook([]byte) {
	if sc.nested || sc.midway || sc.byte()%8 != 1 {
		return
	}
	sc.nested = true
	for range 1 + sc.byte()%4 {
		sc.loopOp()
	}
	sc.nested = false
}

// run carries out the script with the writers on the same goroutine, and compares
// after every tick.
func (sc *script) run() {
	sc.tb.Helper()
	for len(sc.data) > 0 {
		switch op := sc.byte() % 16; {
		case op < 2:
			if sc.live() >= sc.maxLive || len(sc.subjects) >= 4*sc.maxLive {
				continue
			}
			conn := newConn(sc.tb)
			if b := sc.byte(); b%2 == 0 {
				conn = newSlowConn(sc.tb, 1+b*8)
			}
			conn.hook = sc.hook
			sc.join(conn)
		case op < 9:
			sc.loopOp()
		case op < 12: // a reader reads, or the others make their sockets larger or smaller
			if p := sc.any(); p != nil {
				p.conn.read(sc.byte() * 20)
			}
		case op < 13: // the writers run in the middle of a Publish
			sc.midway = true
			sc.ws.handOver()
			if sc.byte()%2 == 0 {
				sc.ws.Step()
			}
			sc.ws.publishHeads()
			if sc.byte()%2 == 0 {
				sc.ws.Step()
			}
			sc.ws.announce()
			sc.midway = false
			sc.published()
		default:
			sc.publish()
			sc.ws.Step()
			sc.publish() // what was said within the writes
			sc.midway = true
			sc.ws.Step()
			sc.midway = false
			sc.settle()
		}
	}
	sc.end()
}

// end lets everybody read everything and compares for the last time.
func (sc *script) end() {
	sc.tb.Helper()
	sc.midway = true // no more operations
	sc.publish()
	sc.ws.Step()
	for _, p := range sc.subjects {
		p.conn.bounded = false
		p.conn.readAll()
	}
	sc.ws.Step()
	sc.settle()
	if got := sc.ws.Stats().Blocked.Load(); got != 0 {
		sc.tb.Fatalf("%d blocked listeners, and all is flushed", got)
	}
	for _, p := range sc.subjects {
		if p.extra != nil {
			sc.tb.Fatalf("%s has been sent everything and keeps %+v", p.conn.name, p.extra)
		}
		if got := p.conn.closes(); len(got) != 0 {
			sc.tb.Fatalf("%s was closed as %v", p.conn.name, got)
		}
		sc.ws.Leave(&p.Listener)
	}
	sc.publish()
	sc.ws.Step()
	for _, w := range sc.ws.writers {
		if len(w.shards) != 0 || len(w.dirty) != 0 || len(w.touched) != 0 || len(w.blocked) != 0 || len(w.pieces) != 0 {
			sc.tb.Fatalf("writer %d is not empty when all have left: %d shards, %d dirty, %d touched, %d blocked, %d pieces",
				w.id, len(w.shards), len(w.dirty), len(w.touched), len(w.blocked), len(w.pieces))
		}
	}
}

// configOf is the configuration that a script's first byte chooses.
func configOf(b byte) Config {
	return Config{Writers: 1 + int(b)%3, MaxWriteBytes: []int{0, 50, 1000, 5000}[b/3%4], MaxLagBytes: 1 << 30}
}

func randomBytes(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 99))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}

// TestWritersAgreeWithModel: every listener gets exactly what the model says, in
// its order, whatever the loop does, the readers do, and in between.
func TestWritersAgreeWithModel(t *testing.T) {
	seeds, length := 300, 6000
	if raceEnabled || testing.Short() {
		seeds = 60
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			sc := newScript(t, randomBytes(uint64(seed), length), configOf(byte(seed)))
			sc.run()
		})
		if t.Failed() {
			return
		}
	}
}

func FuzzWriters(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(randomBytes(seed, 300))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 4000 {
			return
		}
		newScript(t, data[1:], configOf(data[0])).run()
	})
}
