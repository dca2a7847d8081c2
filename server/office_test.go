package main

import (
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDashboard: every metric that the Grafana dashboard shows is there.
func TestDashboard(t *testing.T) {
	t.Parallel()
	s := startOffice(t)
	p := connect(t, s.testServer)
	p.say(`{`)
	p.await("a Deny", func(h *heard) bool { return h.action == "Deny" })
	_, page := s.get(t, "/metrics")
	there := make(map[string]bool)
	for line := range strings.Lines(page) {
		if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); name != "" {
			there[name] = true
		}
	}

	file, err := os.ReadFile("grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(file, &dashboard); err != nil {
		t.Fatal(err)
	}
	ids := make(map[int]bool)
	shown := make(map[string]bool)
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] {
			t.Errorf("two panels have the ID %d", panel.ID)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			names := regexp.MustCompile(`([a-z_]+)\{`).FindAllStringSubmatch(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s: no metric in %q", panel.Title, target.Expr)
			}
			for _, name := range names {
				shown[name[1]] = true
				if !there[name[1]] {
					t.Errorf("%s: there is no metric %s", panel.Title, name[1])
				}
			}
		}
	}
	// And what we count is shown, so that nobody forgets a new metric.
	for name := range there {
		name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		ours := regexp.MustCompile(`^(account|admin|codec|game|gate|moderation|stream|tavern|ws)_`).MatchString(name)
		if ours && !shown[name] && !shown[name+"_bucket"] && !shown[name+"_sum"] && !slices.Contains(notShown, name) {
			t.Errorf("%s is on no panel", name)
		}
	}
}

// notShown are metrics that the dashboard leaves out on purpose: others say the same.
var notShown = []string{
	"game_ticks_total", "stream_bytes_total", "gate_flooding_total", "account_rehashed_total", "moderation_commands_full_total",
	"ws_slow_consumer_total", "ws_silent_total", "ws_tls_faults_total", "ws_backlog_full_total", "ws_panics_total", // gate_closes_total
}

