package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestLoginsFromAddress tries one password on many names: the address has to wait.
func TestLoginsFromAddress(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-login-tries", "1")
	p := connect(t, s)
	for i := range addressFactor {
		p.say(`{"a":"Login","p0":"name%d","p1":"guess"}`, i)
		p.awaitDeny("Username or password incorrect")
	}
	p.say(`{"a":"Login","p0":"yet another","p1":"guess"}`)
	p.awaitDeny("Too many attempts, try again in 1 second")
	s.counted(t, `limit_refused_total{limit="logins_from_address"}`, "1")
	s.counted(t, `limit_refused_total{limit="logins_of_account"}`, "0")
	s.counted(t, `gate_denies_total{reason="attempts"}`, "1")
}

// TestHashQueue fills the hash queue, which all addresses share.
func TestHashQueue(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-hash-queue", "1", "-hash-memory", "16384", "-hash-time", "1")
	s.counted(t, "account_queue_capacity", "1")
	var peers []*peer
	for range 12 {
		peers = append(peers, connect(t, s))
	}
	turn := 0
	until(t, "one is refused", func() bool {
		turn++
		busy := 0
		for i, p := range peers {
			p.say(`{"a":"Register","p0":"name%d%c","p1":"password"}`, turn, 'a'+i)
		}
		for _, p := range peers {
			if h := p.must(); h.action == "Deny" && text(h.p0) == "The server is busy, try again in a moment" {
				busy++
			}
		}
		return busy > 0
	})
	if n := s.metric(t, `gate_denies_total{reason="busy"}`); n == "0" || n != s.metric(t, "account_busy_total") {
		t.Errorf("%s denies counted, %s refused", n, s.metric(t, "account_busy_total"))
	}
}

// TestTargetsTooFast walks faster to and fro than -target-rate allows.
func TestTargetsTooFast(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-target-rate", "0.001", "-target-burst", "2")
	ann, _ := enter(t, s, "ann")
	for i := range 5 {
		ann.say(`{"a":"Target","p0":%d,"p1":0}`, 100*i)
	}
	ann.awaitDeny("You are sending targets too fast")
	until(t, "all are looked at", func() bool { return s.metric(t, "game_targets_too_fast_total") == "3" })
	s.counted(t, "game_targets_total", "2")
	s.counted(t, `gate_denies_total{reason="targets_too_fast"}`, "1") // once
}

// TestTLSHandshakesLimited makes more TLS handshakes than an address may.
func TestTLSHandshakesLimited(t *testing.T) {
	t.Parallel()
	files := newPair(t, 1, time.Now().Add(24*time.Hour))
	s := startOffice(t, "-tls-cert", files.cert, "-tls-key", files.key, "-handshake-rate", "0.001", "-handshake-burst", "1")
	for i := range tlsFactor + 1 {
		c, err := tls.Dial("tcp", s.addr, files.client())
		if err == nil {
			_ = c.Close()
		}
		if over := i == tlsFactor; over != (err != nil) || over && !strings.Contains(err.Error(), "internal error") {
			t.Errorf("handshake %d: %v", i+1, err)
		}
	}
	(&testServer{addr: s.admin}).counted(t, `limit_refused_total{limit="tls_handshakes"}`, "1")
}

// TestTLSTooLate: who begins a TLS handshake and does not end it is let go and
// counted, as is who does so with a header over TLS.
func TestTLSTooLate(t *testing.T) {
	t.Parallel()
	files := newPair(t, 1, time.Now().Add(24*time.Hour))
	s := startOffice(t, "-tls-cert", files.cert, "-tls-key", files.key, "-header-time", "300ms")
	silent, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	half, err := tls.Dial("tcp", s.addr, files.client())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(half, "GET / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{silent, half} {
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("it is still there")
		}
		_ = c.Close()
	}
	(&testServer{addr: s.admin}).counted(t, `ws_headers_refused_total{reason="too_late"}`, "2")
}

// TestGreetings: when as many connections are being greeted as may be, one more
// waits until another is done or out of time.
func TestGreetings(t *testing.T) {
	t.Parallel()
	s := startOffice(t, "-trusted-proxies", "127.0.0.1", "-proxy-protocol", "on", "-max-greetings", "1", "-header-time", "1s")
	metrics := &testServer{addr: s.admin}
	silent, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	until(t, "it is being greeted", func() bool { return metrics.metric(t, "ws_greeting") == "1" })
	if resp, text, _ := upgradeWith(t, s.addr, "PROXY TCP4 192.0.2.1 127.0.0.1 5555 443\r\n"); resp == nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("one more: %v %q", resp, text)
	}
	metrics.counted(t, "ws_greetings_full_total", "1")
	metrics.counted(t, `ws_headers_refused_total{reason="too_late"}`, "1")
}

