package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reloaded is the program with a config file that the test changes.
type reloaded struct {
	*process
	*testServer
	path  string
	turn  int
	names int
}

// startReloaded starts the program with next to no limits, all of them in the file.
func startReloaded(t *testing.T) *reloaded {
	t.Helper()
	dir := t.TempDir()
	r := &reloaded{path: filepath.Join(dir, "tavern.toml")}
	r.write(t, "")
	r.process = startLimited(t, filepath.Join(dir, "tavern.db"), "-config", r.path, "-tick", "10ms", "-speed", "100000")
	r.testServer = &testServer{addr: r.process.addr}
	return r
}

// free are settings that limit nobody. max-players tells the turns apart in the log.
var free = map[string]string{
	"handshake-rate": "0", "registrations-per-hour": "0", "requests-per-ip": "0", "login-tries": "0", "target-rate": "0",
	"chat-rate": "0", "max-per-ip": "0",
}

func (r *reloaded) write(t testing.TB, lines string) {
	t.Helper()
	text := fmt.Sprintf("max-players = %d\n%s", 1000+r.turn, lines)
	for _, name := range slices.Sorted(maps.Keys(free)) {
		if !strings.Contains("\n"+lines, "\n"+name+" ") {
			text += name + " = " + free[name] + "\n"
		}
	}
	writeConfig(t, r.path, text)
}

// set has these lines in the file and everything else as it was at the start, and
// returns when that is in force.
func (r *reloaded) set(lines string) {
	r.process.t.Helper()
	r.turn++
	r.write(r.process.t, lines)
	r.signal(syscall.SIGHUP)
	r.awaitLog("setting changed", fmt.Sprintf(`-> \"%d\"`, 1000+r.turn))
}

// enter logs in somebody new.
func (r *reloaded) enter() *peer {
	r.process.t.Helper()
	r.names++
	p, _ := enter(r.process.t, r.testServer, fmt.Sprint("player", r.names))
	return p
}

// status is the answer to a handshake with these header lines.
func (r *reloaded) status(lines ...string) int {
	r.process.t.Helper()
	resp, _, c := upgradeWith(r.process.t, r.testServer.addr, "", lines...)
	_ = c.Close()
	if resp == nil {
		r.process.t.Fatal("no answer to a handshake")
	}
	return resp.StatusCode
}

// getAs reads a page with an X-Forwarded-For.
func (r *reloaded) getAs(path, forwarded string) int {
	r.process.t.Helper()
	req, err := http.NewRequestWithContext(r.process.t.Context(), http.MethodGet, "http://"+r.testServer.addr+path, nil)
	if err != nil {
		r.process.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", forwarded)
	resp, err := webClient.Do(req)
	if err != nil {
		r.process.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func (p *peer) awaitDeny(reason string) {
	p.t.Helper()
	p.await("the Deny "+reason, func(h *heard) bool { return h.action == "Deny" && strings.HasPrefix(text(h.p0), reason) })
}

// padded is a chat of so many bytes.
func padded(bytes int) string {
	const open, end = `{"a":"Chat","p0":"x","p1":"long","pad":"`, `"}`
	return open + strings.Repeat("x", bytes-len(open)-len(end)) + end
}

// idler is a guest who reads nothing, with hardly a buffer of its own.
type idler struct {
	t testing.TB
	net.Conn
}

func idle(t testing.TB, addr string) *idler {
	t.Helper()
	small := &net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	}}
	c, err := small.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * patience))
	i := &idler{t, c}
	i.write([]byte(handshake))
	i.write(frame(final|opText, `{"a":"Chat","p0":"I am here"}`))
	return i
}

func (i *idler) write(b []byte) {
	i.t.Helper()
	if _, err := i.Write(b); err != nil {
		i.t.Fatal(err)
	}
}

// expectClosed reads all, which must end with a close frame of 1013.
func (i *idler) expectClosed(reason string) {
	i.t.Helper()
	all, _ := io.ReadAll(i)
	if !bytes.Contains(all, []byte("\x03\xf5"+reason)) {
		i.t.Errorf("%d bytes came, without a close 1013 %q: …%q", len(all), reason, all[max(0, len(all)-80):])
	}
}

