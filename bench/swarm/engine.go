package swarm

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Config says how the connections are made. Zero values mean the defaults.
type Config struct {
	Target  netip.AddrPort // of the server; see Resolve
	Path    string         // of the upgrade request; default "/"
	Sources int            // addresses of 127.0.0.0/8 to connect from; default 250

	// ReceiveBufferBytes is SO_RCVBUF. 0 leaves it to the kernel, which starts at
	// tcp_rmem's middle value and grows it as the data is read.
	ReceiveBufferBytes int
	// ReadBytes is the most that one read takes; default 512 KiB.
	ReadBytes int

	CPU int // the engine's thread is pinned to it; negative means nowhere

	Worker, Workers int // set by the fleet
}

func (c Config) withDefaults() Config {
	if c.Path == "" {
		c.Path = "/"
	}
	if c.Sources <= 0 {
		c.Sources = 250
	}
	if c.ReadBytes <= 0 {
		c.ReadBytes = 512 << 10
	}
	if c.Workers <= 0 {
		c.Workers = 1
	}
	return c
}

// Engine drives connections on one thread. Everything but stop and wake must be
// called by the goroutine that made it.
type Engine struct {
	cfg     Config
	target  netip.AddrPort
	poller  *poller
	buffer  []byte // shared by all reads; a kept beginning of a frame goes before
	request []byte
	scratch []byte // for one outgoing frame

	conns   []*conn // by the index that their events carry
	free    []int32
	room    []*conn // by their number: the connections that a measurement is about
	players []*player
	dialled int
	open    int

	now     int64 // since the last system call
	tasks   []task
	due     int64 // of the earliest task
	stopped atomic.Bool
	mail    atomic.Bool
	tell    func(Progress)
	toldAt  int64

	hearing   hearing
	frames    uint64 // text frames walked
	bytes     uint64
	reads     uint64
	others    uint64 // text frames that are no chat of the measurement
	odd       uint64 // frames of no known kind
	strangers int    // first models that were not the own one
	closes    map[string]int
}

// task is something that an engine does beside reading.
type task interface {
	next() int64    // when step is wanted; far for "only events matter"
	step(now int64) // does what is due
	over() bool
}

// far is a time that never comes.
const far = math.MaxInt64

// Progress tells how far a task is.
type Progress struct{ Done, Total int }

// handshakeKey is the same for every connection, as Godot 3's is.
const handshakeKey = "dGF2ZXJuIGJlbmNoIGtleQ=="

// handshakeProof is what every server must answer to that key.
var handshakeProof = func() []byte {
	sum := sha1.Sum([]byte(handshakeKey + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return []byte(base64.StdEncoding.EncodeToString(sum[:]))
}()

func newEngine(cfg Config, tell func(Progress)) (*Engine, error) {
	cfg = cfg.withDefaults()
	poller, err := newPoller()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:    cfg,
		target: cfg.Target,
		poller: poller,
		buffer: make([]byte, maxFrameBytes+16+cfg.ReadBytes),
		request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", cfg.Path, cfg.Target, handshakeKey),
		closes: make(map[string]int),
		tell:   tell,
	}
	e.deaf()
	return e, nil
}

// deaf ends the counting of chats: no packet is long enough for one.
func (e *Engine) deaf() { e.hearing = hearing{guestBytes: math.MaxInt} }

// nanos reads more easily than the conversion.
func nanos(n int64) time.Duration { return time.Duration(n) }

// run reads, and steps the tasks, until all of them are over, until has come, or the
// engine is stopped.
func (e *Engine) run(until int64, tasks ...task) {
	e.tasks = tasks
	defer func() { e.tasks = nil }()
	for {
		e.now = Now()
		if e.step() || e.now >= until || e.stopped.Load() {
			return
		}
		wait := min(e.due, until) - Now()
		for _, event := range e.poller.wait(min(nanos(wait), time.Second)) {
			if event.Fd == wakeIndex {
				var count [8]byte
				read(e.poller.wakeFD, count[:])
				continue
			}
			c := e.conns[event.Fd]
			if c.generation != uint32(event.Pad) || c.phase == closed {
				continue
			}
			e.ready(c, event.Events)
			if e.now >= e.due { // sending must not wait for the end of a long round
				e.step()
			}
		}
	}
}

// step runs what is due and reports whether everything is over.
func (e *Engine) step() bool {
	e.due = far
	over := true
	for _, t := range e.tasks {
		if t.over() {
			continue
		}
		if t.next() <= e.now {
			t.step(e.now)
		}
		if !t.over() {
			over = false
			e.due = min(e.due, t.next())
		}
	}
	return over
}

// progress tells the parent how far a task is, a few times a second.
func (e *Engine) progress(done, total int) {
	if e.tell != nil && (e.now-e.toldAt > int64(100*time.Millisecond) || done == total) {
		e.toldAt = e.now
		e.tell(Progress{done, total})
	}
}

// interrupted returns a task that is over as soon as mail has come.
func (e *Engine) interrupted() task { return mailbox{e} }

type mailbox struct{ e *Engine }

func (m mailbox) next() int64 { return far }
func (m mailbox) step(int64)  {}
func (m mailbox) over() bool  { return m.e.mail.Load() }

// hangUp resets every connection.
func (e *Engine) hangUp() {
	for _, c := range e.conns {
		c.bot = nil
		e.abort(c)
	}
	e.conns, e.free, e.room, e.players = nil, nil, nil, nil
	e.deaf()
}

// pin locks the calling goroutine to its thread and the thread to a processor.
func pin(cpu int) error {
	runtime.LockOSThread()
	if cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("swarm: pin to cpu %d: %w", cpu, err)
	}
	return nil
}
