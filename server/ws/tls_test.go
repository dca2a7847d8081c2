package ws

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// certified makes a certificate for 127.0.0.1 and localhost, with an RSA key or
// one of an elliptic curve, and the clients' pool that trusts it.
func certified(t testing.TB, useRSA bool) (*stdtls.Certificate, *x509.CertPool) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	var key, public any
	if useRSA {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		key, public = k, &k.PublicKey
	} else {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, public = k, &k.PublicKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// safeServer is a Server behind net/http behind a Front.
type safeServer struct {
	*Server
	addr  string
	trust *x509.CertPool
}

// serveSafely starts a server that speaks TLS and stops it when the test ends.
// front may be changed by change; pages answer what is no upgrade.
func serveSafely(t testing.TB, cfg Config, lc ListenConfig, h Handler, change func(*FrontConfig)) *safeServer {
	t.Helper()
	s, err := New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Listen(t.Context(), "127.0.0.1:0", lc)
	if err != nil {
		t.Fatal(err)
	}
	cert, trust := certified(t, false)
	fc := FrontConfig{TLS: &TLS{Certificate: func(*stdtls.ClientHelloInfo) (*stdtls.Certificate, error) { return cert, nil }}}
	if change != nil {
		change(&fc)
	}
	ln, err := Front(plain, fc)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	front := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") != "" {
				s.ServeHTTP(w, r)
				return
			}
			_, _ = fmt.Fprintf(w, "%s from %s\n", r.Method, r.RemoteAddr)
			_, _ = io.Copy(w, r.Body)
		}),
		ReadHeaderTimeout: patience, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	served := make(chan error, 1)
	go func() { served <- front.Serve(ln) }()
	t.Cleanup(func() {
		_ = front.Close()
		<-served
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return &safeServer{s, ln.Addr().String(), trust}
}

// client is the configuration of one that trusts s and speaks one version.
func (s *safeServer) client(version uint16) *stdtls.Config {
	return &stdtls.Config{RootCAs: s.trust, ServerName: "localhost", MinVersion: version, MaxVersion: version}
}

// dialSafely connects a WebSocket client of Go's TLS over conn, or a new connection.
func (s *safeServer) dialSafely(t testing.TB, cfg *stdtls.Config, wrap func(net.Conn) net.Conn) *websocket.Conn {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: cfg,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err == nil && wrap != nil {
				c = wrap(c)
			}
			return c, err
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "wss://"+s.addr+"/", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// versions are those that the server speaks.
var versions = []struct {
	name string
	id   uint16
}{{"1.2", stdtls.VersionTLS12}, {"1.3", stdtls.VersionTLS13}}

// singly writes every byte by itself, and reads so.
type singly struct{ net.Conn }

func (c singly) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

func (c singly) Read(b []byte) (int, error) { return c.Conn.Read(b[:min(1, len(b))]) }

// TestTLSEcho: both versions, messages of all sizes, whole streams and streams
// that come byte by byte.
func TestTLSEcho(t *testing.T) {
	for _, v := range versions {
		for _, c := range []struct {
			name  string
			wrap  func(net.Conn) net.Conn
			sizes []int
		}{
			{"whole", nil, []int{0, 1, 125, 126, 16383, 16384, 16385, 65536, 1 << 20, 3}},
			{"byte by byte", func(c net.Conn) net.Conn { return singly{c} }, []int{0, 1, 200, 3000, 2}},
		} {
			t.Run(v.name+" "+c.name, func(t *testing.T) {
				s := serveSafely(t, Config{MaxMessageBytes: 2 << 20, MaxPendingBytes: 4 << 20}, ListenConfig{}, calls{message: echoing}, nil)
				conn := s.dialSafely(t, s.client(v.id), c.wrap)
				for _, size := range c.sizes {
					want := pattern(size)
					if err := conn.Write(t.Context(), websocket.MessageBinary, want); err != nil {
						t.Fatal(err)
					}
					kind, got, err := conn.Read(t.Context())
					if err != nil || kind != websocket.MessageBinary || !bytes.Equal(got, want) {
						t.Fatalf("%d bytes: got %d, %v", size, len(got), err)
					}
				}
				if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
					t.Errorf("close: %v", err)
				}
				until(t, "the socket is closed", func() bool { return s.Counters().Sockets == 0 })
				if got := s.Counters(); got.Closed["normal"] != 1 || got.TLS != 0 {
					t.Errorf("closed %v, TLS faults %d", got.Closed, got.TLS)
				}
			})
		}
	}
}

// TestTLSVersions: what is older than the least is refused.
func TestTLSVersions(t *testing.T) {
	for _, c := range []struct {
		name    string
		least   uint16
		client  uint16
		granted bool
	}{
		{"1.1", 0, stdtls.VersionTLS11, false},
		{"1.2", 0, stdtls.VersionTLS12, true},
		{"1.3", 0, stdtls.VersionTLS13, true},
		{"1.2 where 1.3 is the least", stdtls.VersionTLS13, stdtls.VersionTLS12, false},
		{"1.3 where 1.3 is the least", stdtls.VersionTLS13, stdtls.VersionTLS13, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveSafely(t, Config{}, ListenConfig{}, calls{}, func(f *FrontConfig) { f.TLS.MinVersion = c.least })
			conn, err := stdtls.Dial("tcp", s.addr, s.client(c.client))
			if err == nil {
				defer func() { _ = conn.Close() }()
			}
			if (err == nil) != c.granted {
				t.Errorf("handshake: %v", err)
			}
		})
	}
	for _, v := range []uint16{stdtls.VersionTLS10, stdtls.VersionTLS11, 99} {
		if _, err := (&TLS{Certificate: func(*stdtls.ClientHelloInfo) (*stdtls.Certificate, error) { return nil, nil }, MinVersion: v}).config(); err == nil {
			t.Errorf("%x is accepted as the least version", v)
		}
	}
}

