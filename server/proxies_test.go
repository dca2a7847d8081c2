package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestClientAddress: X-Forwarded-For counts from trusted peers only, and from the
// right only as far as it is trusted.
func TestClientAddress(t *testing.T) {
	var trusted prefixes
	if err := trusted.Set("10.0.0.0/8, 2001:db8:1::/48 192.0.2.7"); err != nil {
		t.Fatal(err)
	}
	if got := trusted.String(); got != "10.0.0.0/8,2001:db8:1::/48,192.0.2.7/32" {
		t.Errorf("it prints as %q", got)
	}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
		proxied    bool
	}{
		{"no proxy", "198.51.100.1:1", nil, "198.51.100.1", false},
		{"a stranger's claim", "198.51.100.1:1", []string{"203.0.113.9"}, "198.51.100.1", false},
		{"a proxy's word", "10.1.2.3:1", []string{"203.0.113.9"}, "203.0.113.9", true},
		{"a proxy without a word", "10.1.2.3:1", nil, "10.1.2.3", true},
		{"a single trusted address", "192.0.2.7:1", []string{"203.0.113.9"}, "203.0.113.9", true},
		{"what a client wrote before", "10.1.2.3:1", []string{"8.8.8.8, 203.0.113.9"}, "203.0.113.9", true},
		{"two proxies", "10.1.2.3:1", []string{"8.8.8.8, 203.0.113.9, 10.9.9.9"}, "203.0.113.9", true},
		{"several lines", "10.1.2.3:1", []string{"8.8.8.8", "203.0.113.9", "10.9.9.9"}, "203.0.113.9", true},
		{"proxies only", "10.1.2.3:1", []string{"10.4.4.4, 10.9.9.9"}, "10.4.4.4", true},
		{"IPv6", "[2001:db8:1::5]:1", []string{"2001:db8:9::1"}, "2001:db8:9::1", true},
		{"IPv6 in brackets with a port", "[2001:db8:1::5]:1", []string{"[2001:db8:9::1]:443"}, "2001:db8:9::1", true},
		{"with a port", "10.1.2.3:1", []string{"203.0.113.9:5555"}, "203.0.113.9", true},
		{"mapped", "[::ffff:10.1.2.3]:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9", true},
		{"rubbish at the right", "10.1.2.3:1", []string{"203.0.113.9, unknown"}, "10.1.2.3", true},
		{"rubbish behind a proxy", "10.1.2.3:1", []string{"unknown, 10.9.9.9"}, "10.9.9.9", true},
		{"empty", "10.1.2.3:1", []string{""}, "10.1.2.3", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
			addr, proxied, err := trusted.client(r)
			if err != nil || addr.String() != c.want || proxied != c.proxied {
				t.Errorf("%v, proxied %v, %v; want %s, %v", addr, proxied, err, c.want, c.proxied)
			}
		})
	}
}

// TestOrigins: a browser's page must be the server's own or listed.
func TestOrigins(t *testing.T) {
	const listed = "https://example.org,https://*.example.net,http://localhost:8000"
	for _, c := range []struct {
		list, origin string
		want         bool
	}{
		{"", "", true},
		{"", "https://play.example.com", true},
		{"", "https://PLAY.example.com", true},
		{"", "https://evil.example", false},
		{"", "null", false},
		{listed, "https://example.org", true},
		{listed, "https://EXAMPLE.org", true},
		{listed, "http://example.org", false},
		{listed, "https://example.org:444", false},
		{listed, "https://www.example.org", false},
		{listed, "https://a.example.net", true},
		{listed, "https://a.b.example.net", true},
		{listed, "https://example.net", false},
		{listed, "https://evilexample.net", false},
		{listed, "https://a.example.net.evil.example", false},
		{listed, "http://localhost:8000", true},
		{listed, "http://localhost", false},
		{listed, "https://play.example.com", true},
		{"*", "https://evil.example", true},
		{"*", "null", true},
	} {
		var o originList
		if err := o.Set(c.list); err != nil {
			t.Fatal(err)
		}
		if o.String() != c.list {
			t.Errorf("%q prints as %q", c.list, o.String())
		}
		r := &http.Request{Host: "play.example.com", Header: http.Header{}}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if got := o.allow(r); got != c.want {
			t.Errorf("list %q, origin %q: %v", c.list, c.origin, got)
		}
		r.Header["Origin"] = []string{c.origin, "https://example.org"}
		if o.allow(r) {
			t.Errorf("list %q: two origins are allowed", c.list)
		}
	}
}

