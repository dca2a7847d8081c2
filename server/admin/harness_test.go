package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tavern/game"
	"tavern/game/account"
	"tavern/server/moderation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience  = 20 * time.Second
	testToken = "a token for the tests"
)

// office is a Server over real HTTP, with a real database and a real loop.
type office struct {
	t     testing.TB
	admin *Server
	store *account.Store
	loop  *game.Loop
	url   string
	now   *clock
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// open runs an office until the test ends. change may alter its Config.
func open(t testing.TB, change func(*Config)) *office {
	t.Helper()
	store, err := account.Open(t.Context(), account.Config{Path: filepath.Join(t.TempDir(), "tavern.db"), HashMemoryKiB: 8, HashTime: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, store: store, now: &clock{at: time.Now()}}
	o.loop = game.New(game.Config{Tick: 10 * time.Millisecond, Accounts: store})
	desk, err := moderation.New(t.Context(), moderation.Config{Store: store, World: o.loop})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Desk: desk, Store: store, Token: testToken, World: [4]float64{-100, -100, 100, 100},
		Read: func() Reading { return Reading{Players: o.loop.Stats().Players.Load()} },
		Now:  o.now.Now,
	}
	if change != nil {
		change(&cfg)
	}
	if o.admin, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := o.loop.Run(ctx, time.Second); err != nil {
			t.Error(err)
		}
	})
	web := httptest.NewServer(o.admin)
	o.url = web.URL
	t.Cleanup(func() {
		web.Close()
		cancel()
		running.Wait()
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := store.Close(closing); err != nil {
			t.Error(err)
		}
	})
	return o
}

// visitor is a connection of somebody in the world, who hears nothing.
type visitor struct {
	game.Player
	loop *game.Loop
	addr netip.Addr
	once sync.Once
	gone chan string // the reason of the close
}

func (v *visitor) Write([]byte) error     { return nil }
func (v *visitor) Pending() int           { return 7 }
func (v *visitor) RemoteAddr() netip.Addr { return v.addr }
func (v *visitor) Close(code int, reason string) {
	v.once.Do(func() {
		v.gone <- reason
		v.loop.Leave(&v.Player)
	})
}

// enter registers an account and lets it into the world.
func (o *office) enter(name, addr string, x, y float64) *visitor {
	o.t.Helper()
	done := make(chan error, 1)
	if err := o.store.Register(name, "p", 0, func(err error) { done <- err }); err != nil {
		o.t.Fatal(err)
	}
	if err := <-done; err != nil {
		o.t.Fatal(err)
	}
	a, err := o.store.Named(o.t.Context(), name)
	if err != nil {
		o.t.Fatal(err)
	}
	v := &visitor{loop: o.loop, addr: netip.MustParseAddr(addr), gone: make(chan string, 1)}
	before := o.loop.Stats().Players.Load()
	o.loop.Enter(&v.Player, v, game.Account{ID: a.ID, Name: a.Name, X: x, Y: y}, nil)
	for deadline := time.Now().Add(patience); o.loop.Stats().Players.Load() == before; {
		if time.Now().After(deadline) {
			o.t.Fatalf("%s never came in", name)
		}
	}
	o.admin.crowd.stale()
	return v
}

// call is one request; with sets headers.
func (o *office) call(method, path, body string, with func(*http.Request)) (*http.Response, string) {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if with != nil {
		with(r)
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return resp, string(bytes.TrimSpace(text))
}

func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// api is a request with the right token that must have this status.
func (o *office) api(method, path, body string, status int) string {
	o.t.Helper()
	resp, text := o.call(method, "/api/v1/"+path, body, withToken(testToken))
	if resp.StatusCode != status {
		o.t.Fatalf("%s %s %s: %s %s, want %d", method, path, body, resp.Status, text, status)
	}
	return text
}

// decoded is a JSON text as a value.
func decoded[T any](t testing.TB, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// login opens a session of the page and returns what its requests need.
func (o *office) login(token, name string) (func(*http.Request), *http.Cookie) {
	o.t.Helper()
	body, _ := json.Marshal(map[string]string{"token": token, "name": name})
	resp, text := o.call("POST", "/api/v1/session", string(body), fromPage)
	if resp.StatusCode != http.StatusNoContent || len(resp.Cookies()) != 1 {
		o.t.Fatalf("login: %s %s %v", resp.Status, text, resp.Cookies())
	}
	cookie := resp.Cookies()[0]
	return func(r *http.Request) {
		r.AddCookie(cookie)
		fromPage(r)
	}, cookie
}

// fromPage makes a request one of the page's.
func fromPage(r *http.Request) {
	r.Header.Set(pageHeader, "1")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
}
