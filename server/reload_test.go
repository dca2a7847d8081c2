package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeConfig puts a config file where the server finds it, whole or not at all.
func writeConfig(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestConfigFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tavern.toml")
	writeConfig(t, path, `
# what this evening needs
max-players = 123
chat-rate   = 0.5
guests      = "off"
world       = [-10, -10, 10, 10.5]
motd        = "hello"
limits      = "on"
speed       = 99
`)
	t.Setenv("TAVERN_SPEED", "71")
	cfg, err := parseConfig([]string{"-config", path, "-max-players", "7"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.maxPlayers != 7 || cfg.speed != 71 { // a flag and a variable stand above the file
		t.Errorf("max-players %d, speed %v", cfg.maxPlayers, cfg.speed)
	}
	if cfg.chatRate != 0.5 || cfg.guests != guestsOff || cfg.world != (bounds{-10, -10, 10, 10.5}) || cfg.motd != "hello" {
		t.Errorf("read %+v", cfg)
	}
	if !slices.Equal(cfg.shadowed, []string{"max-players", "speed"}) {
		t.Errorf("shadowed are %v", cfg.shadowed)
	}
}

func TestWrongConfigFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tavern.toml")
	for _, c := range []struct{ name, text, says string }{
		{"no TOML", "max-players: 3", "line 1"},
		{"unknown setting", "max-playres = 3", `there is no setting "max-playres"`},
		{"wrong type", `max-players = "many"`, `max-players = "many"`},
		{"wrong value", "tick = \"1h\"", "-tick 1h0m0s: must be"},
		{"a table", "[limits]\nchat = 3", "limits: must be text"},
		{"twice", "motd = \"a\"\nmotd = \"b\"", "motd"},
		{"itself", "config = \"other.toml\"", `no setting "config"`},
		{"short token", `admin-token = "secret"`, "at least 16 characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			writeConfig(t, path, c.text)
			_, err := parseConfig([]string{"-config", path}, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
	if _, err := parseConfig([]string{"-config", path + ".nowhere"}, io.Discard); err == nil {
		t.Error("a file that is not there is taken")
	}
}

// awaitLog waits for a line of the process's log that holds all of these words,
// and returns it.
func (p *process) awaitLog(words ...string) string {
	p.t.Helper()
	found := ""
	until(p.t, fmt.Sprintf("the log says %q", words), func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, line := range p.log {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
				found = line
				p.log = p.log[i+1:] // what comes next is later
				return true
			}
		}
		return false
	})
	return found
}

// TestReload changes the file under a running server: what may change does at
// once, for those who are inside too; a wrong file changes nothing; the log tells
// the difference.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "tavern.toml")
	writeConfig(t, path, "max-players = 40\nchat-rate = 100\nchat-burst = 100\n")
	proc := startProcess(t, filepath.Join(dir, "tavern.db"), "-config", path, "-admin", "127.0.0.1:0", "-admin-token", officeToken)
	s := &testServer{addr: proc.addr}
	ann, _ := enter(t, s, "ann")
	ben, _ := enter(t, s, "ben")
	say := func(n int) {
		for i := range n {
			ann.say(`{"a":"Chat","p0":"ann","p1":"%d"}`, i)
		}
	}
	say(20)
	ben.awaitChat("ann: 19")

	writeConfig(t, path, `
max-players = 2
chat-rate = 0.001
chat-burst = 3
guests = "off"
motd = "welcome back"
speed = 140
log-level = "debug"
`)
	proc.signal(syscall.SIGHUP)
	proc.awaitLog("at the next start only", `"setting":"speed"`, `"now":"70"`, `"file":"140"`)
	proc.awaitLog("setting changed", `chat-burst \"100\" -> \"3\"`)
	proc.awaitLog("setting changed", `max-players \"40\" -> \"2\"`)
	if _, err := dial(t, s.addr); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a third connection: %v", err)
	}
	say(20) // her bucket was full: three pass
	ann.await("a Deny", func(h *heard) bool { return h.action == "Deny" && text(h.p0) == "You are talking too fast" })
	ben.close(1000)
	var guest *peer
	until(t, "there is room again", func() bool {
		p, err := dial(t, s.addr)
		guest = p
		return err == nil
	})
	guest.say(`{"a":"Chat","p0":"hello"}`)
	guest.expectDenied("Log in to chat")
	guest.login("ben")
	guest.awaitChat("[Server]: welcome back")

	writeConfig(t, path, "max-players = 3\nchat-rate = fast\n")
	proc.signal(syscall.SIGHUP)
	proc.awaitLog("settings are not reloaded", "line 2")
	if _, err := dial(t, s.addr); err == nil {
		t.Error("half of a wrong file is in force")
	}

	writeConfig(t, path, "max-players = 100000\n")
	proc.signal(syscall.SIGHUP)
	proc.awaitLog("the rest after a restart", `"wanted":100000`, `"now":61`)
	proc.awaitLog("setting changed", `chat-rate \"0.001\" -> \"2\"`)
	proc.signal(syscall.SIGHUP)
	proc.awaitLog("none has changed")
	connect(t, s)

	proc.signal(os.Interrupt)
	if status := proc.exit(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	store := openStore(t, filepath.Join(dir, "tavern.db"))
	log, err := store.Audit(t.Context(), 0, 10)
	if err != nil || len(log) != 2 || log[1].Action != "settings" || log[1].By != "SIGHUP" || !strings.Contains(log[1].Details, `motd "" -> "welcome back"`) ||
		time.Since(log[1].At) > time.Hour {
		t.Errorf("the audit log is %+v, %v", log, err)
	}
}
