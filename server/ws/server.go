package ws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lesismal/nbio"
)

// Config is what a Server can be told. Zero values mean the defaults.
type Config struct {
	// MaxMessageBytes bounds a message, all fragments together. Default 4096. See
	// Server.SetMaxMessage.
	MaxMessageBytes int
	// MaxPendingBytes bounds what waits for one peer behind the kernel's buffer,
	// and so also a single Write. Default 1 MiB, at most 1 GiB. See
	// Server.SetMaxPending.
	MaxPendingBytes int
	// MaxSessions bounds the connections; more are refused with 503 before the
	// upgrade. Default, and at most: the limit of open files, less some for the rest
	// of the process.
	MaxSessions int

	// Pollers is the number of goroutines that read. Default: one per core that
	// the loop and a writer leave free, at least one. A poller too many costs CPU:
	// on two cores a second one took 60-70 % more per message.
	Pollers int
	// ReadBufferBytes is the size of each poller's buffer. Default 64 KiB.
	ReadBufferBytes int

	// HandshakeTimeout bounds the writing of the answer. Default 5 s.
	HandshakeTimeout time.Duration
	// DrainTimeout is how long a closing session waits for its peer to read its
	// backlog. Default 5 s.
	DrainTimeout time.Duration
	// LingerTimeout is how long a session waits for the peer's end of the stream
	// after its close frame has left. Default 2 s.
	LingerTimeout time.Duration

	// CheckOrigin tells whether a request may upgrade; if not, it gets 403.
	// Default: SameOrigin.
	CheckOrigin func(*http.Request) bool
	// ClientAddr tells ServeHTTP a peer's address where it is not the connection's:
	// behind a trusted proxy. An invalid address means the connection's. Default nil.
	ClientAddr func(*http.Request) netip.Addr
	// Subprotocols are those on offer, best first. Default: none is ever selected.
	Subprotocols []string

	// Logger gets faults of the handler and of nbio, nothing per session.
	// Default: discards.
	Logger *slog.Logger
}

func (c *Config) setDefaults() error {
	for _, d := range []struct {
		name       string
		value      *int
		preset, to int
	}{
		{"MaxMessageBytes", &c.MaxMessageBytes, 4096, 1 << 30},
		{"MaxPendingBytes", &c.MaxPendingBytes, 1 << 20, 1 << 30},
		{"MaxSessions", &c.MaxSessions, 0, mostFiles}, // startEngine presets it
		{"Pollers", &c.Pollers, max(1, runtime.GOMAXPROCS(0)-2), 1024},
		{"ReadBufferBytes", &c.ReadBufferBytes, 64 << 10, 1 << 30},
	} {
		if *d.value == 0 {
			*d.value = d.preset
		}
		if *d.value < 0 || *d.value > d.to {
			return fmt.Errorf("ws: %s is %d, not between 1 and %d", d.name, *d.value, d.to)
		}
	}
	for _, d := range []struct {
		name   string
		value  *time.Duration
		preset time.Duration
	}{
		{"HandshakeTimeout", &c.HandshakeTimeout, 5 * time.Second},
		{"DrainTimeout", &c.DrainTimeout, 5 * time.Second},
		{"LingerTimeout", &c.LingerTimeout, 2 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.preset
		}
		if *d.value < 0 {
			return fmt.Errorf("ws: %s is negative", d.name)
		}
	}
	if len(c.Subprotocols) > 255 {
		return errors.New("ws: more than 255 subprotocols")
	}
	if c.CheckOrigin == nil {
		c.CheckOrigin = SameOrigin
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Server upgrades HTTP requests to sessions and runs them. It is an
// [http.Handler] for one or all paths of an http.Server that speaks HTTP/1.1
// over plain TCP.
type Server struct {
	cfg     Config
	handler Handler
	log     *slog.Logger

	engine   *nbio.Engine
	closer   closer
	counters counters
	start    time.Time

	// Of Config, and read for each piece of input and each Write.
	maxMessage, maxPending atomic.Int64

	// sessions has a slot per descriptor, for the one thing that is done to
	// every session: shutdown. Like nbio's own table it costs 8 bytes per
	// connection, where a map or links in the session would take three times that.
	sessions  []sessionSlot
	highest   atomic.Int64 // no descriptor over this one has ever been a session's
	mostFiles int          // bounds the table, but for tests a constant
	sockets   atomic.Int64 // slots taken, from before the upgrade until the socket is closed

	gate    gate
	drained chan struct{} // holds one token: sockets may be 0
}

type sessionSlot = atomic.Pointer[Session]

// New makes a Server; it does not run before Start.
func New(cfg Config, h Handler) (*Server, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:       cfg,
		handler:   h,
		log:       cfg.Logger,
		start:     time.Now(),
		mostFiles: mostFiles,
		drained:   make(chan struct{}, 1),
	}
	s.SetMaxMessage(cfg.MaxMessageBytes)
	s.SetMaxPending(cfg.MaxPendingBytes)
	s.gate.shut = true
	s.gate.empty = make(chan struct{})
	s.closer = closer{
		drainTimeout:  cfg.DrainTimeout,
		lingerTimeout: cfg.LingerTimeout,
		truncated:     func() { s.counters.truncated.Add(1) },
		start:         s.start,
		wake:          make(chan struct{}, 1),
		quit:          make(chan struct{}),
		done:          make(chan struct{}),
	}
	return s, nil
}

// SetMaxMessage changes Config.MaxMessageBytes, at least 1, for every session: what
// is under way may still end as it was announced. Any goroutine.
func (s *Server) SetMaxMessage(bytes int) { s.maxMessage.Store(int64(bytes)) }

// SetMaxPending changes Config.MaxPendingBytes, within its bounds, for every
// session and from its next Write on. Any goroutine.
func (s *Server) SetMaxPending(bytes int) { s.maxPending.Store(int64(bytes)) }

// Start starts the pollers. Until it has returned, upgrades are refused.
func (s *Server) Start() error {
	if err := s.startEngine(); err != nil {
		return err
	}
	go s.closer.run()
	s.gate.open()
	return nil
}

// stopGrace is how long Shutdown waits for what it has cut off.
const stopGrace = time.Second

// Shutdown refuses new sessions, closes all others with 1001, waits until their
// sockets are closed, and stops the pollers. When ctx ends first, what is left is
// cut off and the context's error returned, after a second at most, even if a
// handler hangs. Call it once, after Start; no session runs when it has returned nil.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.gate.close(ctx)
	if err == nil {
		err = s.closeAll(ctx)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = s.gate.close(context.Background()) // a handshake may hang; the engine must outlive it
		s.stop()
	}()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-stopped:
	case <-grace.C:
		err = errors.Join(err, errors.New("ws: a handler hangs"))
	}
	return err
}

