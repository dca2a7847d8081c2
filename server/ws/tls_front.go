package ws

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/lesismal/llib/std/crypto/tls"
)

// FrontConfig says what happens to a connection before net/http sees it.
type FrontConfig struct {
	// TLS encrypts every connection. Default nil: none.
	TLS *TLS
	// Proxy tells of which peers a PROXY protocol header (version 1 or 2) must
	// come first, which says whose connection it is. Default nil: of none.
	Proxy func(netip.Addr) bool
	// Admit, unless nil, is asked before a TLS handshake, which costs more than
	// all else that a stranger can ask for. Any goroutine.
	Admit func(netip.Addr) bool
	// Timeout bounds header and handshake together. Default 5 s.
	Timeout time.Duration
	// MostGreetings bounds the connections that are in their TLS handshake or their
	// PROXY header; more wait in the kernel. Default 4096.
	MostGreetings int
}

// Front puts TLS, or the PROXY protocol, or both, or nothing before a listener of
// [Listen], and counts for whom net/http had no patience. Its connections can
// become sessions. It is closed like any listener, and waits then for the
// goroutines that it has started.
func Front(ln net.Listener, cfg FrontConfig) (*FrontListener, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.MostGreetings <= 0 {
		cfg.MostGreetings = 4096
	}
	l := &FrontListener{Listener: ln, cfg: cfg, ready: make(chan accepted), slots: make(chan struct{}, cfg.MostGreetings)}
	if cfg.TLS != nil {
		var err error
		if l.tls, err = cfg.TLS.config(); err != nil {
			return nil, err
		}
	}
	l.quit, l.stop = context.WithCancel(context.Background())
	if l.greets() {
		l.tasks.Go(l.listen)
	}
	return l, nil
}

// FrontListener greets connections, each on a goroutine of its own and for a
// bounded time, before net/http sees them: PROXY header, admission, TLS handshake.
type FrontListener struct {
	net.Listener
	cfg    FrontConfig
	tls    *tls.Config // nil: plain
	counts frontCounts

	ready chan accepted
	slots chan struct{}
	quit  context.Context
	stop  func()
	tasks sync.WaitGroup
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// greets tells whether anything comes before net/http.
func (l *FrontListener) greets() bool { return l.tls != nil || l.cfg.Proxy != nil }

// Accept returns the next connection that has been greeted.
func (l *FrontListener) Accept() (net.Conn, error) {
	if !l.greets() {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		return &plainConn{TCPConn: c.(*net.TCPConn), watch: headerWatch{counts: &l.counts}}, nil
	}
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.quit.Done():
		return nil, net.ErrClosed
	}
}

// Close closes the port and all that is still being greeted.
func (l *FrontListener) Close() error {
	err := l.Listener.Close()
	l.stop()
	l.tasks.Wait()
	return err
}

func (l *FrontListener) listen() {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			// Out of descriptors: net/http waits before it asks again, and so do we.
			if !l.pass(accepted{err: err}) || errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		select {
		case l.slots <- struct{}{}:
		default:
			l.counts.full.Add(1)
			select {
			case l.slots <- struct{}{}:
			case <-l.quit.Done():
				_ = c.Close()
				return
			}
		}
		l.tasks.Go(func() {
			greeted := l.greet(c.(*net.TCPConn))
			<-l.slots
			if greeted == nil {
				_ = c.Close()
			} else if !l.pass(accepted{conn: greeted}) {
				_ = c.Close()
			}
		})
	}
}

func (l *FrontListener) pass(a accepted) bool {
	select {
	case l.ready <- a:
		return true
	case <-l.quit.Done():
		return false
	}
}

