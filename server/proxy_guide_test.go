package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The players of these tests, each at an address of its own; the proxies reach
// the server from 127.0.0.1.
const annAt, bobAt, eveAt = "127.0.0.2", "127.0.0.3", "127.0.0.4"

// guideBlocks returns the blocks of commands and settings below a heading of the
// proxies' guide, so that what the guide says is what is tried.
func guideBlocks(t testing.TB, heading string) []string {
	t.Helper()
	page, err := os.ReadFile("guides/proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("the guide has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var blocks []string
	for _, part := range regexp.MustCompile(`(?m)^(    .*\n|\n)+`).FindAllString(section, -1) {
		if block := regexp.MustCompile(`(?m)^    `).ReplaceAllString(part, ""); strings.TrimSpace(block) != "" {
			blocks = append(blocks, strings.Trim(block, "\n")+"\n")
		}
	}
	return blocks
}

// guideRow returns the row of the guide's last table that tells to look at something.
func guideRow(t testing.TB, at string) string {
	t.Helper()
	page, err := os.ReadFile("guides/proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, at) {
			return line
		}
	}
	t.Fatalf("no row of the guide tells to look at %s", at)
	return ""
}

// adapt puts what is particular to a test in the place of what is particular to
// the guide's reader, in pairs. Each must be there.
func adapt(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the guide no longer says %q:\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// startGuided starts the server with the settings that the guide gives it, and
// with room for two connections from an address.
func startGuided(t testing.TB) *officeServer {
	t.Helper()
	args := []string{"-max-per-ip", "2", "-handshake-rate", "0"}
	for line := range strings.Lines(guideBlocks(t, "1. Let only the proxy in")[0]) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		flag := "-" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "TAVERN_")), "_", "-")
		if flag == "-addr" {
			value = adapt(t, value, ":8081", ":0")
		}
		args = append(args, flag, value)
	}
	return startOffice(t, args...)
}

// TestProxyGuide runs nginx and Caddy with what the guide says, and players come
// through them: they talk, they are told apart whatever they claim, they hear
// what refusals say, and a reload does to them what the guide says.
func TestProxyGuide(t *testing.T) {
	for _, c := range []struct {
		name    string
		start   func(testing.TB, string) *proxy
		metrics map[string]int // statuses of /metrics, by who asks
		reload  func(*proxy)
		stays   bool // a player, when the proxy reloads
	}{
		{"nginx", startNginx, map[string]int{annAt: 403, "127.0.0.1": 200}, (*proxy).reloadNginx, true},
		{"Caddy", startCaddy, map[string]int{annAt: 404, "127.0.0.1": 404}, (*proxy).reloadCaddy, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startGuided(t)
			p := c.start(t, s.addr)
			if status, text := p.get(annAt, "/readyz"); status != 200 || text != "ready\n" {
				t.Errorf("/readyz: %d %q", status, text)
			}
			ann, bob := p.enter(annAt, "ann"), p.enter(bobAt, "bob")
			ann.say(`{"a":"Chat","p0":"ann","p1":"hear"}`)
			bob.awaitChat("ann: hear")

			p.expectToldApart()
			p.expectOrigins()
			p.expectNumbersKept(c.metrics)

			c.reload(p)
			if c.stays {
				ann.say(`{"a":"Chat","p0":"ann","p1":"still here"}`)
				bob.awaitChat("ann: still here")
			} else {
				ann.ended()
				bob.ended()
				p.enter(eveAt, "eve")
			}

			s.api("ban", `{"address":"`+annAt+`","reason":"enough"}`)
			if c.stays {
				ann.expectExpelled("You are banned for good: enough")
			}
			for path, upgrade := range map[string]bool{"/": false, "/game": true} {
				if status, text := p.ask(annAt, path, upgrade); status != 403 || !strings.Contains(text, "enough") {
					t.Errorf("a banned address at %s: %d %q", path, status, text)
				}
			}
			if status, _ := p.get(bobAt, "/"); status != 200 {
				t.Errorf("another address: %d", status)
			}
			s.stop()
			if status, _ := p.get(bobAt, "/"); status != http.StatusBadGateway {
				t.Errorf("without a server: %d", status)
			}
		})
	}
}