// closeAll closes all sessions with 1001 and waits for their sockets.
func (s *Server) closeAll(ctx context.Context) error {
	slots := s.slots()
	for i := range slots {
		if sess := slots[i].Load(); sess != nil {
			if sess.shut(CloseGoingAway, "server is stopping") {
				s.counters.stopped.Add(1)
			}
		}
	}
	for s.sockets.Load() > 0 {
		select {
		case <-s.drained:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// stop cuts off what is left and ends all goroutines. The gate is closed.
func (s *Server) stop() {
	s.engine.Stop()
	close(s.closer.quit)
	<-s.closer.done
}

// enlist puts sess into the slot of its descriptor. It must do so while the
// descriptor is surely the session's: before the engine has it and may close it.
func (s *Server) enlist(sess *Session, fd int) {
	if fd >= len(s.sessions) {
		return // the engine will not take it
	}
	s.sessions[fd].Store(sess)
	for {
		highest := s.highest.Load()
		if int64(fd) <= highest || s.highest.CompareAndSwap(highest, int64(fd)) {
			return
		}
	}
}

// slots are those that have been used. The rest of the table, which may be far
// greater, is not even touched.
func (s *Server) slots() []sessionSlot {
	return s.sessions[:min(int(s.highest.Load())+1, len(s.sessions))]
}

// release notes that the socket of sess is closed. fd was its descriptor.
func (s *Server) release(sess *Session, fd int) {
	if !sess.set(stateGone) {
		return
	}
	if fd < len(s.sessions) {
		s.sessions[fd].CompareAndSwap(sess, nil)
	}
	sess.gone()
	s.freeSlot()
}

// takeSlot reserves room for a connection, if there is.
func (s *Server) takeSlot() bool {
	if s.sockets.Add(1) <= int64(s.cfg.MaxSessions) {
		return true
	}
	s.freeSlot()
	return false
}

func (s *Server) freeSlot() {
	if s.sockets.Add(-1) == 0 {
		select {
		case s.drained <- struct{}{}:
		default:
		}
	}
}

// Clock is the time that Session.LastHeard tells: seconds since New. Any goroutine.
func (s *Server) Clock() uint32 { return uint32(time.Since(s.start) / time.Second) }

// gate lets handshakes in until it is closed, and knows how many are inside.
type gate struct {
	mu     sync.Mutex
	inside int
	shut   bool
	empty  chan struct{} // closed when shut and nobody is inside
}

func (g *gate) open() {
	g.mu.Lock()
	g.shut = false
	g.mu.Unlock()
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.shut && g.inside == 0 {
		close(g.empty)
	}
}

// close lets nobody in any more and waits until nobody is inside.
func (g *gate) close(ctx context.Context) error {
	g.mu.Lock()
	if !g.shut {
		g.shut = true
		if g.inside == 0 {
			close(g.empty)
		}
	}
	g.mu.Unlock()
	select {
	case <-g.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
