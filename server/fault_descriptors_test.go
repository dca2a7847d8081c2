package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOutOfDescriptors lets a server have few open files. Newcomers hear 503 before
// the upgrade. When strangers who say nothing take even the files that are kept
// back, newcomers wait, and those inside play on: also what needs the database.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	const limit = 160
	p := startBehind(t, []string{"prlimit", fmt.Sprintf("--nofile=%d:%[1]d", limit)}, filepath.Join(t.TempDir(), "tavern.db"),
		unlimited([]string{"-limits", "off", "-guests", "on-connect", "-header-time", "1m", "-tick", "10ms", "-speed", "700"})...)
	s := p.server()
	ann, a := enter(t, s, "ann")
	bob, _ := enter(t, s, "bob")
	carl := connect(t, s)

	const room = limit - 64 - 3
	guests := gather(t, p.addr, room)
	if status, retry, body := tryHandshake(t, p.addr); status != http.StatusServiceUnavailable || retry == "" || !strings.Contains(body, "full") {
		t.Errorf("a newcomer hears %d %q, Retry-After %q", status, body, retry)
	}
	if status, _ := s.get(t, "/readyz"); status != http.StatusOK { // the operator is answered
		t.Errorf("/readyz: %d", status)
	}

	var silent []net.Conn
	hangUp := func() {
		for _, c := range silent {
			_ = c.Close()
		}
	}
	defer hangUp()
	for range limit { // the kernel takes them; the server can accept some
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, c)
	}
	until(t, "no descriptor is left", func() bool {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
		return err == nil && len(open) >= limit-1
	})
	busy := p.busy(t, func() {
		carl.register("carl")
		c := carl.login("carl")
		carl.say(`{"a":"Target","p0":14,"p1":0}`)
		ann.awaitActor(c.ID, point{14, 0})
		ann.say(`{"a":"Target","p0":21,"p1":0}`)
		bob.awaitActor(a.ID, point{21, 0})
		<-time.After(time.Second) // in which it should be at rest
		ann.say(`{"a":"Chat","p0":"","p1":"crowded"}`)
		bob.awaitChat("ann: crowded")
	})
	if busy > 0.6 { // of a core; it would be one or more
		t.Errorf("%.2f cores are busy with connections that cannot be accepted", busy)
	}

	hangUp()
	until(t, "the operator is answered again", func() bool {
		resp, err := webClient.Get("http://" + p.addr + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	for _, g := range guests.members[:10] {
		_ = g.Close()
	}
	until(t, "there is room again", func() bool { status, _, _ := tryHandshake(t, p.addr); return status == http.StatusSwitchingProtocols })
	healthy(t, s, "")                  // and positions were saved all the while
	for _, g := range guests.members { // they would not answer the close
		_ = g.Close()
	}
	p.signal(os.Interrupt)
	if status := p.exit(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	for _, line := range p.log {
		if strings.Contains(line, `"level":"ERROR"`) {
			t.Error(line)
		}
	}
}

// tryHandshake asks for an upgrade, and ends the connection.
func tryHandshake(t testing.TB, addr string) (status int, retryAfter, body string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, handshake); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(resp.Body)
		body = string(text)
	}
	return resp.StatusCode, resp.Header.Get("Retry-After"), body
}

// busy is how many cores the process kept busy, by the kernel's account, while f ran.
func (p *process) busy(t testing.TB, f func()) float64 {
	t.Helper()
	used := func() (ticks float64) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		_, fields, _ := strings.Cut(string(stat), ") ") // the name may hold spaces
		var user, system float64
		if _, err := fmt.Sscan(strings.Join(strings.Fields(fields)[11:13], " "), &user, &system); err != nil {
			t.Fatal(err)
		}
		return user + system
	}
	before, begun := used(), time.Now()
	f()
	return (used() - before) / 100 / time.Since(begun).Seconds() // USER_HZ is 100 everywhere
}
