package ws

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// testServer is a Server behind net/http on a port of its own.
type testServer struct {
	*Server
	addr string
	stop func() error // shuts down, once; tests may have done so before
}

// serve starts a server and stops it when the test ends.
func serve(t testing.TB, cfg Config, h Handler) *testServer {
	t.Helper()
	return serveOn(t, cfg, ListenConfig{}, h)
}

func serveOn(t testing.TB, cfg Config, lc ListenConfig, h Handler) *testServer {
	t.Helper()
	s, err := New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	return serveServer(t, s, lc)
}

// serveServer starts s, behind what fronts make of its listener.
func serveServer(t testing.TB, s *Server, lc ListenConfig, fronts ...func(net.Listener) (net.Listener, error)) *testServer {
	t.Helper()
	ln, err := Listen(t.Context(), "127.0.0.1:0", lc)
	for _, front := range fronts {
		if err == nil {
			ln, err = front(ln)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	front := &http.Server{Handler: s, ReadHeaderTimeout: patience, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	served := make(chan error, 1)
	go func() { served <- front.Serve(ln) }()
	ts := &testServer{Server: s, addr: ln.Addr().String()}
	ts.stop = sync.OnceValue(func() error {
		_ = front.Close()
		<-served
		s.gate.mu.Lock()
		done := s.gate.shut
		s.gate.mu.Unlock()
		if done {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return s.Shutdown(ctx)
	})
	t.Cleanup(func() {
		if err := ts.stop(); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return ts
}

// until waits for a condition that no event announces.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-tick.C
	}
}

// attached waits until the engine has the session's connection.
func attached(t testing.TB, s *Session) (c nbConn) {
	t.Helper()
	until(t, "the session is attached", func() (ok bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		c, ok = s.conn.(nbConn)
		return ok
	})
	return c
}

// rawClient speaks to a server in bytes.
type rawClient struct {
	t testing.TB
	*net.TCPConn
	r *bufio.Reader
}

// handshake is a request to upgrade, with more header lines if there are any.
func handshake(more ...string) string {
	return "GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		strings.Join(append(more, ""), "\r\n") + "\r\n"
}

// connect opens a TCP connection, without a handshake.
func connect(t testing.TB, addr string) *rawClient {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &rawClient{t, c.(*net.TCPConn), bufio.NewReader(c)}
}

// dial opens a session; early bytes follow the handshake in the same segment.
func dial(t testing.TB, addr string, early ...[]byte) *rawClient {
	t.Helper()
	c := connect(t, addr)
	c.send(append([]byte(handshake()), join(early...)...))
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %s", resp.Status)
	}
	return c
}

func (c *rawClient) send(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// read reads a server's frame and checks its form. An error means that the
// stream has ended: io.EOF if it ended well.
func (c *rawClient) read() (op opcode, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	if head[0]&0xf0 != fin || head[1]&0x80 != 0 {
		return 0, nil, fmt.Errorf("frame begins with %x: fragmented, reserved bits or masked", head)
	}
	length := uint64(head[1])
	switch length {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(c.r, b[:])
		length = uint64(binary.BigEndian.Uint16(b[:]))
		if err == nil && length < 126 {
			err = errors.New("length is not minimal")
		}
	case 127:
		var b [8]byte
		_, err = io.ReadFull(c.r, b[:])
		length = binary.BigEndian.Uint64(b[:])
		if err == nil && length < 1<<16 {
			err = errors.New("length is not minimal")
		}
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(c.r, payload)
	return opcode(head[0] & 0x0f), payload, err
}

// hear describes everything that the server sends until the stream ends, and how
// it ends.
func (c *rawClient) hear() (heard []string) {
	for {
		op, payload, err := c.read()
		switch {
		case errors.Is(err, io.EOF):
			return append(heard, "end")
		case errors.Is(err, syscall.ECONNRESET):
			return append(heard, "reset")
		case err != nil:
			return append(heard, err.Error())
		}
		heard = append(heard, describe(op, payload))
	}
}

// next describes one frame.
func (c *rawClient) next() string {
	c.t.Helper()
	op, payload, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return describe(op, payload)
}

func describe(op opcode, payload []byte) string {
	short := string(payload)
	if len(short) > 40 {
		short = fmt.Sprintf("%s... of %d bytes", short[:10], len(payload))
	}
	switch op {
	case opText:
		return "text " + short
	case opBinary:
		return "binary " + short
	case opPong:
		return "pong " + short
	case opPing:
		return "ping " + short
	case opClose:
		if len(payload) < 2 {
			return fmt.Sprintf("close %x", payload)
		}
		return fmt.Sprintf("close %d", binary.BigEndian.Uint16(payload))
	}
	return fmt.Sprintf("opcode %d", op)
}

// reset ends the connection with an RST.
func (c *rawClient) reset() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// echoing answers every message with itself.
func echoing(s *Session, data []byte, text bool) {
	frame := AppendBinary(nil, data)
	if text {
		frame = AppendText(nil, data)
	}
	_ = s.Write(frame)
}

// endings collects how sessions end.
func endings() (closed func(*Session, int, string), next func(t testing.TB) int) {
	codes := make(chan int, 1<<16)
	return func(_ *Session, code int, _ string) { codes <- code },
		func(t testing.TB) int {
			t.Helper()
			select {
			case code := <-codes:
				return code
			case <-time.After(patience):
				t.Fatal("waited in vain for Closed")
				return 0
			}
		}
}

// openFiles counts the process's descriptors.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(entries)
}

// pattern makes n bytes of which no two stretches are alike.
func pattern(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.Bytes()[:n]
}
