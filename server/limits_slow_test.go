package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
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
// and holds up nobody. With TAVERN_BIG=1 it is a byte per second.
func TestSlowSender(t *testing.T) {
	pace := 10 * time.Millisecond
	if os.Getenv("TAVERN_BIG") != "" {
		pace = time.Second
	}
	s := startServer(t, "-chat-rate", "0")
	ann, _ := enter(t, s, "ann")
	bob, _ := enter(t, s, "bob")
	_, _, slow := upgradeWith(t, s.addr, "")
	packet := `{"a":"Chat","p0":"slow"}`
	frame := append([]byte{0x81, 0x80 | byte(len(packet)), 0, 0, 0, 0}, packet...)
	_ = slow.SetDeadline(time.Now().Add(2 * time.Minute))
	tick, start, worst := time.NewTicker(pace), time.Now(), time.Duration(0)
	defer tick.Stop()
	for i := range frame {
		<-tick.C
		if _, err := slow.Write(frame[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			said := time.Now()
			ann.say(`{"a":"Chat","p0":"","p1":"line %d"}`, i)
			bob.awaitChat(fmt.Sprint("ann: line ", i))
			worst = max(worst, time.Since(said))
		}
	}
	bob.awaitChat("guest-1: slow")
	t.Logf("%d bytes in %v; meanwhile a chat took %v at most", len(frame), time.Since(start).Round(time.Millisecond), worst.Round(time.Millisecond))
}

// TestSlowReaders: one who reads a byte a second and one who never reads are let go
// when they are too far behind, and others hear everything all the while.
func TestSlowReaders(t *testing.T) {
	const lag, each, most = 65536, 20, 4000 // chats
	s := startServer(t, "-chat-rate", "0", "-max-lag", fmt.Sprint(lag), "-max-blocked", "10s", "-guests", "on-connect")
	ann, _ := enter(t, s, "ann")
	bob, _ := enter(t, s, "bob")
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
	said, start, worst := 0, time.Now(), time.Duration(0)
	for s.metric(t, "ws_slow_consumer_total") != "2" {
		if said >= most {
			t.Fatalf("%s of 2 slow consumers are gone after %d chats", s.metric(t, "ws_slow_consumer_total"), said)
		}
		began := time.Now()
		for range each {
			said++
			ann.say(`{"a":"Chat","p0":"","p1":"%d %s"}`, said, line)
		}
		for i := said - each + 1; i <= said; i++ { // all of them, in order
			if h := bob.await("a chat", func(h *heard) bool { return h.chat() != "" }); h.chat() != fmt.Sprintf("ann: %d %s", i, line) {
				t.Fatalf("bob hears %.20q, want line %d", h.chat(), i)
			}
		}
		worst = max(worst, time.Since(began))
	}
	if n := s.metric(t, "game_guests"); n != "0" {
		until(t, "the slow ones have left the world", func() bool { return s.metric(t, "game_guests") == "0" })
	}
	t.Logf("both were let go after %v and %d KiB of chats; %d chats took %v at most", time.Since(start).Round(time.Millisecond), said*len(line)>>10, each, worst.Round(time.Millisecond))
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
	ann.login("ann")
	t.Logf("her account is in use again after %v", time.Since(start).Round(time.Second))
}

// TestHalfOpenClient is TestHalfOpen's other process: it logs in and waits.
func TestHalfOpenClient(t *testing.T) {
	addr := os.Getenv("TAVERN_HALF_OPEN")
	if addr == "" {
		t.Skip("part of TestHalfOpen")
	}
	c := connect(t, &testServer{addr: addr})
	c.login("ann")
	_, _ = os.Stdout.WriteString("inside\n")
	<-c.gone
}

// TestSilentPeers: whose process hangs while its machine still answers for it is
// found by the pings: a direct peer after two minutes of silence and 45 s more, one
// behind a trusted proxy, whose machine always answers, after 45 s and 45 s. Each
// stripe of the sweep adds up to 15 s. Then their accounts are free.
func TestSilentPeers(t *testing.T) {
	takesLong(t)
	s := startServer(t, "-trusted-proxies", "127.0.0.2")
	var all sync.WaitGroup
	var owners []*peer
	for _, c := range []struct {
		name, from  string
		ping, close time.Duration
	}{
		{"direct", "127.0.0.3", 120 * time.Second, 165 * time.Second},
		{"proxied", "127.0.0.2", 45 * time.Second, 90 * time.Second},
	} {
		owner := connect(t, s)
		owner.register(c.name)
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(c.from)}}
		silent, err := dialer.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		_ = silent.SetDeadline(time.Now().Add(4 * time.Minute))
		login := fmt.Sprintf(`{"a":"Login","p0":%q,"p1":"pw of %s"}`, c.name, c.name)
		_, _ = io.WriteString(silent, strings.TrimSuffix(handshake, "\r\n")+"X-Forwarded-For: 203.0.113.9\r\n\r\n")
		_, _ = silent.Write(append([]byte{0x81, 0x80 | byte(len(login)), 0, 0, 0, 0}, login...))
		start, r := time.Now(), bufio.NewReader(silent)
		all.Go(func() {
			const stripes = 17 * time.Second // and a second each for clock and sweep
			if _, err := http.ReadResponse(r, nil); err != nil {
				t.Errorf("%s: %v", c.name, err)
				return
			}
			pinged := false
			for {
				first, payload, err := readFrame(r)
				took := time.Since(start)
				switch {
				case err != nil:
					t.Errorf("%s: %v after %v", c.name, err, took)
					return
				case first == 0x89 && !pinged:
					pinged = true
					t.Logf("%s: pinged after %v", c.name, took.Round(time.Second))
					if took < c.ping-time.Second || took > c.ping+stripes {
						t.Errorf("%s: pinged after %v, want %v", c.name, took, c.ping)
					}
				case first == 0x88:
					t.Logf("%s: closed after %v", c.name, took.Round(time.Second))
					if took < c.close-time.Second || took > c.close+stripes || !pinged || len(payload) < 2 || int(payload[0])<<8|int(payload[1]) != 1001 {
						t.Errorf("%s: closed with %x after %v, want 1001 after %v", c.name, payload, took, c.close)
					}
					return
				}
			}
		})
		owners = append(owners, owner)
	}
	all.Wait()
	until(t, "both have left", func() bool { return s.metric(t, "game_players") == "0" })
	owners[0].login("direct")
	owners[1].login("proxied")
}

// readFrame reads a frame of the server's: its first byte and its payload.
func readFrame(r *bufio.Reader) (first byte, payload []byte, err error) {
	var head [4]byte
	if _, err = io.ReadFull(r, head[:2]); err != nil {
		return 0, nil, err
	}
	length := int(head[1])
	if length == 126 {
		if _, err = io.ReadFull(r, head[2:]); err != nil {
			return 0, nil, err
		}
		length = int(head[2])<<8 | int(head[3])
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r, payload)
	return head[0], payload, err
}
