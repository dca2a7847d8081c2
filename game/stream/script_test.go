package stream

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"
)

// A test frame says its kind, its number and its length. The kinds are those of an
// area and private packets, whose order is one, of chats, and of poses.
const (
	frameHeader = 1 + 4 + 4
	mainFrame   = 'm'
	chatFrame   = 'c'
	poseFrameOf = 'p'
)

func appendTestFrame(dst []byte, kind byte, id uint32, size int) []byte {
	dst = append(dst, kind)
	dst = binary.LittleEndian.AppendUint32(dst, id)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
	for i := range size {
		dst = append(dst, byte(int(id)+i))
	}
	return dst
}

// nextTestFrame takes one frame off what a connection was given.
func nextTestFrame(log []byte) (kind byte, id uint32, rest []byte, err error) {
	if len(log) < frameHeader {
		return 0, 0, nil, fmt.Errorf("no frame is as short as %q", log)
	}
	kind, id = log[0], binary.LittleEndian.Uint32(log[1:])
	size := int(binary.LittleEndian.Uint32(log[5:]))
	rest = log[frameHeader:]
	if size > len(rest) {
		return 0, 0, nil, fmt.Errorf("frame %d has %d bytes of %d", id, len(rest), size)
	}
	for i, b := range rest[:size] {
		if b != byte(int(id)+i) {
			return 0, 0, nil, fmt.Errorf("frame %d is altered at byte %d", id, i)
		}
	}
	return kind, id, rest[size:], nil
}

// heard is one frame that a listener must get.
type heard struct {
	id     uint32
	stream *Stream // nil for a private packet
	at     uint64  // its position
}

// view is the actors that an area's audience has been told of, each with the
// number of its newest pose, 0 before it moved.
type view map[int]uint32

// effect is what a frame tells its listener about actors: the whole view, or that
// one came or went.
type effect struct {
	all   view
	actor int
	gone  bool
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
	knows      view // as of the frames compared
	seen       view // newest pose of each actor that it was sent
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
	marks    map[*Stream]uint64 // where skips may begin: nothing behind is published
	id       uint32
	effects  map[uint32]effect // of frames
	views    []view            // of the areas
	poses    map[uint32]*Pose
	actors   map[uint32]int // of poses
	stale    []bool         // views to show at the end of the tick
	frame    []byte
	nested   bool // an operation runs within a write
	midway   bool // Publish has begun and is not over
	maxLive  int
}

