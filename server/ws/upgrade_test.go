package ws

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// request sends raw header lines and returns the answer.
func request(t testing.TB, addr, raw string) (*http.Response, string) {
	t.Helper()
	c := connect(t, addr)
	c.send([]byte(raw))
	method, _, _ := strings.Cut(raw, " ")
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestHandshakeRefused(t *testing.T) {
	s := serve(t, Config{}, calls{open: func(*Session) { t.Error("a session opened") }})
	without := func(field string) string {
		lines := strings.Split(handshake(), "\r\n")
		return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, field+":") }), "\r\n")
	}
	with := func(field, value string) string {
		return strings.TrimSuffix(without(field), "\r\n") + field + ": " + value + "\r\n\r\n"
	}
	for _, tt := range []struct {
		name, raw string
		status    int
		label     string
		header    [2]string
	}{
		{"POST", strings.Replace(handshake(), "GET", "POST", 1), 405, "method", [2]string{"Allow", "GET"}},
		{"HTTP/1.0", strings.Replace(handshake(), "HTTP/1.1", "HTTP/1.0", 1), 400, "http_version", [2]string{}},
		{"HEAD", strings.Replace(handshake(), "GET", "HEAD", 1), 405, "method", [2]string{"Allow", "GET"}},
		{"PUT", strings.Replace(handshake(), "GET", "PUT", 1), 405, "method", [2]string{"Allow", "GET"}},
		{"a method's case matters", strings.Replace(handshake(), "GET", "get", 1), 405, "method", [2]string{"Allow", "GET"}},
		{"HTTP/2.0 without being it", strings.Replace(handshake(), "HTTP/1.1", "HTTP/2.0", 1), 505, "", [2]string{}},
		{"no Host", without("Host"), 400, "", [2]string{}},
		{"two Hosts", handshake("Host: example.net"), 400, "", [2]string{}},
		{"a page", "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", 400, "upgrade", [2]string{}},
		{"no Upgrade", without("Upgrade"), 400, "upgrade", [2]string{}},
		{"other Upgrade", with("Upgrade", "h2c"), 400, "upgrade", [2]string{}},
		{"Upgrade that contains it", with("Upgrade", "websockets"), 400, "upgrade", [2]string{}},
		{"Upgrade with a version", with("Upgrade", "websocket/13"), 400, "upgrade", [2]string{}},
		{"two words in Upgrade", with("Upgrade", "not websocket"), 400, "upgrade", [2]string{}},
		{"Connection that contains it", with("Connection", "Upgraded"), 400, "connection", [2]string{}},
		{"no Connection", without("Connection"), 400, "connection", [2]string{}},
		{"Connection: close", with("Connection", "close"), 400, "connection", [2]string{}},
		{"no version", without("Sec-WebSocket-Version"), 400, "no_version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"version 8", with("Sec-WebSocket-Version", "8"), 426, "version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"version 14", with("Sec-WebSocket-Version", "14"), 426, "version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"version 0", with("Sec-WebSocket-Version", "0"), 426, "version", [2]string{"Upgrade", "websocket"}},
		{"version 013", with("Sec-WebSocket-Version", "013"), 426, "version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"version +13", with("Sec-WebSocket-Version", "+13"), 426, "version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"version 269, which is 13 in eight bits", with("Sec-WebSocket-Version", "269"), 426, "version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"empty version", with("Sec-WebSocket-Version", ""), 426, "version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"two versions", with("Sec-WebSocket-Version", "13, 8"), 426, "version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"version in two lines", handshake("Sec-WebSocket-Version: 13"), 426, "version", [2]string{"Sec-WebSocket-Version", "13"}},
		{"no key", without("Sec-WebSocket-Key"), 400, "key", [2]string{}},
		{"empty key", with("Sec-WebSocket-Key", ""), 400, "key", [2]string{}},
		{"short key", with("Sec-WebSocket-Key", "c2hvcnQ="), 400, "key", [2]string{}},
		{"key of 17 bytes", with("Sec-WebSocket-Key", "MTIzNDU2Nzg5MDEyMzQ1Njc="), 400, "key", [2]string{}},
		{"key of 15 bytes", with("Sec-WebSocket-Key", "MTIzNDU2Nzg5MDEyMzQ1"), 400, "key", [2]string{}},
		{"key of 18 bytes, as long as one of 16", with("Sec-WebSocket-Key", "MTIzNDU2Nzg5MDEyMzQ1Njc4"), 400, "key", [2]string{}},
		{"key without its padding", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"), 400, "key", [2]string{}},
		{"key in the base64 of URLs", with("Sec-WebSocket-Key", "-_hlIHNhbXBsZSBub25jZQ=="), 400, "key", [2]string{}},
		{"key with a blank inside", with("Sec-WebSocket-Key", "dGhlIHNhbXBs ZSBub25jZQ=="), 400, "key", [2]string{}},
		{"two keys in a line", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="), 400, "key", [2]string{}},
		{"key not in base64", with("Sec-WebSocket-Key", "!!!!IHNhbXBsZSBub25jZQ=="), 400, "key", [2]string{}},
		{"two keys", handshake("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400, "key", [2]string{}},
		{"a body", handshake("Content-Length: 3") + "abc", 400, "body", [2]string{}},
		{"a chunked body", handshake("Transfer-Encoding: chunked") + "0\r\n\r\n", 400, "body", [2]string{}},
		{"other origin", handshake("Origin: https://evil.example"), 403, "origin", [2]string{}},
		{"origin null", handshake("Origin: null"), 403, "origin", [2]string{}},
		{"empty origin", handshake("Origin: "), 403, "origin", [2]string{}},
		{"origin of another port", handshake("Origin: http://example.org:81"), 403, "origin", [2]string{}},
		{"two origins", handshake("Origin: http://example.org", "Origin: http://example.org"), 403, "origin", [2]string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := s.Counters().Refused[tt.label]
			resp, body := request(t, s.addr, tt.raw)
			if resp.StatusCode != tt.status {
				t.Errorf("status %d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			if !resp.Close {
				t.Error("the connection stays open")
			}
			if tt.label == "" {
				return // net/http refuses it by itself
			}
			if got := s.Counters().Refused[tt.label]; got != before+1 {
				t.Errorf("%s counted %d times, want once", tt.label, got-before)
			}
			if !strings.HasSuffix(strings.TrimSpace(body), ".") && tt.name != "HEAD" {
				t.Errorf("body %q is not a sentence", body)
			}
			if tt.header[0] != "" && resp.Header.Get(tt.header[0]) != tt.header[1] {
				t.Errorf("%s: %q, want %q", tt.header[0], resp.Header.Get(tt.header[0]), tt.header[1])
			}
		})
	}
	if got := s.Counters().Sockets; got != 0 {
		t.Errorf("%d sockets are taken by refused handshakes", got)
	}
}

// TestUpgradeRequired: an answer 426 says to what, as an option of the connection
// that it closes (RFC 9110 sections 7.8 and 15.5.22).
func TestUpgradeRequired(t *testing.T) {
	s := serve(t, Config{}, calls{})
	c := connect(t, s.addr)
	c.send([]byte(strings.Replace(handshake(), "Version: 13", "Version: 12", 1)))
	got, err := io.ReadAll(c.r) // http.Response would not tell of Connection
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"HTTP/1.1 426 ", "\r\nConnection: close\r\n", "\r\nConnection: Upgrade\r\n", "\r\nUpgrade: websocket\r\n", "\r\nSec-Websocket-Version: 13\r\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

func TestHandshakeAccepted(t *testing.T) {
	s := serve(t, Config{}, calls{message: echoing})
	for _, tt := range []struct{ name, raw string }{
		{"plain", handshake()},
		{"again with the same key", handshake()},
		{"same origin", handshake("Origin: http://example.org")},
		{"same origin, other case", handshake("Origin: http://Example.ORG")},
		{"same origin over TLS", handshake("Origin: https://example.org")},
		{"Firefox", strings.Replace(handshake(), "Connection: Upgrade", "Connection: keep-alive, Upgrade", 1)},
		{"any case", strings.NewReplacer("Upgrade: websocket", "uPGRADE: WebSocket", "Connection: Upgrade", "CONNECTION: uPgRaDe").Replace(handshake())},
		{"two lines", strings.Replace(handshake(), "Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade", 1)},
		{"token lists", strings.NewReplacer("Upgrade: websocket", "Upgrade: h2c , websocket,", "Connection: Upgrade", "Connection: ,,keep-alive,\tupgrade").Replace(handshake())},
		{"Upgrade in two lines", strings.Replace(handshake(), "Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket", 1)},
		{"blanks around values", strings.NewReplacer("Version: 13", "Version:   13\t ", "Key: ", "Key:\t ").Replace(handshake())},
		{"names in small letters", strings.NewReplacer("Host", "host", "Upgrade:", "upgrade:", "Connection", "connection", "Sec-WebSocket-Version", "sec-websocket-version", "Sec-WebSocket-Key", "sec-websocket-key").Replace(handshake())},
		{"no blanks", strings.ReplaceAll(handshake(), ": ", ":")},
		{"absolute URI", strings.Replace(handshake(), "GET / ", "GET http://example.org/chat ", 1)},
		{"fields that mean nothing here", handshake("Cookie: a=b", "User-Agent: x", "X-Whatever: , ;", "Accept: */*")},
		{"extensions in lines", handshake("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", "Sec-WebSocket-Extensions: x-webkit-deflate-frame, nonsense;;=")},
		{"subprotocols in lines", handshake("Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: superchat, v1")},
		{"another path", strings.Replace(handshake(), "GET / ", "GET /any/path?x=1 ", 1)},
		{"extensions on offer", handshake("Sec-WebSocket-Extensions: permessage-deflate")},
		{"subprotocols on offer", handshake("Sec-WebSocket-Protocol: chat, superchat")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := connect(t, s.addr)
			c.send([]byte(tt.raw))
			resp, err := http.ReadResponse(c.r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != 101 || !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket") ||
				!strings.EqualFold(resp.Header.Get("Connection"), "upgrade") {
				t.Errorf("answer %s, %v", resp.Status, resp.Header)
			}
			// The example of RFC 6455 section 1.3.
			if got := resp.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Errorf("accept %q", got)
			}
			for _, none := range []string{"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"} {
				if got, ok := resp.Header[http.CanonicalHeaderKey(none)]; ok {
					t.Errorf("%s: %q", none, got)
				}
			}
			c.send(frame(fin|text, "hi"))
			if got := c.next(); got != "text hi" {
				t.Errorf("echo %q", got)
			}
		})
	}
}

// TestHandshakeAnswer: the answer is 101 with three fields and nothing else, for
// whatever key, also when the request comes byte by byte.
func TestHandshakeAnswer(t *testing.T) {
	s := serve(t, Config{}, calls{message: echoing})
	for _, key := range []string{"dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "/////////////////////w==", "x3JJHMbDL1EzLkh9GBhXDw=="} {
		sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		want := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
			base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
		c := connect(t, s.addr)
		c.sendIn([]byte(strings.Replace(handshake(), "dGhlIHNhbXBsZSBub25jZQ==", key, 1)), 1)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		c.send(join(frame(fin|text, "hi"), bye))
		if got := c.hear(); !slices.Equal(got, []string{"text hi", "close 1000", "end"}) {
			t.Errorf("then %q", got)
		}
	}
}

func TestSubprotocol(t *testing.T) {
	opened := make(chan string, 1)
	s := serve(t, Config{Subprotocols: []string{"batch", "chat"}}, calls{open: func(s *Session) { opened <- s.Subprotocol() }})
	for _, tt := range []struct{ offer, want string }{
		{"", ""}, {"other", ""}, {"chat", "chat"}, {"batch", "batch"}, {"other, chat,batch", "chat"}, {"Chat", ""},
	} {
		t.Run(tt.offer, func(t *testing.T) {
			resp, _ := request(t, s.addr, handshake("Sec-WebSocket-Protocol: "+tt.offer))
			if got := resp.Header.Get("Sec-WebSocket-Protocol"); resp.StatusCode != 101 || got != tt.want {
				t.Errorf("%s with %q, want %q", resp.Status, got, tt.want)
			}
			if got := <-opened; got != tt.want {
				t.Errorf("the session says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCheckOriginHook(t *testing.T) {
	s := serve(t, Config{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://friend.example" }}, calls{})
	for origin, status := range map[string]int{"https://friend.example": 101, "http://example.org": 403} {
		if resp, _ := request(t, s.addr, handshake("Origin: "+origin)); resp.StatusCode != status {
			t.Errorf("%s: %s, want %d", origin, resp.Status, status)
		}
	}
}

func TestRemoteAddr(t *testing.T) {
	addrs := make(chan netip.Addr, 1)
	h := calls{open: func(s *Session) { addrs <- s.RemoteAddr() }}
	for _, tt := range []struct {
		name string
		hook func(*http.Request) netip.Addr
		want string
	}{
		{"the connection's", nil, "127.0.0.1"},
		{"a proxy's word", func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.Header.Get("X-Forwarded-For")) }, "2001:db8::7"},
		{"a proxy without one", func(*http.Request) netip.Addr { return netip.Addr{} }, "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, Config{ClientAddr: tt.hook}, h)
			request(t, s.addr, handshake("X-Forwarded-For: 2001:db8::7"))
			if got := (<-addrs).String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestFull: beyond the bound there is an answer, those inside are unharmed, and
// room is given back.
func TestFull(t *testing.T) {
	s := serve(t, Config{MaxSessions: 2}, calls{message: echoing})
	one, two := dial(t, s.addr), dial(t, s.addr)
	resp, body := request(t, s.addr, handshake())
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, %v, %s", resp.Status, resp.Header, body)
	}
	for _, c := range []*rawClient{one, two} {
		c.send(frame(fin|text, "still here"))
		if got := c.next(); got != "text still here" {
			t.Errorf("got %q", got)
		}
	}
	one.reset()
	until(t, "there is room", func() bool { return s.Counters().Sockets == 1 })
	dial(t, s.addr)
	if got := s.Counters().Refused["full"]; got != 1 {
		t.Errorf("%d refused as full, want 1", got)
	}
}

// TestNotRunning: before Start and after Shutdown a handshake is refused.
func TestNotRunning(t *testing.T) {
	s, err := New(Config{}, calls{})
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d, %v", when, w.Code, w.Header())
		}
	}
	check("before Start")
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("after Shutdown")
}

// wrapper hides the TCP connections of a listener.
type wrapper struct{ net.Listener }

func (l wrapper) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return struct{ net.Conn }{c}, err
}

// TestWrappedConn: a connection that nbio would not understand is not taken.
func TestWrappedConn(t *testing.T) {
	var logged syncBuffer
	s, err := New(Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))}, calls{open: func(*Session) { t.Error("a session opened") }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	ln, err := Listen(t.Context(), "127.0.0.1:0", ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	front := &http.Server{Handler: s}
	served := make(chan error, 1)
	go func() { served <- front.Serve(wrapper{ln}) }()
	c := connect(t, ln.Addr().String())
	c.send([]byte(handshake()))
	if b, err := c.r.ReadByte(); err == nil {
		t.Errorf("an answer: %q...", b)
	}
	_ = front.Close()
	<-served
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(logged.String(), "ws.Listen") {
		t.Errorf("logged %q", logged.String())
	}
}

func TestConfigErrors(t *testing.T) {
	for name, cfg := range map[string]Config{
		"negative size":     {MaxMessageBytes: -1},
		"too many pending":  {MaxPendingBytes: 1<<30 + 1},
		"negative timeout":  {DrainTimeout: -1},
		"many subprotocols": {Subprotocols: make([]string, 256)},
	} {
		if _, err := New(cfg, calls{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkHandshake is a whole connection: dial, upgrade, close, as one after
// the other; the client's share is in it.
func BenchmarkHandshake(b *testing.B) {
	for _, c := range []struct {
		name   string
		listen func(net.Listener) (net.Listener, error)
	}{
		{"bare", func(ln net.Listener) (net.Listener, error) { return ln, nil }},
		{"counted", func(ln net.Listener) (net.Listener, error) { return Front(ln, FrontConfig{}) }},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkHandshake(b, c.listen) })
	}
}

func benchmarkHandshake(b *testing.B, front func(net.Listener) (net.Listener, error)) {
	server, err := New(Config{}, calls{})
	if err != nil {
		b.Fatal(err)
	}
	s := serveServer(b, server, ListenConfig{}, front)
	request := []byte(handshake())
	b.ReportAllocs()
	for b.Loop() {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			b.Fatal(err)
		}
		c := conn.(*net.TCPConn)
		var answer [129]byte
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, answer[:]); err != nil || !strings.HasSuffix(string(answer[:]), "\r\n\r\n") {
			b.Fatalf("%q, %v", answer[:], err)
		}
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

// BenchmarkUpgradeAnswer is our share of a handshake before the connection moves.
func BenchmarkUpgradeAnswer(b *testing.B) {
	s, err := New(Config{}, calls{})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, l := range strings.Split(handshake(), "\r\n") {
		if name, value, ok := strings.Cut(l, ": "); ok {
			r.Header.Add(name, value)
		}
	}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		key, no := handshakeKey(r)
		if no != nil {
			b.Fatal(no.text)
		}
		buf = s.appendSwitching(buf[:0], key, 0)
	}
}
