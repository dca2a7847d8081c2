package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"tavern/game/account"
	"tavern/server/admin"
)

// officeToken opens the operator's page of a test's server.
const officeToken = "the token of the tests"

// officeServer is the whole server with the operator's listener.
type officeServer struct {
	*testServer
	t     testing.TB
	admin string // host:port
}

// startOffice is startServer with the operator's listener on a free port.
func startOffice(t testing.TB, args ...string) *officeServer {
	t.Helper()
	return startOfficeRigged(t, nil, args...)
}

// startOfficeRigged is startOffice with a rig: see config.
func startOfficeRigged(t testing.TB, rig func(part any), args ...string) *officeServer {
	t.Helper()
	all := append([]string{
		"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "tavern.db"),
		"-hash-memory", "8", "-hash-time", "1", "-admin", "127.0.0.1:0", "-admin-token", officeToken,
	}, args...)
	cfg, err := parseConfig(all, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg.rig = rig
	office := make(chan string, 1)
	cfg.logger = slog.New(officeLog{complaints{t}, office})
	listening := make(chan string, 1)
	cfg.listening = func(addr string) { listening <- addr }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx, cfg) }()
	s := &officeServer{testServer: &testServer{db: cfg.db}, t: t}
	select {
	case s.addr = <-listening:
		s.admin = strings.TrimSuffix(strings.TrimPrefix(<-office, "http://"), "/")
	case err := <-done:
		cancel()
		t.Fatalf("the server ended before it listened: %v", err)
	}
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// officeLog is complaints that also hears where the operator's page is.
type officeLog struct {
	complaints
	office chan<- string
}

func (l officeLog) Enabled(context.Context, slog.Level) bool { return true }

func (l officeLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "operator's page" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "address" {
				l.office <- a.Value.String()
			}
			return true
		})
	}
	if r.Level >= slog.LevelError {
		return l.complaints.Handle(ctx, r)
	}
	return nil
}

// api posts an action of the operator, which must be done, and returns what was.
func (s *officeServer) api(path, body string) string {
	s.t.Helper()
	status, text := s.request("POST", path, body)
	if status != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s", path, body, status, text)
	}
	var out struct{ Done string }
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	return out.Done
}

func (s *officeServer) request(method, path, body string) (status int, text string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.admin+"/api/v1/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+officeToken)
	r.Header.Set("Content-Type", "application/json")
	resp, err := webClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// clientFrom makes HTTP requests from an address of this machine's loopback net.
func clientFrom(addr string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	return &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

// closedBy waits for the end of p's connection, and returns its code and reason.
func (p *peer) closedBy() (websocket.StatusCode, string) {
	p.t.Helper()
	code := p.ended()
	p.mu.Lock()
	defer p.mu.Unlock()
	var said websocket.CloseError
	if !errors.As(p.err, &said) {
		p.t.Fatalf("%s: the connection ended without a close frame: %v", p.name, p.err)
	}
	return code, said.Reason
}

// expectExpelled checks how p was closed, and that the chat said so before.
func (p *peer) expectExpelled(why string) {
	p.t.Helper()
	code, reason := p.closedBy()
	if code != websocket.StatusPolicyViolation || reason != why {
		p.t.Errorf("%s is closed with %d %q, want 1008 %q", p.name, code, reason, why)
	}
	heard := p.soFar()
	if last := heard[len(heard)-1]; last.chat() != "[Server]: "+why {
		p.t.Errorf("the last that %s hears is %s", p.name, last.raw)
	}
}

// expectDenied waits for a Deny.
func (p *peer) expectDenied(why string) {
	p.t.Helper()
	h := p.await("a Deny", func(h *heard) bool { return h.action == "Deny" })
	if text(h.p0) != why {
		p.t.Errorf("%s hears %s, want %q", p.name, h.raw, why)
	}
}

// openStore opens a server's database beside the server.
func openStore(t testing.TB, path string) *account.Store {
	t.Helper()
	store, err := account.Open(t.Context(), account.Config{Path: path, Workers: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := store.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return store
}

// pageConfigOfNobody is for an office that never opens.
var pageConfigOfNobody admin.Config
