package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// takesLong skips a test that takes long, unless TAVERN_BIG is set.
func takesLong(t testing.TB) {
	t.Helper()
	if os.Getenv("TAVERN_BIG") == "" {
		t.Skip("SKIPPED: takes long; set TAVERN_BIG=1")
	}
}

// TestHeaderSize: a header over the limit is 431.
func TestHeaderSize(t *testing.T) {
	s := startServer(t, "-max-header", "1024")
	resp, _, _ := upgradeWith(t, s.addr, "", "X-Long: "+strings.Repeat("x", 20000))
	if resp == nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v, want 431", resp)
	}
	s.counted(t, `ws_headers_refused_total{reason="too_long"}`, "1")
	if resp, _, _ := upgradeWith(t, s.addr, "", "X-Short: x"); resp == nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("%v, want 101", resp)
	}
}

// TestHeaderTime: who says half a header is gone when its time is over.
func TestHeaderTime(t *testing.T) {
	s := startServer(t, "-header-time", "200ms")
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: ")
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("the connection is still there: %v", err)
	}
	s.counted(t, `ws_headers_refused_total{reason="too_late"}`, "1")
}

// TestLimitTLS: TLS handshakes have four times the burst, and refusals are counted.
func TestLimitTLS(t *testing.T) {
	l, _ := clockwork(limitConfig{handshakeRate: 1, handshakeBurst: 2})
	for range 2 * tlsFactor {
		if !l.greet(here) {
			t.Fatal("refused within the burst")
		}
	}
	if l.greet(here) || !l.greet(there) || l.refused[limitTLS].Load() != 1 {
		t.Errorf("one too many passes, or another address pays; %d refused", l.refused[limitTLS].Load())
	}
}

// TestSlowSender: a frame that comes a byte at a time is a packet like any other,
// and holds up nobody.
func TestSlowSender(t *testing.T) {
	takesLong(t)
	s := startServer(t)
	ann, bob := connect(t, s), connect(t, s)
	ann.register("ann")
	ann.login("ann")
	bob.register("bob")
	bob.login("bob")
	_, _, slow := upgradeWith(t, s.addr, "")
	packet := `{"a":"Chat","p0":"slow"}`
	frame := append([]byte{0x81, 0x80 | byte(len(packet)), 0, 0, 0, 0}, packet...)
	_ = slow.SetDeadline(time.Now().Add(2 * time.Minute))
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range frame {
		<-tick.C
		if _, err := slow.Write(frame[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			ann.say(`{"a":"Chat","p0":"","p1":"line %d"}`, i)
			bob.await("ann's chat", func(h *heard) bool { return strings.Contains(h.raw, "line") })
		}
	}
	bob.await("the slow one's chat", func(h *heard) bool { return strings.Contains(h.raw, `"slow"`) })
}

// TestSlowReaders: one who reads a byte a second and one who never reads are let go
// when they are too far behind, and others hear everything all the while.
func TestSlowReaders(t *testing.T) {
	takesLong(t)
	s := startServer(t, "-chat-rate", "0", "-max-lag", "65536", "-max-blocked", "10s", "-guests", "on-connect")
	ann, bob := connect(t, s), connect(t, s)
	ann.register("ann")
	ann.login("ann")
	bob.register("bob")
	bob.login("bob")
	small := &net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	}}
	quit := make(chan struct{})
	var readers sync.WaitGroup
	defer readers.Wait()
	defer close(quit)
	for i := range 2 {
		c, err := small.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, handshake)
		if i == 0 {
			readers.Go(func() {
				tick := time.NewTicker(time.Second)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
						_, _ = c.Read(make([]byte, 1))
					case <-quit:
						return
					}
				}
			})
		}
	}
	until(t, "both are in", func() bool { return s.metric(t, "game_guests") == "2" })
	line := strings.Repeat("x", 900)
	for said := 0; s.metric(t, "ws_slow_consumer_total") != "2"; said++ {
		if said == 20000 {
			t.Fatalf("%s of 2 slow consumers are gone", s.metric(t, "ws_slow_consumer_total"))
		}
		ann.say(`{"a":"Chat","p0":"","p1":%q}`, line)
		bob.await("ann's chat", func(h *heard) bool { return strings.Contains(h.raw, line) })
	}
}