// expectToldApart: the limit of connections counts the player, and no header of
// its own makes another of it. One of ann's two connections is hers already.
func (p *proxy) expectToldApart() {
	p.t.Helper()
	claims := []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 198.51.100.8", "Forwarded: for=198.51.100.9"}
	second := p.dial(annAt, nil)
	for _, claim := range append(claims, "X-Nothing: 1") {
		status, text := p.ask(annAt, "/", true, claim)
		if status != http.StatusServiceUnavailable || text != "Too many connections from your address\n" {
			p.t.Errorf("a third connection with %q: %d %q", claim, status, text)
		}
	}
	if status, text := p.ask(bobAt, "/", true); status != http.StatusSwitchingProtocols {
		p.t.Errorf("another player: %d %q", status, text)
	}
	_ = second.ws.CloseNow()
}

// expectOrigins: the host's name passes the proxy, so the server knows its own pages.
func (p *proxy) expectOrigins() {
	p.t.Helper()
	if status, text := p.ask(eveAt, "/", true, "Origin: https://evil.example"); status != http.StatusForbidden || text != "Pages of this origin may not connect.\n" {
		p.t.Errorf("a stranger's page: %d %q", status, text)
	}
	if status, text := p.ask(eveAt, "/", true, "Origin: https://game.example"); status != http.StatusSwitchingProtocols {
		p.t.Errorf("a page of ours: %d %q", status, text)
	}
}

// expectNumbersKept: no spelling of /metrics gives the numbers to a stranger.
func (p *proxy) expectNumbersKept(want map[string]int) {
	p.t.Helper()
	for from, status := range want {
		if got, _ := p.get(from, "/metrics"); got != status {
			p.t.Errorf("/metrics for %s: %d, want %d", from, got, status)
		}
	}
	for _, path := range []string{"/metrics", "/metrics/", "//metrics", "/%6detrics", "/./metrics", "/x/../metrics", "/metrics?x", "/METRICS", "/metrics;x"} {
		if status, text := p.get(annAt, path); strings.Contains(text, "game_players") {
			p.t.Errorf("%s: %d and the numbers", path, status)
		}
	}
}

// TestProxyGuideTable makes nginx wrong in the ways of the guide's last table, and
// sees that one hears what the table says.
func TestProxyGuideTable(t *testing.T) {
	s := startGuided(t)
	for _, c := range []struct {
		name, without, header string
		status                int
		text                  string
		row, says             string
	}{
		{"Upgrade", "proxy_set_header Upgrade $http_upgrade;", "", 200, "<!doctype html>", "Upgrade $http_upgrade", "`200`"},
		{"Connection", "proxy_set_header Connection $connection_upgrade;", "", 400, "The header Connection: Upgrade is missing.\n", "Connection $connection_upgrade", "`400`"},
		{"version", "proxy_http_version 1.1;", "", 400, "A WebSocket handshake needs HTTP/1.1.\n", "`proxy_http_version 1.1`", "`400`"},
		{"Host", "proxy_set_header Host $http_host;", "Origin: https://game.example", 403, "Pages of this origin may not connect.\n", "Host $http_host", "`403`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := startNginxWith(t, s.addr, c.without, "")
			status, text := p.ask(annAt, "/", true, c.header)
			if status != c.status || !strings.HasPrefix(strings.ToLower(text), strings.ToLower(c.text)) {
				t.Errorf("%d %q, want %d %q", status, text, c.status, c.text)
			}
			if row := guideRow(t, c.row); !strings.Contains(row, c.says) {
				t.Errorf("of %s the guide says %s", c.row, row)
			}
		})
	}
}

// TestProxyQuiet: nginx cuts whom it hears nothing from, as the guide's table says.
func TestProxyQuiet(t *testing.T) {
	t.Parallel()
	s := startGuided(t)
	if row := guideRow(t, "`proxy_read_timeout 5m`"); !strings.Contains(row, "quiet drops") {
		t.Errorf("the guide says %s", row)
	}
	p := startNginxWith(t, s.addr, "proxy_read_timeout 5m;", "proxy_read_timeout 500ms;")
	if code := p.dial(annAt, nil).ended(); code != -1 {
		t.Errorf("a quiet player is closed with %d", code)
	}
}

// TestProxyPing: a ping comes through before nginx's own minute of silence is over.
func TestProxyPing(t *testing.T) {
	takesLong(t)
	t.Parallel()
	s := startGuided(t)
	p := startNginxWith(t, s.addr, "proxy_read_timeout 5m;", "", "proxy_send_timeout 5m;", "")
	pinged := make(chan struct{}, 1)
	from := time.Now()
	quiet := p.dial(annAt, func() { pinged <- struct{}{} })
	select {
	case <-pinged:
		t.Logf("after %v", time.Since(from))
	case <-quiet.gone:
		t.Errorf("nginx cuts a quiet player after %v", time.Since(from))
	}
}
