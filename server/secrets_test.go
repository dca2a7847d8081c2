package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tavern/server/ws"
)

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

	// The operator's page: the right token, a wrong one, in all the places there are.
	office := regexp.MustCompile(`msg="operator's page" address=(http://\S+)/`).FindStringSubmatch(log.String())
	if office == nil {
		t.Fatalf("there is no operator's page: %s", log.String())
	}
	statuses := map[int]bool{}
	for _, c := range []struct{ method, path, token, body string }{
		{"GET", "players", token, ""},
		{"GET", "players", token + "x", ""},
		{"GET", "players?token=" + token, "", ""},
		{"POST", "session", "", `{"token":"` + token + `"}`},
		{"POST", "session", "", `{"token":"` + token + `x"}`},
		{"POST", "session", "", `{"token":"` + token},
		{"POST", "kick", token, `{"name":"nobody","reason":"` + password},
		{"POST", "kick", token, `{"` + password + `":"` + password + `"}`},
		{"POST", "nonsense/" + password, token, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, office[1]+"/api/v1/"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Tavern-Page", "1")
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := webClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		statuses[resp.StatusCode] = true
		if strings.Contains(string(text), token) {
			t.Errorf("%s %s answers %s", c.method, c.path, text)
		}
	}
	if !statuses[http.StatusOK] || !statuses[http.StatusUnauthorized] || !statuses[http.StatusBadRequest] {
		t.Errorf("the operator's page answers with %v: that is not what this test is about", statuses)
	}
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

// TestPanicsTellNoSecret: a panic on the way of a Login is logged, with its stack,
// and without what was in the packet.
func TestPanicsTellNoSecret(t *testing.T) {
	const password = "swordfish-1971"
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	g, mode := &gate{limiter: newLimiter(10, 0)}, guestsOff // no desk, no accounts: nil where they are asked
	g.guests.Store(&mode)
	edge, err := ws.New(ws.Config{Logger: logger}, g)
	if err != nil {
		t.Fatal(err)
	}
	if err := edge.Start(); err != nil {
		t.Fatal(err)
	}
	ln, err := ws.Listen(t.Context(), "127.0.0.1:0", ws.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	web, served := &http.Server{Handler: edge, ReadHeaderTimeout: patience}, make(chan error, 1)
	go func() { served <- web.Serve(ln) }()
	_, _, c := upgradeWith(t, ln.Addr().String(), "")
	login := `{"a":"Login","p0":"alice","p1":"` + password + `"}`
	_, _ = c.Write(append([]byte{0x81, 0x80 | byte(len(login)), 0, 0, 0, 0}, login...))
	if first, payload, err := readFrame(bufio.NewReader(c)); err != nil || first != 0x88 || !strings.HasPrefix(string(payload), "\x03\xf3") {
		t.Errorf("%x %q, %v, want a close with 1011", first, payload, err)
	}
	_ = c.Close()
	_ = web.Close()
	<-served
	bound, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := edge.Shutdown(bound); err != nil {
		t.Errorf("the session has not ended: %v", err)
	}
	if text := log.String(); !strings.Contains(text, "handler panicked") || !strings.Contains(text, "gate") || strings.Contains(text, password) {
		t.Errorf("the panic is logged as %s", text)
	}
}

// TestReloadTellsNoToken: a changed token, one that does not count, and one in a
// file that is wrong are told of, and not told.
func TestReloadTellsNoToken(t *testing.T) {
	const old, next = "swordfish-1971-abc", "flounder-1972-defg"
	path := filepath.Join(t.TempDir(), "tavern.toml")
	for _, c := range []struct {
		name, text, says string
		args             []string
	}{
		{"changed", `admin-token = "` + next + `"`, "(secret)", nil},
		{"gone", "speed = 71", "(secret)", nil},
		{"below a flag", `admin-token = "` + next + `"`, "(secret)", []string{"-admin-token", old}},
		{"without quotes", "admin-token = " + next, "in quotes", nil},
		{"of a wrong kind", "admin-token = 1979-05-27", "must be text", nil},
		{"with half its quotes", `admin-token = "` + next, "in quotes", nil},
		{"with one quote of each", `admin-token = '` + next + `"`, "in quotes", nil},
		{"twice", `admin-token = "` + next + "\"\nadmin-token = \"" + next + `"`, "once", nil},
		{"a strange escape", `admin-token = "\q` + next + `"`, "in quotes", nil},
		{"no list", `admin-token = ["` + next + `", {a = 1}]`, "must be text", nil},
		{"too short", `admin-token = "` + next[:8] + `"`, "at least 16", nil},
		{"beside what is wrong", `admin-token = "` + next + "\"\nspeed = fast", "line 2", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			writeConfig(t, path, `admin-token = "`+old+`"`)
			cfg, err := parseConfig(append([]string{"-config", path}, c.args...), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			var log lockedBuffer
			r := &reloader{cfg: cfg, log: slog.New(slog.NewTextHandler(&log, nil))}
			writeConfig(t, path, c.text)
			r.reload(t.Context())
			text := log.String()
			if !strings.Contains(text, c.says) {
				t.Errorf("the log says %s, want %q", text, c.says)
			}
			for _, secret := range []string{old, next, next[:8]} {
				if strings.Contains(text, secret) {
					t.Errorf("the log holds %q: %s", secret, text)
				}
			}
		})
	}
}

// TestUnknownNamesAreLikeOthers: who fails with an unknown name hears the same, as
// often and as soon, as who fails with a known one.
func TestUnknownNamesAreLikeOthers(t *testing.T) {
	s := startServer(t, "-login-tries", "3", "-max-per-ip", "0")
	connect(t, s).register("ann")
	heard := map[string][]string{}
	for range 6 {
		for _, name := range []string{"ann", "nobody"} {
			p := connect(t, s)
			p.say(`{"a":"Login","p0":%q,"p1":"wrong"}`, name)
			heard[name] = append(heard[name], p.must().raw)
		}
	}
	if !slices.Equal(heard["ann"], heard["nobody"]) || !strings.Contains(heard["ann"][5], "Too many attempts") {
		t.Errorf("ann hears %q, nobody %q", heard["ann"], heard["nobody"])
	}

	s = startServer(t, "-hash-memory", "2048", "-hash-time", "1")
	p := connect(t, s)
	p.register("ann")
	const samples, most = 100, 1.25
	var ratio float64
	for range 5 { // a machine that others use may spoil a try
		took := map[string][]time.Duration{}
		for range samples {
			for _, name := range []string{"ann", "nobody"} {
				began := time.Now()
				p.say(`{"a":"Login","p0":%q,"p1":"wrong"}`, name)
				p.expect(`{"a":"Deny","p0":"Username or password incorrect"}`)
				took[name] = append(took[name], time.Since(began))
			}
		}
		slices.Sort(took["ann"])
		slices.Sort(took["nobody"])
		known, unknown := took["ann"][samples/2], took["nobody"][samples/2]
		if ratio = float64(known) / float64(unknown); ratio < most && ratio > 1/most {
			t.Logf("medians of %d answers over the network: known %v, unknown %v", samples, known, unknown)
			return
		}
	}
	t.Errorf("a wrong password takes %.2f times as long as an unknown name", ratio)
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