// TestTLSSuites: with TLS 1.2, every suite with forward secrecy and an
// authenticated cipher, no other.
func TestTLSSuites(t *testing.T) {
	keys := map[bool]*safeServer{}
	for _, useRSA := range []bool{false, true} {
		cert, pool := certified(t, useRSA)
		keys[useRSA] = serveSafely(t, Config{}, ListenConfig{}, calls{}, func(f *FrontConfig) {
			f.TLS.Certificate = func(*stdtls.ClientHelloInfo) (*stdtls.Certificate, error) { return cert, nil }
		})
		keys[useRSA].trust = pool
	}
	for _, suite := range slices.Concat(stdtls.CipherSuites(), stdtls.InsecureCipherSuites()) {
		if !slices.Contains(suite.SupportedVersions, stdtls.VersionTLS12) {
			continue
		}
		t.Run(suite.Name, func(t *testing.T) {
			modern := strings.HasPrefix(suite.Name, "TLS_ECDHE") && (strings.Contains(suite.Name, "GCM") || strings.Contains(suite.Name, "POLY1305"))
			s := keys[!strings.Contains(suite.Name, "ECDSA")]
			cfg := s.client(stdtls.VersionTLS12)
			cfg.CipherSuites = []uint16{suite.ID}
			conn, err := stdtls.Dial("tcp", s.addr, cfg)
			if err == nil {
				defer func() { _ = conn.Close() }()
			}
			if (err == nil) != modern {
				t.Errorf("handshake: %v", err)
			}
		})
	}
}

// TestTLSPages: net/http serves pages on the same port, several on a connection.
func TestTLSPages(t *testing.T) {
	s := serveSafely(t, Config{}, ListenConfig{}, calls{}, nil)
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			transport := &http.Transport{TLSClientConfig: s.client(v.id), ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			seen := ""
			for _, size := range []int{0, 100, 300000} {
				body := pattern(size)
				resp, err := client.Post("https://"+s.addr+"/page", "text/plain", bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				line, got, _ := strings.Cut(read(t, resp), "\n")
				if got != string(body) {
					t.Errorf("%d bytes came back as %d", len(body), len(got))
				}
				if seen != "" && line != seen {
					t.Errorf("%q after %q: the connection was not kept", line, seen)
				}
				seen = line
			}
		})
	}
}

func read(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTLSPlaintext: HTTP without TLS is answered with a sentence, and never served.
func TestTLSPlaintext(t *testing.T) {
	s := serveSafely(t, Config{}, ListenConfig{}, calls{open: func(*Session) { t.Error("a session without TLS") }}, nil)
	for _, request := range []string{handshake(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.0\r\n\r\n" + strings.Repeat("x", 30000)} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if text := read(t, resp); resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "wss://") {
			t.Errorf("%d %q", resp.StatusCode, text)
		}
	}
}

// TestTLSSilentHandshake: who connects and says nothing, or stops half-way, is
// gone after the time-out, and holds up nobody.
func TestTLSSilentHandshake(t *testing.T) {
	s := serveSafely(t, Config{}, ListenConfig{}, calls{message: echoing}, func(f *FrontConfig) { f.Timeout = 200 * time.Millisecond })
	for _, sent := range []string{"", "\x16", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		conn := s.dialSafely(t, s.client(stdtls.VersionTLS13), nil)
		_ = conn.CloseNow()
		if b, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after %q: %q, %v", sent, b, err)
		}
	}
}