// TestMetricsOfOperators reads what is new when somebody looks after the world.
func TestMetricsOfOperators(t *testing.T) {
	t.Parallel()
	s := startOffice(t)
	enter(t, s.testServer, "bob")
	s.api("announce", `{"text":"hear"}`)
	s.api("kick", `{"name":"bob"}`)
	enter(t, s.testServer, "carol")
	s.api("ban", `{"name":"carol"}`)
	for series, want := range map[string]string{
		`moderation_actions_total{action="announce"}`: "1",
		`moderation_actions_total{action="kick"}`:     "1",
		`moderation_actions_total{action="ban"}`:      "1",
		`gate_closes_total{reason="kicked"}`:          "1",
		`gate_closes_total{reason="banned"}`:          "1",
		`gate_closes_total{reason="shutdown"}`:        "0",
		"account_saver_failing":                       "0",
		"account_hash_seconds_count":                  "4", // registration and login of two
		"stream_lag_bytes":                            "0",
		"gate_turned_away_total":                      "0",
	} {
		if got := s.metric(t, series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
	_, page := s.get(t, "/metrics")
	if !regexp.MustCompile(`tavern_build_info\{commit="[^"]+",go="go[^"]+",version="devel"\} 1\n`).MatchString(page) {
		t.Error("there is no tavern_build_info")
	}
}

// TestReadiness: 200 while all is well, 503 while nobody should be sent here.
func TestReadiness(t *testing.T) {
	t.Parallel()
	s := startOffice(t)
	for _, addr := range []string{s.addr, s.admin} {
		if status, body := (&testServer{addr: addr}).get(t, "/readyz"); status != 200 || body != "ready\n" {
			t.Errorf("%s: %d %q", addr, status, body)
		}
	}
	h := &health{accounts: openStore(t, s.db)}
	if why := h.unready(); why != "" {
		t.Errorf("unready: %s", why)
	}
	h.closing.Store(true)
	if why := h.unready(); why != "shutting down" {
		t.Errorf("while shutting down: %q", why)
	}
}

// TestOfficeAddress: a default address that is taken costs the page, one that was
// asked for the start.
func TestOfficeAddress(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg, err := parseConfig([]string{"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "t.db"), "-admin", taken.Addr().String()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.logger = slog.New(slog.DiscardHandler)
	if err := run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "operator's page") {
		t.Errorf("on an address that is taken: %v", err)
	}
	cfg.given = nil
	cfg.listening = func(string) { t.Error("listens") }
	office, err := openOffice(t.Context(), cfg, cfg.logger, pageConfigOfNobody, nil)
	if err != nil || office.admin != nil {
		t.Errorf("on a default address that is taken: %v", err)
	}
	office.close()
}

// TestFirstStart: the log shows the token once, and it opens the page.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "tavern.db")
	token := func(p *process) (token, address string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, line := range p.log {
			var l struct{ Msg, Token, Address string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if l.Token != "" {
				token = l.Token
			}
			if l.Msg == "operator's page" {
				address = l.Address
			}
		}
		return token, address
	}
	p := startProcess(t, db, "-admin", "127.0.0.1:0")
	first, address := token(p)
	if len(first) < 40 {
		t.Fatalf("the token is %q", first)
	}
	if out := mustRun(t, "status", "-admin", address, "-token", first); !strings.Contains(out, "connections") {
		t.Errorf("status: %s", out)
	}
	p.signal(os.Interrupt)
	p.exit()
	p = startProcess(t, db, "-admin", "127.0.0.1:0")
	again, address := token(p)
	if again != "" {
		t.Error("the log shows a token at the second start")
	}
	mustRun(t, "status", "-admin", address, "-token", first)

	fresh := strings.TrimSpace(mustRun(t, "admin-token", "-db", db)) // while it runs
	mustRun(t, "status", "-admin", address, "-token", fresh)
	if out, err := runCommand("status", "-admin", address, "-token", first); err == nil || !strings.Contains(err.Error(), "token is wrong") {
		t.Errorf("the old token: %v %s", err, out)
	}
	if _, err := runCommand("admin-token", "-db", db+".nowhere"); err == nil {
		t.Error("a token was made for a database that is not there")
	}
	p.signal(os.Interrupt)
	if status := p.exit(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestOperatorsCommands runs every command against a running server.
func TestOperatorsCommands(t *testing.T) {
	t.Parallel()
	s := startOffice(t)
	bob, _ := enter(t, s.testServer, "bob")
	red, _ := enter(t, s.testServer, "Red Baron")
	for _, c := range []struct {
		says string
		args []string
	}{
		{"players      2\n", []string{"status"}},
		{`"max_players": 20000`, []string{"status", "-json"}},
		{"Red Baron  127.0.0.1  " + time.Now().Format("2006-01-02"), []string{"players"}},
		{"NAME  ADDRESS", []string{"players", "nobody", "of", "that", "name"}},
		{"Red Baron is muted for 2 days.", []string{"mute", "red baron", "2d", "too", "loud"}},
		{"bob is muted for 10 minutes.", []string{"mute", "bob", "10"}},
		{"too loud", []string{"mutes"}},
		{"Red Baron may talk again.", []string{"unmute", "Red", "Baron"}},
		{"Everybody was told.", []string{"announce", "good", "-json=false", "evening"}},
		{"bob is a moderator now.", []string{"moderator", "bob"}},
		{"bob   moderator", []string{"moderators"}},
		{"bob is no moderator any more.", []string{"moderator", "-remove", "bob"}},
		{"bob was kicked.", []string{"kick", "bob", "--", "-v", "please"}},
		{"Red Baron is banned until ", []string{"ban", "Red Baron", "-for", "7d", "selling", "gold"}},
		{"198.51.100.7 is banned for good.", []string{"ban", "198.51.100.7"}},
		{"2001:db8::/64 is banned for good.", []string{"ban", "2001:db8::1"}},
		{"selling gold", []string{"bans"}},
		{"for good", []string{"bans"}},
		{"198.51.100.7 is no longer banned.", []string{"unban", "198.51.100.7"}},
		{"Red Baron is no longer banned.", []string{"unban", "Red", "Baron"}},
		{"command  unban", []string{"audit", "-limit", "3"}},
		{`"via": "command"`, []string{"audit", "-json"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			out := mustRun(t, slices.Concat(c.args[:1], []string{"-admin", s.admin, "-token", officeToken}, c.args[1:])...)
			if !strings.Contains(out, c.says) {
				t.Errorf("it prints %q, want %q", out, c.says)
			}
		})
	}
	bob.awaitChat("[Server]: good evening")
	bob.expectExpelled("You were kicked: -v please")
	if _, reason := red.closedBy(); !strings.HasPrefix(reason, "You are banned until ") || !strings.HasSuffix(reason, " UTC: selling gold") {
		t.Errorf("the Red Baron is closed with %q", reason)
	}

	for _, c := range []struct {
		says string
		args []string
	}{
		{"a name is missing", []string{"kick"}},
		{"a duration is missing", []string{"mute", "bob"}},
		{"no duration", []string{"mute", "bob", "soon"}},
		{`Nobody is called "xyz"`, []string{"kick", "xyz"}},
		{`Nobody is called "192.0.2.1"`, []string{"ban", "-name", "192.0.2.1"}},
		{"limit must be", []string{"players", "-limit", "9999"}},
		{"flag provided but not defined", []string{"kick", "-x", "bob"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			out, err := runCommand(slices.Concat(c.args[:1], []string{"-admin", s.admin, "-token", officeToken}, c.args[1:])...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q, %v, want %q", out, err, c.says)
			}
		})
	}
	if _, err := runCommand("status", "-admin", s.addr, "-token", officeToken); err == nil || !strings.Contains(err.Error(), "not the operator's page") {
		t.Errorf("the players' port: %v", err)
	}
	if _, err := runCommand("status", "-admin", "127.0.0.1:1", "-token", officeToken); err == nil || !strings.Contains(err.Error(), "no server answers") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestTokenFromTheEnvironment: nobody need type it where others see it.
func TestTokenFromTheEnvironment(t *testing.T) {
	s := startOffice(t)
	if _, err := runCommand("status", "-admin", s.admin); err == nil || !strings.Contains(err.Error(), "TAVERN_ADMIN_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
	t.Setenv("TAVERN_ADMIN_TOKEN", officeToken)
	t.Setenv("TAVERN_ADMIN", s.admin)
	mustRun(t, "status")
}