// TestFileLimit: with fewer files than players may be, the start says so, newcomers
// beyond them hear 503 and when to come again, and those inside go on.
func TestFileLimit(t *testing.T) {
	t.Parallel()
	const files = 400
	proc := startBehind(t, []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files)}, filepath.Join(t.TempDir(), "t.db"), "-handshake-rate", "0", "-max-per-ip", "0")
	proc.awaitLog("open files", fmt.Sprint(files))
	s := &testServer{addr: proc.addr}
	ann, _ := enter(t, s, "ann")
	ben, _ := enter(t, s, "ben")
	inside := 2
	for ; inside < files; inside++ {
		resp, text, _ := upgradeWith(t, s.addr, "")
		if resp == nil {
			t.Fatalf("no answer with %d inside", inside)
		}
		if resp.StatusCode != http.StatusSwitchingProtocols {
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
				t.Errorf("%d %q, Retry-After %q; want 503", resp.StatusCode, text, resp.Header.Get("Retry-After"))
			}
			break
		}
	}
	if inside < files/4 || inside > files-64 {
		t.Errorf("%d are inside with %d files", inside, files)
	}
	if n := s.metric(t, `ws_refused_total{reason="full"}`); n != "1" {
		t.Errorf("%s counted as refused", n)
	}
	ann.say(`{"a":"Chat","p0":"","p1":"all well"}`)
	ben.awaitChat("ann: all well")
}

// TestMetricsDoor: the game's port tells its numbers to those whom -metrics names.
func TestMetricsDoor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		args   []string
		header string
		want   int
	}{
		{"this machine", nil, "", http.StatusOK},
		{"nobody", []string{"-metrics", ""}, "", http.StatusForbidden},
		{"others only", []string{"-metrics", "192.0.2.0/24"}, "", http.StatusForbidden},
		{"through a proxy that nobody trusts", nil, "X-Forwarded-For: 127.0.0.1", http.StatusForbidden},
		{"through one in the newer words", nil, "Forwarded: for=127.0.0.1", http.StatusForbidden},
		{"a player through a trusted proxy", []string{"-trusted-proxies", "127.0.0.1"}, "X-Forwarded-For: 203.0.113.9", http.StatusForbidden},
		{"the operator through it", []string{"-trusted-proxies", "127.0.0.1", "-metrics", "203.0.113.9"}, "X-Forwarded-For: 203.0.113.9", http.StatusOK},
		{"somebody who claims to be", []string{"-trusted-proxies", "127.0.0.1", "-metrics", "203.0.113.9"}, "X-Forwarded-For: 203.0.113.9, 198.51.100.1", http.StatusForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t, c.args...)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/metrics", nil)
			if err != nil {
				t.Fatal(err)
			}
			if name, value, ok := strings.Cut(c.header, ": "); ok {
				req.Header.Set(name, value)
			}
			resp, err := webClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			page, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.want || strings.Contains(string(page), "game_players") != (c.want == http.StatusOK) {
				t.Errorf("%d, want %d: %.80q", resp.StatusCode, c.want, page)
			}
		})
	}
}

// TestLimitsPage: every row of LIMITS.md names flags, counters and tests that there
// are, or says why there is none.
func TestLimitsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("LIMITS.md")
	if err != nil {
		t.Fatal(err)
	}
	s := startOffice(t)
	_, metrics := (&testServer{addr: s.admin}).get(t, "/metrics")
	tests := ""
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "../game/*_test.go", "../game/*/*_test.go"} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			tests += string(source)
		}
	}
	help, err := parseConfig(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`[^`]+`")
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 6 || strings.HasPrefix(cells[0], " limit") || strings.HasPrefix(cells[0], " ---") {
			continue
		}
		rows++
		limit, flags, counters, named := strings.TrimSpace(cells[0]), quoted.FindAllString(cells[2], -1), quoted.FindAllString(cells[4], -1), quoted.FindAllString(cells[5], -1)
		if len(flags) == 0 && !strings.Contains(cells[2], "fixed: ") {
			t.Errorf("%s: no flag, and no reason", limit)
		}
		for _, flag := range flags {
			if _, ok := help.values[strings.Trim(flag, "`-")]; !ok {
				t.Errorf("%s: there is no flag %s", limit, flag)
			}
		}
		if len(counters) == 0 {
			t.Errorf("%s: no counter", limit)
		}
		for _, counter := range counters {
			if !strings.Contains(metrics, "\n"+strings.Trim(counter, "`")+" ") {
				t.Errorf("%s: there is no metric %s", limit, counter)
			}
		}
		if len(named) == 0 {
			t.Errorf("%s: no test", limit)
		}
		for _, name := range named {
			if !strings.Contains(tests, "func "+strings.Trim(name, "`")+"(") {
				t.Errorf("%s: there is no test %s", limit, name)
			}
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows are read", rows)
	}
}