// TestTLSEarlyFrames: frames in the record of the upgrade request, or right behind
// it, are messages.
func TestTLSEarlyFrames(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			s := serveSafely(t, Config{MaxMessageBytes: 20000}, ListenConfig{}, calls{message: echoing}, nil)
			c, err := stdtls.Dial("tcp", s.addr, s.client(v.id))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(patience))
			first, second := frame(fin|text, "one"), frame(fin|blob, strings.Repeat("2", 12000))
			if _, err := c.Write(slices.Concat([]byte(handshake()), first, second)); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write(frame(fin|text, "three")); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(c)
			resp, err := http.ReadResponse(r, nil)
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatal(resp, err)
			}
			want := slices.Concat(AppendText(nil, []byte("one")), AppendBinary(nil, bytes.Repeat([]byte("2"), 12000)), AppendText(nil, []byte("three")))
			got := make([]byte, len(want))
			if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v, equal: %v", err, bytes.Equal(got, want))
			}
		})
	}
}

// TestTLSSlowReader: a burst into a socket that is full, then silence; all of it
// arrives, in order, and what is pending comes down to nothing. Behind the close
// frame comes the notice that nothing follows.
func TestTLSSlowReader(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			sessions := make(chan *Session, 1)
			s := serveSafely(t, Config{MaxPendingBytes: 4 << 20, DrainTimeout: patience}, ListenConfig{SendBufferBytes: 4096},
				calls{open: func(s *Session) { sessions <- s }}, nil)
			c, err := stdtls.Dial("tcp", s.addr, s.client(v.id))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(c, handshake()); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(c)
			if _, err := http.ReadResponse(r, nil); err != nil {
				t.Fatal(err)
			}
			sess := <-sessions
			var want []byte
			pendingSeen := false
			for i := range 600 {
				f := AppendBinary(nil, pattern(1+i*17%40000))
				want = append(want, f...)
				for {
					err := sess.Write(f)
					pendingSeen = pendingSeen || sess.Pending() > 0
					if err == nil {
						break
					}
					if !errors.Is(err, ErrBacklog) {
						t.Fatal(err)
					}
					// Make room: read a piece, and compare it.
					piece := make([]byte, 1<<20)
					if _, err := io.ReadFull(r, piece); err != nil || !bytes.Equal(piece, want[:len(piece)]) {
						t.Fatal("what arrives is not what was sent", err)
					}
					want = want[len(piece):]
				}
			}
			if !pendingSeen {
				t.Error("nothing was ever pending: the test shows nothing")
			}
			sess.Close(CloseGoingAway, "bye")
			want = append(want, appendClose(nil, CloseGoingAway, "bye")...)
			got, err := io.ReadAll(r) // io.ErrUnexpectedEOF without the notice
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes of %d, equal %v, %v", len(got), len(want), bytes.Equal(got, want), err)
			}
			if sess.Pending() != 0 {
				t.Errorf("%d bytes are pending", sess.Pending())
			}
		})
	}
}

// TestTLSTruncated: streams that end within a record, at one, or go on with
// something that is none, end the session with 1006.
func TestTLSTruncated(t *testing.T) {
	for _, c := range []struct {
		name   string
		end    func(c *stdtls.Conn, raw net.Conn)
		faults uint64
	}{
		{"end of the stream", func(_ *stdtls.Conn, raw net.Conn) { _ = raw.Close() }, 0},
		{"notice", func(c *stdtls.Conn, _ net.Conn) { _ = c.CloseWrite() }, 0},
		{"half a record", func(_ *stdtls.Conn, raw net.Conn) {
			_, _ = raw.Write([]byte{0x17, 3, 3, 0, 100, 1, 2, 3})
			_ = raw.Close()
		}, 0},
		{"a forged record", func(_ *stdtls.Conn, raw net.Conn) {
			_, _ = raw.Write(append([]byte{0x17, 3, 3, 0, 40}, make([]byte, 40)...))
		}, 1},
		{"an oversized record", func(_ *stdtls.Conn, raw net.Conn) { _, _ = raw.Write([]byte{0x17, 3, 3, 0xff, 0xff}) }, 1},
		{"plain frames", func(_ *stdtls.Conn, raw net.Conn) { _, _ = raw.Write(frame(fin|text, "plain text, in the clear")) }, 1},
	} {
		for _, v := range versions {
			t.Run(c.name+" "+v.name, func(t *testing.T) {
				closed, next := endings()
				s := serveSafely(t, Config{}, ListenConfig{}, calls{message: echoing, closed: closed}, nil)
				raw, err := net.Dial("tcp", s.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = raw.Close() }()
				tlsc := stdtls.Client(raw, s.client(v.id))
				_ = tlsc.SetDeadline(time.Now().Add(patience))
				if _, err := io.WriteString(tlsc, handshake()); err != nil {
					t.Fatal(err)
				}
				if _, err := http.ReadResponse(bufio.NewReader(tlsc), nil); err != nil {
					t.Fatal(err)
				}
				c.end(tlsc, raw)
				if code := next(t); code != CloseAbnormal {
					t.Errorf("ended with %d", code)
				}
				until(t, "the socket is closed", func() bool { return s.Counters().Sockets == 0 })
				if got := s.Counters().TLS; got != c.faults {
					t.Errorf("%d faults, want %d", got, c.faults)
				}
			})
		}
	}
}