// TestHalfOpen: a peer whose packets are lost from one moment on, as when a cable is
// pulled, is gone within 90 seconds, and its account is free.
func TestHalfOpen(t *testing.T) {
	takesLong(t)
	const space, here, there = "tavern-test", "10.213.77.1", "10.213.77.2"
	ip := func(args ...string) error { return exec.Command("ip", args...).Run() }
	if os.Geteuid() != 0 || ip("netns", "add", space) != nil {
		t.Skip("SKIPPED: no network namespaces here (root and ip are needed)")
	}
	t.Cleanup(func() { _ = ip("netns", "del", space) })
	for _, args := range [][]string{
		{"link", "add", "tavern0", "type", "veth", "peer", "name", "tavern1", "netns", space},
		{"addr", "add", here + "/30", "dev", "tavern0"},
		{"link", "set", "tavern0", "up"},
		{"-n", space, "addr", "add", there + "/30", "dev", "tavern1"},
		{"-n", space, "link", "set", "tavern1", "up"},
	} {
		if err := ip(args...); err != nil {
			t.Skipf("SKIPPED: ip %v: %v", args, err)
		}
	}
	s := startServer(t, "-addr", here+":0")
	ann := connect(t, s)
	ann.register("ann")

	// The client that will be lost is this program, in the namespace.
	lost := exec.Command("ip", "netns", "exec", space, os.Args[0], "-test.run", "^TestHalfOpenClient$")
	lost.Env = append(os.Environ(), "TAVERN_HALF_OPEN="+s.addr)
	out, err := lost.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := lost.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lost.Process.Kill(); _ = lost.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "inside"; {
	}
	ann.say(`{"a":"Login","p0":"ann","p1":"pw of ann"}`)
	ann.await("that she is logged in", func(h *heard) bool { return strings.Contains(h.raw, "already logged in") })
	// From now on nothing of what the client's machine sends arrives.
	if err := ip("-n", space, "route", "add", "blackhole", here+"/32"); err != nil {
		t.Fatal(err)
	}
	start, tick := time.Now(), time.NewTicker(time.Second)
	defer tick.Stop()
	for s.metric(t, "game_players") != "0" {
		if time.Since(start) > 90*time.Second {
			t.Fatal("a lost peer is still there after 90 s")
		}
		<-tick.C
	}
	t.Logf("gone after %v", time.Since(start).Round(time.Second))
	ann.say(`{"a":"Login","p0":"ann","p1":"pw of ann"}`)
	ann.await("Ok", func(h *heard) bool { return strings.Contains(h.raw, `"Ok"`) })
}

// TestHalfOpenClient is TestHalfOpen's other process: it logs in and waits.
func TestHalfOpenClient(t *testing.T) {
	addr := os.Getenv("TAVERN_HALF_OPEN")
	if addr == "" {
		t.Skip("part of TestHalfOpen")
	}
	c := connect(t, &testServer{addr: addr})
	c.say(`{"a":"Login","p0":"ann","p1":"pw of ann"}`)
	c.await("Ok", func(h *heard) bool { return strings.Contains(h.raw, `"Ok"`) })
	_, _ = os.Stdout.WriteString("inside\n")
	<-c.gone
}

// TestSecretsNotLogged: with every line logged, none holds a password or a token,
// whatever became of the packet that it came in.
func TestSecretsNotLogged(t *testing.T) {
	const password, token = "swordfish-1971", "an-operators-token-42"
	var log lockedBuffer
	cfg, err := parseConfig([]string{"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-admin-token", token, "-db", filepath.Join(t.TempDir(), "t.db"),
		"-hash-memory", "8", "-hash-time", "1", "-log-level", "debug"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg.logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	listening := make(chan string, 1)
	cfg.listening = func(addr string) { listening <- addr }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, cfg) }()
	s := &testServer{addr: <-listening}
	p := connect(t, s)
	for _, packet := range []string{
		`{"a":"Register","p0":"alice","p1":"` + password + `"}`,
		`{"a":"Register","p0":"alice","p1":"` + password + `"}`,
		`{"a":"Register","p0":"","p1":"` + password + `"}`,
		`{"a":"Login","p0":"alice","p1":"` + password + `x"}`,
		`{"a":"Login","p0":"` + password + `"}`,
		`{"a":"Login","p0":"alice","p1":"` + password + `"`,
		`{"a":"` + password + `"}`,
	} {
		p.say("%s", packet)
		p.must()
	}
	_, _, raw := upgradeWith(t, s.addr, "")
	login := `{"a":"Login","p0":"alice","p1":"` + password + `"}`
	_, _ = raw.Write(append([]byte{0x81, 0x80 | byte(len(login)), 0, 0, 0, 0}, login...))
	until(t, "alice is in", func() bool { return s.metric(t, "game_players") == "1" })
	for _, header := range []string{"Authorization: Bearer " + token, "Cookie: token=" + token, "Origin: https://" + token} {
		_, _, _ = upgradeWith(t, s.addr, "", header)
	}
	_, _ = s.get(t, "/?token="+token+"&password="+password)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	text := log.String()
	if !strings.Contains(text, "listening") {
		t.Fatalf("the log is not what is looked at: %q", text)
	}
	for _, secret := range []string{password, token} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
}

// lockedBuffer is a buffer for a log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
