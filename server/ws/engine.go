package ws

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"reflect"
	"sync"
	"syscall"
	"unsafe"

	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"
	"golang.org/x/sys/unix"
)

const (
	// readsPerEvent bounds how often a connection is read before the others of
	// its poller have their turn.
	readsPerEvent = 3
	// readsAtEnd is the bound when the peer has ended its side: nbio closes a
	// connection after the event that says so, and what is unread is lost.
	readsAtEnd = 32
	// mostFiles bounds nbio's table of connections, 8 bytes per descriptor,
	// where the file limit is practically unlimited.
	mostFiles = 1 << 20
)

// spareFiles is how many of so many descriptors are left to the rest of the process:
// handshakes under way (two each), the database, pages.
func spareFiles(files int) int { return min(max(files/16, 64), 256) }

// nbioGlobals guards what nbio keeps in package variables.
var nbioGlobals sync.Mutex

// startEngine starts the pollers and returns when they run.
func (s *Server) startEngine() error {
	files, err := raiseFileLimit()
	if err != nil {
		return err
	}
	files = min(files, s.mostFiles)
	s.engine = nbio.NewEngine(nbio.Config{
		Name:           "ws",
		NPoller:        s.cfg.Pollers,
		ReadBufferSize: s.cfg.ReadBufferBytes,
		EpollMod:       nbio.EPOLLLT,
		// No MaxWriteBufferSize: nbio checks it before it tries the socket and
		// closes the connection. Session.Write bounds what is pending instead.
		BodyAllocator: new(queueAllocator),
	})
	s.engine.OnRead(s.onRead)
	s.engine.OnWrittenSize(s.onWritten)
	s.engine.OnClose(s.onClose)

	nbioGlobals.Lock()
	defer nbioGlobals.Unlock()
	logging.SetLogger(engineLog{s.log})
	nbio.MaxOpenFiles = files
	if err := s.engine.Start(); err != nil {
		return fmt.Errorf("ws: start the engine: %w", err)
	}
	s.sessions = make([]sessionSlot, files)
	// Beyond that newcomers are refused in words. Without descriptors left for
	// them they could not even be answered, nor the operator.
	most := max(files-spareFiles(files), files/2)
	if s.cfg.MaxSessions == 0 || s.cfg.MaxSessions > most {
		s.cfg.MaxSessions = most
	}
	return s.awaitPollers()
}

// raiseFileLimit raises the soft limit of open files to the hard one and returns it.
func raiseFileLimit() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("ws: read the limit of open files: %w", err)
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return 0, fmt.Errorf("ws: raise the limit of open files to %d: %w", limit.Max, err)
		}
	}
	return int(min(limit.Cur, math.MaxInt)), nil
}

// awaitPollers returns when every poller is in its loop. nbio's pollers clear
// their stop flag when they begin, so an engine stopped before that would run for
// ever. It gives each a connection that has ended, and waits for it to be closed.
func (s *Server) awaitPollers() error {
	met := make(map[int]chan struct{}, s.cfg.Pollers)
	var others []*nbio.Conn // keep their numbers, so that the next gets another
	defer func() {
		for _, c := range others {
			_ = c.Close()
		}
	}()
	for len(met) < s.cfg.Pollers {
		c, err := endedConn()
		if err != nil {
			return fmt.Errorf("ws: meet the pollers: %w", err)
		}
		poller := c.Hash() % s.cfg.Pollers // as Engine.AddConn chooses
		if met[poller] != nil {
			others = append(others, c)
			continue
		}
		met[poller] = make(chan struct{})
		c.SetSession(met[poller])
		if _, err := s.engine.AddConn(c); err != nil {
			return fmt.Errorf("ws: meet the pollers: %w", err)
		}
	}
	for _, closed := range met {
		<-closed
	}
	return nil
}

// endedConn is a connection whose other end is closed.
func endedConn() (*nbio.Conn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	_ = unix.Close(pair[1])
	f := os.NewFile(uintptr(pair[0]), "ended")
	defer func() { _ = f.Close() }()
	std, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return adopt(std)
}

// adopt makes c one of nbio's connections, under another descriptor. nbio lets
// programs that this one starts inherit it. Then closing it here would neither end
// the connection nor take it from epoll, which would go on telling of it, under a
// number that is soon a new connection's: that one would be closed.
func adopt(c net.Conn) (*nbio.Conn, error) {
	syscall.ForkLock.RLock() // nothing is started meanwhile
	defer syscall.ForkLock.RUnlock()
	nb, err := nbio.NBConn(c)
	if err == nil {
		syscall.CloseOnExec(nb.Hash())
	}
	return nb, err
}

// forgetAddrs frees the addresses of both ends, which nbio keeps for the life of a
// connection and never looks at: 160 bytes of some 750, or 224 with IPv6. It has no
// method for that, so they are found by name, and left alone if they have another.
func forgetAddrs(c *nbio.Conn) {
	for _, at := range addrOffsets {
		*(*net.Addr)(unsafe.Add(unsafe.Pointer(c), at)) = nil
	}
}

// addrOffsets are where an nbio.Conn has its addresses.
var addrOffsets = func() (offsets []uintptr) {
	for _, name := range []string{"lAddr", "rAddr"} {
		if f, ok := reflect.TypeFor[nbio.Conn]().FieldByName(name); ok && f.Type == reflect.TypeFor[net.Addr]() {
			offsets = append(offsets, f.Offset)
		}
	}
	return offsets
}()

// onRead reads what has arrived and feeds it to the session. Poller.
func (s *Server) onRead(c *nbio.Conn) {
	sess, ok := c.Session().(*Session)
	if !ok {
		return
	}
	_ = sess.state.Load() // what upgrade wrote into the session is ours now
	buf := s.engine.PollerBuffer(c)
	for reads := 1; ; reads++ {
		n, err := c.Read(buf)
		switch {
		case n <= 0:
		case sess.records != nil:
			sess.feedSealed(buf[:n], buf)
		default:
			sess.feed(buf[:n])
		}
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return
		case err != nil:
			_ = c.CloseWithError(err)
			return
		case n < len(buf):
			return // empty; or the end of the stream, for which nbio closes
		}
		if reads >= readsPerEvent && (reads >= readsAtEnd || !(nbConn{c}).ended()) {
			return
		}
	}
}

// onWritten hears what nbio wrote from its queue. The connection is locked and
// not closed, so its descriptor is its own. Poller, or the writing goroutine.
func (s *Server) onWritten(c *nbio.Conn, _ []byte, n int) {
	if sess, ok := c.Session().(*Session); ok && sess.flushed(n) {
		_ = unix.Shutdown(c.Hash(), unix.SHUT_WR)
	}
}

// onClose hears, once per connection and on nbio's goroutine, that it is closed.
func (s *Server) onClose(c *nbio.Conn, _ error) {
	switch v := c.Session().(type) {
	case *Session:
		s.release(v, c.Hash())
	case chan struct{}:
		close(v)
	}
}

// engineLog passes on what nbio has to complain of, and nothing else.
type engineLog struct{ log *slog.Logger }

func (l engineLog) Debug(string, ...any) {}
func (l engineLog) Info(string, ...any)  {}
func (l engineLog) Warn(format string, v ...any) {
	l.log.Warn("nbio", slog.String("said", fmt.Sprintf(format, v...)))
}
func (l engineLog) Error(format string, v ...any) {
	l.log.Error("nbio", slog.String("said", fmt.Sprintf(format, v...)))
}