// TestTLSAdmission: who is not admitted is told by an alert, before any cryptography.
func TestTLSAdmission(t *testing.T) {
	s := serveSafely(t, Config{}, ListenConfig{}, calls{}, func(f *FrontConfig) {
		f.Admit = addrIsNot("127.0.0.1")
	})
	_, err := stdtls.Dial("tcp", s.addr, s.client(stdtls.VersionTLS13))
	if err == nil || !strings.Contains(err.Error(), "internal error") {
		t.Errorf("%v, want an alert", err)
	}
}

// TestTLSChurn comes and goes in all ways, from many goroutines.
func TestTLSChurn(t *testing.T) {
	s := serveSafely(t, Config{}, ListenConfig{}, calls{message: echoing}, nil)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 12 {
				v := versions[(worker+i)%2].id
				raw, err := net.Dial("tcp", s.addr)
				if err != nil {
					t.Error(err)
					return
				}
				c := stdtls.Client(raw, s.client(v))
				_ = c.SetDeadline(time.Now().Add(patience))
				if i%6 == 5 { // leaves in the handshake
					_, _ = raw.Write([]byte{0x16, 3, 1})
					_ = raw.Close()
					continue
				}
				_, _ = io.WriteString(c, handshake())
				r := bufio.NewReader(c)
				if _, err := http.ReadResponse(r, nil); err != nil {
					t.Error(err)
				}
				for range i {
					_, _ = c.Write(slices.Concat(frame(fin|text, "hello"), frame(fin|ping, "")))
				}
				if _, err := io.CopyN(io.Discard, r, int64(i*9)); err != nil {
					t.Error(err)
				}
				switch i % 3 {
				case 0:
					_, _ = c.Write(bye)
					_, _ = io.Copy(io.Discard, r)
					_ = c.Close()
				case 1:
					_ = c.Close()
				case 2:
					_ = raw.(*net.TCPConn).SetLinger(0)
					_ = raw.Close()
				}
			}
		})
	}
	all.Wait()
	until(t, "all sockets are closed", func() bool { return s.Counters().Sockets == 0 })
	if c := s.Counters(); c.Open != 0 || c.Accepted != 80 || c.TLS != 0 {
		t.Errorf("open %d, accepted %d, faults %d", c.Open, c.Accepted, c.TLS)
	}
}

// TestTLSOpenSSL talks to OpenSSL's client, which is nobody's relative of ours:
// both versions, a key update on request, and the refusal of TLS 1.1.
func TestTLSOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIPPED: no openssl on this machine")
	}
	for _, c := range []struct {
		name string
		args []string
		keys []string // commands to s_client between two messages
		ok   bool
	}{
		{"1.1", []string{"-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"}, nil, false},
		{"1.2", []string{"-tls1_2"}, nil, true},
		{"1.3", []string{"-tls1_3"}, nil, true},
		{"1.3 with key updates", []string{"-tls1_3"}, []string{"k\n", "K\n", "K\n"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveSafely(t, Config{}, ListenConfig{}, calls{message: echoing}, nil)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, openssl, append([]string{"s_client", "-connect", s.addr, "-servername", "localhost"}, c.args...)...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stderr = cmd.Stdout // where s_client says what it does
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = in.Close(); cancel(); _ = cmd.Wait() }()
			r := bufio.NewReader(out)
			await := func(want string) error {
				var seen []byte
				for !bytes.HasSuffix(seen, []byte(want)) {
					b, err := r.ReadByte()
					if err != nil {
						return fmt.Errorf("%q did not come: %w", want, err)
					}
					seen = append(seen, b)
				}
				return nil
			}
			_, _ = io.WriteString(in, handshake())
			err = await("101 Switching Protocols")
			if (err == nil) != c.ok {
				t.Fatal(err)
			}
			if !c.ok {
				return
			}
			for i, key := range append([]string{""}, c.keys...) {
				if key != "" {
					_, _ = io.WriteString(in, key)
					if err := await("KEYUPDATE\n"); err != nil {
						t.Fatal(err)
					}
				}
				said := fmt.Sprintf("message number %d", i)
				_, _ = in.Write(frame(fin|text, said))
				if err := await(said); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