// newScript makes five audiences of areas, two of them of guests' chat, and one
// with a chat only.
func newScript(tb testing.TB, data []byte, cfg Config) *script {
	sc := &script{tb: tb, data: data, ws: NewWriters(cfg), maxLive: 30,
		marks: map[*Stream]uint64{}, effects: map[uint32]effect{}, poses: map[uint32]*Pose{}, actors: map[uint32]int{}}
	sc.chats = []*Stream{NewStream(), NewStream()}
	for i := range 5 {
		area := NewStream()
		sc.areas = append(sc.areas, area)
		sc.views = append(sc.views, view{})
		sc.stale = append(sc.stale, false)
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
func (sc *script) say(s *Stream, kind byte) {
	sc.id++
	at := s.Position()
	sc.frame = appendTestFrame(sc.frame[:0], kind, sc.id, sc.size())
	sc.ws.Append(s, sc.frame)
	for _, p := range sc.subjects {
		if p.gone {
			continue
		}
		if kind == chatFrame && p.Audience().hears[Chat] == s {
			p.chat = append(p.chat, heard{sc.id, s, at})
		} else if kind == mainFrame && p.Audience().hears[Area] == s {
			p.main = append(p.main, heard{sc.id, s, at})
		}
	}
}

// comeOrGo lets an actor come into an area's view or go out of it.
func (sc *script) comeOrGo() {
	i := sc.byte() % len(sc.areas)
	actor := 100*i + sc.byte()%12
	sc.say(sc.areas[i], mainFrame)
	if _, ok := sc.views[i][actor]; ok {
		delete(sc.views[i], actor)
		sc.effects[sc.id] = effect{actor: actor, gone: true}
	} else {
		sc.views[i][actor] = 0
		sc.effects[sc.id] = effect{actor: actor}
	}
	sc.stale[i] = true
	sc.marks[sc.areas[i]] = sc.areas[i].Position() // nobody skips it
}

// walk gives some of the actors in an area's view a new pose.
func (sc *script) walk() {
	i := sc.byte() % len(sc.areas)
	sc.stale[i] = true
	some := sc.byte()
	for n := range 12 {
		actor := 100*i + n
		if _, ok := sc.views[i][actor]; !ok || some>>(n%8)&1 == 0 {
			continue
		}
		sc.id++
		sc.frame = appendTestFrame(sc.frame[:0], poseFrameOf, sc.id, 80)
		sc.poses[sc.id] = sc.ws.NewPose(float64(n), float64(sc.id), int64(actor), nil, sc.frame)
		sc.actors[sc.id] = actor
		sc.views[i][actor] = sc.id
	}
}

// show hands the views that have changed over, at the end of a tick.
func (sc *script) show() {
	for i, v := range sc.views {
		if !sc.stale[i] {
			continue
		}
		sc.stale[i] = false
		var poses []*Pose
		for n := range 12 {
			if p := sc.poses[v[100*i+n]]; p != nil {
				poses = append(poses, p)
			}
		}
		sc.ws.Show(sc.auds[i], poses)
	}
}

// tell sends p the view of aud, which it is about to join or has just joined.
func (sc *script) tell(p *subject, aud *Audience) {
	sc.send(p)
	all := view{}
	if i := slices.Index(sc.auds, aud); i < len(sc.views) {
		maps.Copy(all, sc.views[i])
	}
	sc.effects[sc.id] = effect{all: all}
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
	sc.frame = appendTestFrame(sc.frame[:0], mainFrame, sc.id, sc.size())
	sc.ws.Send(&p.Listener, sc.frame)
	p.main = append(p.main, heard{id: sc.id})
}

func (sc *script) join(conn *fakeConn) {
	p := &subject{conn: conn, after: -1, knows: view{}, seen: view{}}
	conn.name = fmt.Sprint("listener ", len(sc.subjects))
	sc.subjects = append(sc.subjects, p)
	aud := sc.auds[sc.byte()%len(sc.auds)]
	sc.ws.Join(&p.Listener, conn, aud)
	sc.tell(p, aud)
}

// publish ends a tick of the loop.
func (sc *script) publish() {
	sc.show()
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
	switch op := sc.byte() % 36; {
	case op < 8:
		sc.say(sc.areas[sc.byte()%len(sc.areas)], mainFrame)
	case op < 12:
		sc.say(sc.chats[sc.byte()%len(sc.chats)], chatFrame)
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
			sc.say(s, []byte{Area: mainFrame, Chat: chatFrame}[i])
		}
		if sc.byte()%4 == 0 {
			from = sc.marks[s]
		}
		sc.skip(p, s, from)
	case op < 20:
		if p := sc.any(); p != nil {
			sc.send(p)
		}
	case op < 24:
		if p := sc.any(); p != nil {
			aud := sc.auds[sc.byte()%len(sc.auds)]
			if sc.byte()%2 == 0 {
				sc.tell(p, aud)
				sc.ws.Move(&p.Listener, aud)
			} else {
				sc.ws.Move(&p.Listener, aud)
				sc.tell(p, aud)
			}
		}
	case op < 25:
		if p := sc.any(); p != nil {
			sc.ws.Leave(&p.Listener)
			p.gone = true
		}
	case op < 27:
		sc.comeOrGo()
	case op < 30:
		sc.walk()
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
		case op < 13 && sc.byte()%16 == 0: // so long a silence that streams go to rest
			for range 2 * restTicks {
				sc.publish()
			}
		case op < 13: // the writers run in the middle of a Publish
			sc.midway = true
			sc.show()
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