// talk has ann say so many KiB, as fast as bob hears them.
func talk(ann, bob *peer, kib int) {
	ann.t.Helper()
	line := strings.Repeat("x", 1000)
	for range kib / 16 {
		for range 16 {
			ann.say(`{"a":"Chat","p0":"","p1":%q}`, line)
		}
		for range 16 {
			bob.awaitChat(ann.name + ": " + line)
		}
	}
}

// TestReloadEach changes each setting that may change, with people inside, at a
// program that gets a SIGHUP: those who are there are under the new one.
func TestReloadEach(t *testing.T) {
	t.Parallel()
	r := startReloaded(t)
	covered := []string{"chat-burst", "chat-rate", "guests", "limits", "log-level", "max-per-ip", "max-players", "motd"} // by TestReload, and below
	for _, c := range []struct {
		settings string // that it changes
		try      func(t *testing.T)
	}{
		{"origins", func(t *testing.T) {
			for _, step := range []struct {
				lines string
				want  int
			}{{"", 403}, {"origins = [\"https://friend.example\"]\n", 101}, {"", 403}} {
				r.set(step.lines)
				if got := r.status("Origin: https://friend.example"); got != step.want {
					t.Errorf("with %q: %d, want %d", step.lines, got, step.want)
				}
			}
		}},
		{"metrics trusted-proxies", func(t *testing.T) {
			for _, step := range []struct {
				lines string
				want  int
			}{
				{"", 403}, // whoever it is
				{"trusted-proxies = \"127.0.0.1\"\n", 403},
				{"trusted-proxies = \"127.0.0.1\"\nmetrics = \"192.0.2.0/24\"\n", 200},
				{"metrics = \"192.0.2.0/24\"\n", 403},
			} {
				r.set(step.lines)
				if got := r.getAs("/metrics", "192.0.2.9"); got != step.want {
					t.Errorf("with %q: %d, want %d", step.lines, got, step.want)
				}
			}
			r.set("metrics = \"\"\n")
			if status, _ := r.get(t, "/metrics"); status != http.StatusForbidden {
				t.Errorf("metrics for nobody: %d", status)
			}
		}},
		{"trusted-proxies max-per-ip", func(t *testing.T) {
			// A place is given back to whom it was taken from.
			const lines, player = "trusted-proxies = \"127.0.0.1\"\nmax-per-ip = 1\n", "X-Forwarded-For: 192.0.2.77"
			r.set(lines)
			_, _, c := upgradeWith(t, r.testServer.addr, "", player)
			if got := r.status(player); got != 503 {
				t.Errorf("a second connection: %d, want 503", got)
			}
			r.set("")
			_ = c.Close()
			r.set(lines)
			until(t, "the place is free", func() bool { return r.status(player) == 101 })
		}},
		{"handshake-rate handshake-burst", func(t *testing.T) {
			r.set("handshake-rate = 0.001\nhandshake-burst = 2\n")
			for i, want := range []int{101, 101, 429} {
				if got := r.status(); got != want {
					t.Errorf("handshake %d: %d, want %d", i+1, got, want)
				}
			}
			r.set("handshake-rate = 200\nhandshake-burst = 2\n")
			until(t, "the bucket fills at the new rate", func() bool { return r.status() == 101 })
		}},
		{"login-tries", func(t *testing.T) {
			p := connect(t, r.testServer)
			p.register("victim")
			try := func(answer string) {
				t.Helper()
				p.say(`{"a":"Login","p0":"victim","p1":"guess"}`)
				p.awaitDeny(answer)
			}
			r.set("login-tries = 50\n")
			for range 12 {
				try("Username or password incorrect")
			}
			r.set("login-tries = 1\n")
			try("Username or password incorrect")
			try("Too many attempts, try again in")
			r.set("login-tries = 50\n")
			try("Username or password incorrect")
		}},
		{"registrations-per-hour", func(t *testing.T) {
			p := connect(t, r.testServer)
			r.set("registrations-per-hour = 1\n")
			p.register("first")
			p.say(`{"a":"Register","p0":"second","p1":"password"}`)
			p.awaitDeny("Too many registrations, try again in 60 minutes")
			r.set("registrations-per-hour = 360000\n")
			until(t, "the bucket fills at the new rate", func() bool {
				p.say(`{"a":"Register","p0":"second","p1":"password"}`)
				return p.await("an answer", func(*heard) bool { return true }).action == "Ok"
			})
		}},
		{"requests-per-ip", func(t *testing.T) {
			var peers []*peer
			for range 6 {
				peers = append(peers, connect(t, r.testServer))
			}
			turn := 0
			refused := func() (n int) {
				turn++
				for i, p := range peers {
					p.say(`{"a":"Register","p0":"req%d%c","p1":"password"}`, turn, 'a'+i)
				}
				for _, p := range peers {
					if h := p.await("an answer", func(*heard) bool { return true }); strings.Contains(h.raw, "Too many requests from your address") {
						n++
					}
				}
				return n
			}
			r.set("requests-per-ip = 1\n")
			until(t, "one is refused", func() bool { return refused() > 0 })
			r.set("")
			for range 5 {
				if n := refused(); n > 0 {
					t.Fatalf("%d are refused without a limit", n)
				}
			}
		}},
		{"target-rate target-burst", func(t *testing.T) {
			ann := r.enter()
			r.set("target-rate = 0.001\ntarget-burst = 1\n")
			ann.say(`{"a":"Target","p0":100,"p1":0}`)
			ann.say(`{"a":"Target","p0":0,"p1":500}`)
			ann.awaitDeny("You are sending targets too fast")
			r.set("target-rate = 1000\ntarget-burst = 5\n")
			until(t, "she walks again", func() bool {
				ann.say(`{"a":"Target","p0":0,"p1":500}`)
				return slices.ContainsFunc(ann.soFar(), func(h heard) bool { return strings.Contains(h.raw, `"y":500.0`) })
			})
		}},
		{"max-message", func(t *testing.T) {
			ann, long, longer, other := r.enter(), r.enter(), r.enter(), r.enter()
			r.set("max-message = 256\n")
			long.say("%s", padded(257))
			if code := long.ended(); code != 1009 {
				t.Errorf("closed with %d, want 1009", code)
			}
			r.set("max-message = 8192\n")
			longer.say("%s", padded(8192))
			ann.awaitChat(longer.name + ": long")
			r.set("")
			other.say("%s", padded(4096))
			ann.awaitChat(other.name + ": long")
			longer.say("%s", padded(4097))
			if code := longer.ended(); code != 1009 {
				t.Errorf("closed with %d, want 1009", code)
			}
		}},
		{"malformed-per-minute", func(t *testing.T) {
			r.set("malformed-per-minute = 0\n")
			p, q := connect(t, r.testServer), connect(t, r.testServer)
			for range 20 {
				p.say(`{`)
				p.awaitDeny("This packet is not valid JSON")
			}
			q.say(`{`)
			q.awaitDeny("This packet is not valid JSON")
			r.set("malformed-per-minute = 1\n")
			q.say(`{`)
			if code := q.ended(); code != 1008 {
				t.Errorf("closed with %d, want 1008", code)
			}
			r.set("malformed-per-minute = 1\nlimits = \"off\"\n")
			p.say(`{`)
			p.awaitDeny("This packet is not valid JSON")
		}},
		{"chat-range", func(t *testing.T) {
			ann, near, far := r.enter(), r.enter(), r.enter()
			far.say(`{"a":"Target","p0":1000,"p1":0}`)
			far.awaitActor(far.ownID(), point{1000, 0})
			for i, step := range []struct {
				lines string
				heard bool
			}{{"", true}, {"chat-range = 100\n", false}, {"chat-range = 5000\n", true}} {
				r.set(step.lines)
				ann.say(`{"a":"Chat","p0":"","p1":"step %d"}`, i)
				near.awaitChat(fmt.Sprint(ann.name, ": step ", i))
				if step.heard {
					far.awaitChat(fmt.Sprint(ann.name, ": step ", i))
				}
			}
			for _, h := range far.soFar() {
				if strings.Contains(h.raw, "step 1") {
					t.Error("a chat beyond the range is heard")
				}
			}
		}},
		{"view", func(t *testing.T) {
			for range 4 {
				r.enter()
			}
			r.set("view = 1\n")
			p := r.enter()
			models := func(action string) (n int) {
				for _, h := range p.soFar() {
					if h.action == action && (action != "ModelDelta" || strings.Contains(h.raw, `"user"`)) {
						n++
					}
				}
				return n
			}
			if n := models("ModelDelta"); n > 2 {
				t.Errorf("with a view of 1 somebody is shown %d actors", n)
			}
			r.set("view = 4\n")
			until(t, "the others come into view", func() bool { return models("ModelDelta") >= 4 })
			r.set("view = 1\n")
			until(t, "they leave it", func() bool { return models("Despawn") >= 2 })
		}},
		{"bandwidth", func(t *testing.T) {
			walkers := []*peer{r.enter(), r.enter(), r.enter(), r.enter()}
			step := 0
			walk := func() string {
				step++
				for i, p := range walkers {
					p.say(`{"a":"Target","p0":%d,"p1":%d}`, step%2*300, i)
				}
				return r.metric(t, "stream_throttled_total")
			}
			r.set("bandwidth = 10000000\n")
			before := walk()
			for range 50 {
				if now := walk(); now != before {
					t.Fatalf("%s visits are over a bandwidth without end", now)
				}
			}
			r.set("bandwidth = 8000\n")
			until(t, "somebody is sent less", func() bool { return walk() != before })
		}},
		{"max-lag", func(t *testing.T) {
			ann, bob, slow := r.enter(), r.enter(), idle(t, r.testServer.addr)
			before := r.metric(t, "ws_slow_consumer_total")
			until(t, "one reads nothing", func() bool { talk(ann, bob, 64); return r.metric(t, "stream_blocked") != "0" })
			talk(ann, bob, 128)
			if n := r.metric(t, "ws_slow_consumer_total"); n != before {
				t.Fatal("it is gone before its time")
			}
			r.set("max-lag = 65536\n")
			until(t, "it is closed", func() bool { return r.metric(t, "ws_slow_consumer_total") != before })
			slow.expectClosed("You are reading too slowly")
		}},
		{"max-blocked", func(t *testing.T) {
			ann, bob, slow := r.enter(), r.enter(), idle(t, r.testServer.addr)
			before := r.metric(t, "ws_slow_consumer_total")
			until(t, "one reads nothing", func() bool { talk(ann, bob, 64); return r.metric(t, "stream_blocked") != "0" })
			r.set("max-blocked = \"1s\"\n")
			until(t, "it is closed", func() bool { return r.metric(t, "ws_slow_consumer_total") != before })
			slow.expectClosed("You are reading too slowly")
		}},
		{"max-backlog", func(t *testing.T) {
			slow := idle(t, r.testServer.addr)
			before := r.metric(t, "ws_backlog_full_total")
			pings := bytes.Repeat(frame(final|opPing, strings.Repeat("p", 125)), 100)
			for range 75 { // 950 KB of pongs, of which the kernel holds some 200
				slow.write(pings)
			}
			slow.write(frame(final|opText, `{"a":"Chat","p0":"all sent"}`))
			if n := r.metric(t, "ws_backlog_full_total"); n != before {
				t.Fatal("it is gone before its time")
			}
			r.set("max-backlog = 524288\n")
			slow.write(pings)
			until(t, "it is closed", func() bool { return r.metric(t, "ws_backlog_full_total") != before })
			slow.expectClosed("pongs are not read")
		}},
	} {
		if !t.Run(strings.Fields(c.settings)[0], c.try) {
			return
		}
		r.set("")
		covered = append(covered, strings.Fields(c.settings)...)
	}
	slices.Sort(covered)
	if want := slices.Sorted(maps.Keys(hot)); !slices.Equal(slices.Compact(covered), want) {
		t.Errorf("tried are %v, hot are %v", slices.Compact(covered), want)
	}
}