// greet makes of a TCP connection one that net/http can talk to, or nil.
func (l *FrontListener) greet(tcp *net.TCPConn) net.Conn {
	_ = tcp.SetDeadline(time.Now().Add(l.cfg.Timeout))
	stop := context.AfterFunc(l.quit, func() { _ = tcp.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c := &frontConn{tcp: tcp, client: tcp.RemoteAddr().(*net.TCPAddr), watch: headerWatch{counts: &l.counts}}
	if l.cfg.Proxy != nil && l.cfg.Proxy(c.addr()) {
		client, err := readProxyHeader(tcp)
		if err != nil {
			l.counts.greetingFailed(err)
			return nil
		}
		c.proxied = true
		if client.IsValid() {
			c.client = net.TCPAddrFromAddrPort(client)
		}
	}
	if l.tls != nil {
		if l.cfg.Admit != nil && !l.cfg.Admit(c.addr()) {
			_, _ = tcp.Write(alertRefused)
			parting(tcp)
			return nil
		}
		c.tls = tls.NewConn(tcp, l.tls, false, false, &recordBuffers)
		if err := c.tls.Handshake(); err != nil {
			l.counts.greetingFailed(err)
			answerPlaintext(tcp, err)
			return nil
		}
		if p := c.tls.ConnectionState().NegotiatedProtocol; p != "" && p != "http/1.1" {
			_ = c.tls.CloseWrite() // a challenge: the certificate was the answer
			return nil
		}
		c.tls.ResetConn(tcp, true) // llib's blocking mode loses half a record at a deadline
	}
	_ = tcp.SetDeadline(time.Time{})
	if l.quit.Err() != nil {
		return nil
	}
	return c
}

// alertRefused is a fatal alert, internal_error: sent in place of a handshake, it
// is what clients understand.
var alertRefused = []byte{0x15, 3, 3, 0, 2, 2, 80}

// plaintextAnswer is for a client that speaks HTTP to a port that speaks TLS.
const plaintextAnswer = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
	"This port speaks TLS: connect with https:// or wss://\n"

// answerPlaintext says so to a client that did not begin with a TLS record.
func answerPlaintext(tcp *net.TCPConn, err error) {
	var head tls.RecordHeaderError
	if !errors.As(err, &head) || head.Conn == nil || head.RecordHeader[0] < 'A' || head.RecordHeader[0] > 'Z' {
		return
	}
	if _, err := tcp.Write([]byte(plaintextAnswer)); err == nil {
		parting(tcp)
	}
}

// parting waits a little for the peer to read our last words: closing a socket
// with unread bytes resets it, and that may overtake them.
func parting(tcp *net.TCPConn) {
	_ = tcp.CloseWrite()
	_ = tcp.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	_, _ = io.Copy(io.Discard, io.LimitReader(tcp, 64<<10))
}

// frontConn is a connection as net/http sees it, until it is hijacked: over TLS,
// or for somebody whom a proxy has named.
//
// It embeds nothing: a method of the TCP connection that went past TLS, like
// ReadFrom, would be plaintext.
type frontConn struct {
	tcp     *net.TCPConn
	client  *net.TCPAddr
	proxied bool
	watch   headerWatch

	mu  sync.Mutex // llib's records are its own affair only one way at a time
	tls *tls.Conn  // nil: plain
	buf []byte     // the reader's
}

// frontReadBytes is how much is read at a time: pages' requests are short.
const frontReadBytes = 4 << 10

func (c *frontConn) addr() netip.Addr { return c.client.AddrPort().Addr() }

// Read reads what the client sent. See net.Conn.
func (c *frontConn) Read(b []byte) (int, error) {
	n, err := c.read(b)
	c.watch.read(n, err)
	return n, err
}

func (c *frontConn) read(b []byte) (int, error) {
	if c.tls == nil {
		return c.tcp.Read(b)
	}
	for {
		c.mu.Lock()
		n, err := c.tls.Read(b)
		c.mu.Unlock()
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		if c.buf == nil {
			c.buf = make([]byte, frontReadBytes)
		}
		if n, err = c.tcp.Read(c.buf); n == 0 {
			return 0, err
		}
		c.mu.Lock()
		_, err = c.tls.Append(c.buf[:n])
		c.mu.Unlock()
		if err != nil {
			return 0, err
		}
	}
}

// Write writes to the client. See net.Conn.
func (c *frontConn) Write(b []byte) (int, error) {
	c.watch.write(b)
	if c.tls == nil {
		return c.tcp.Write(b)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tls.Write(b)
}

// CloseWrite ends our side, so that net/http can wait for the client's.
func (c *frontConn) CloseWrite() error {
	c.notify()
	return c.tcp.CloseWrite()
}

// Close closes the connection. See net.Conn.
func (c *frontConn) Close() error {
	c.notify()
	return c.tcp.Close()
}

// notify says that no record follows, unless a write is under way: it may hang.
func (c *frontConn) notify() {
	if c.tls != nil && c.mu.TryLock() {
		_ = c.tls.CloseWrite()
		c.mu.Unlock()
	}
}

// LocalAddr is our end's address. See net.Conn.
func (c *frontConn) LocalAddr() net.Addr { return c.tcp.LocalAddr() }

// RemoteAddr is the client's address, of which a proxy may have told. See net.Conn.
func (c *frontConn) RemoteAddr() net.Addr { return c.client }

// SetDeadline bounds reads and writes. See net.Conn.
func (c *frontConn) SetDeadline(t time.Time) error {
	c.watch.deadline(t)
	return c.tcp.SetDeadline(t)
}

// SetReadDeadline bounds reads. See net.Conn.
func (c *frontConn) SetReadDeadline(t time.Time) error {
	c.watch.deadline(t)
	return c.tcp.SetReadDeadline(t)
}

// SetWriteDeadline bounds writes. See net.Conn.
func (c *frontConn) SetWriteDeadline(t time.Time) error { return c.tcp.SetWriteDeadline(t) }
