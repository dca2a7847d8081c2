package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
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