// upgradeWith sends a handshake over a new connection, with bytes before it and
// header lines in it, and returns the answer and the connection.
func upgradeWith(t testing.TB, addr, before string, lines ...string) (*http.Response, string, net.Conn) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = fmt.Fprintf(c, "%sGET / HTTP/1.1\r\nHost: play.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", before, strings.Join(append(lines, ""), "\r\n"))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil, "", c
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, "", c
	}
	text, _ := io.ReadAll(resp.Body)
	return resp, string(text), c
}

// TestOriginRefused: a page of a stranger hears a sentence, and is counted.
func TestOriginRefused(t *testing.T) {
	s := startServer(t, "-origins", "https://friend.example")
	resp, text, _ := upgradeWith(t, s.addr, "", "Origin: https://evil.example")
	if resp.StatusCode != http.StatusForbidden || !strings.Contains(text, "may not connect") {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
	for _, origin := range []string{"https://friend.example", "https://play.example.com"} {
		if resp, text, _ := upgradeWith(t, s.addr, "", "Origin: "+origin); resp.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("%s: %d %q", origin, resp.StatusCode, text)
		}
	}
	if n := s.metric(t, `ws_refused_total{reason="origin"}`); n != "1" {
		t.Errorf("%s refused", n)
	}
	if resp, _, _ := upgradeWith(t, s.addr, ""); resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("who has no origin: %d", resp.StatusCode)
	}
}

// TestProxies: behind proxies, limits count the player and not the proxy, by
// either way of telling; and nobody else may tell.
func TestProxies(t *testing.T) {
	const v2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02%c\x7f\x00\x00\x01\x15\xb3\x01\xbb" // 192.0.2.%c
	for _, c := range []struct {
		name string
		args []string
		from func(player byte) (before string, lines []string)
	}{
		{"X-Forwarded-For", []string{"-trusted-proxies", "127.0.0.1"},
			func(p byte) (string, []string) { return "", []string{fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", p)} }},
		{"version 1", []string{"-trusted-proxies", "127.0.0.0/8", "-proxy-protocol", "on"},
			func(p byte) (string, []string) {
				return fmt.Sprintf("PROXY TCP4 192.0.2.%d 127.0.0.1 5555 443\r\n", p), nil
			}},
		{"version 2", []string{"-trusted-proxies", "127.0.0.0/8", "-proxy-protocol", "on"},
			func(p byte) (string, []string) { return strings.Replace(v2, "%c", string([]byte{p}), 1), nil }},
		{"version 1 and a claim of the player's", []string{"-trusted-proxies", "127.0.0.0/8", "-proxy-protocol", "on"},
			func(p byte) (string, []string) {
				return fmt.Sprintf("PROXY TCP4 192.0.2.%d 127.0.0.1 5555 443\r\n", p), []string{"X-Forwarded-For: 203.0.113.1"}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t, append(c.args, "-max-per-ip", "2")...)
			for player, want := range []int{101, 101, 503} {
				before, lines := c.from(1)
				resp, text, _ := upgradeWith(t, s.addr, before, lines...)
				if resp == nil || resp.StatusCode != want {
					t.Errorf("connection %d of one player: %v %q, want %d", player+1, resp, text, want)
				}
			}
			before, lines := c.from(2)
			if resp, text, _ := upgradeWith(t, s.addr, before, lines...); resp == nil || resp.StatusCode != 101 {
				t.Errorf("another player: %v %q", resp, text)
			}
		})
	}
	t.Run("a header is missing", func(t *testing.T) {
		s := startServer(t, "-trusted-proxies", "127.0.0.1", "-proxy-protocol", "on")
		if resp, _, _ := upgradeWith(t, s.addr, ""); resp != nil {
			t.Errorf("%d", resp.StatusCode)
		}
	})
	t.Run("a header of a stranger's", func(t *testing.T) {
		s := startServer(t, "-trusted-proxies", "10.0.0.1", "-proxy-protocol", "on")
		if resp, _, _ := upgradeWith(t, s.addr, "PROXY TCP4 192.0.2.1 127.0.0.1 5555 443\r\n"); resp == nil || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%v", resp)
		}
	})
}

// TestUpgradeList: who offers more protocols than ours is upgraded all the same, and
// who has it wrong hears so, not a page.
func TestUpgradeList(t *testing.T) {
	s := startServer(t)
	for _, c := range []struct {
		upgrade string
		status  int
	}{
		{"websocket", http.StatusSwitchingProtocols},
		{"h2c, WebSocket", http.StatusSwitchingProtocols},
		{"websocket/13", http.StatusBadRequest},
		{"h2c", http.StatusOK},
	} {
		r := strings.NewReplacer("Upgrade: websocket", "Upgrade: "+c.upgrade).Replace(handshake)
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(conn, r)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("Upgrade: %s: %v, %v, want %d", c.upgrade, resp, err, c.status)
		}
		_ = conn.Close()
	}
}
