package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"tavern/game"
	"tavern/game/stream"
	"tavern/server/ws"
)

// FuzzConfig gives the server arguments, variables and a file, one of each a line.
// Nothing makes it panic; what it takes passes its own check again, is the same
// configuration when it is written back in any of the three ways, and its limits
// let the first player in and the one too many not.
func FuzzConfig(f *testing.F) {
	for _, s := range settings {
		if s.name == "config" {
			continue
		}
		f.Add("-"+s.name+"="+s.other, "", s.name+" = "+strconv.Quote(s.other))
		for _, v := range s.wrong {
			if len(v) < 100 {
				f.Add("", s.name+"="+v, s.name+" = "+strconv.Quote(v))
			}
		}
	}
	f.Add("-tick\n20ms\n--motd=a  b\n-limits=off", "view=7\nspeed=3.5", "# a file\ncell = 64.0\nworld = [-10, -10.5, 1e3, 0x10]\nview = 8\nguests = 'off'")
	f.Add("-trusted-proxies=10.0.0.0/8\n-proxy-protocol=on\nand more", "", "")
	f.Add("-handshake-burst=4611686018427387904", "", "") // four times that is 0
	f.Add("", "handshake-rate=1e308", "target-burst = 9223372036854775807")
	f.Add("-h", "", "")
	f.Add("", "", "[limits]\nview = 3")
	file := filepath.Join(f.TempDir(), "tavern.toml")
	f.Fuzz(func(t *testing.T, flags, variables, text string) {
		var args []string
		for arg := range strings.SplitSeq(flags, "\n") {
			if strings.Contains(arg, "config") {
				return // any file of this machine
			}
			args = append(args, arg)
		}
		for line := range strings.SplitSeq(variables, "\n") {
			name, v, _ := strings.Cut(line, "=")
			known := slices.ContainsFunc(settings, func(s setting) bool { return s.name == name })
			if known && name != "config" && !strings.Contains(v, "\x00") {
				t.Setenv(variable(name), v)
			}
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = slices.DeleteFunc(args, func(arg string) bool { return arg == "" })
		var out bytes.Buffer
		cfg, err := parseConfig(append([]string{"-config", file}, args...), &out)
		if err != nil {
			if cfg != nil || err.Error() == "" || (out.Len() > 0) != errors.Is(err, flag.ErrHelp) {
				t.Errorf("%v with %+v and the help %q", err, cfg, out.String())
			}
			return
		}
		want := taken(cfg)
		if err := cfg.check(); err != nil || !reflect.DeepEqual(taken(cfg), want) {
			t.Errorf("checked again it is %+v, %v; want %+v", taken(cfg), err, want)
		}
		for _, name := range slices.Collect(maps.Keys(cfg.values)) {
			_ = os.Unsetenv(variable(name)) // Setenv's cleanup brings it back
		}
		for way, again := range written(t, cfg.values, file) {
			if again == nil || !reflect.DeepEqual(taken(again), want) {
				t.Errorf("written back as %s it is %+v, want %+v", way, again, want)
			}
		}
		checkLimits(t, cfg)
	})
}

// taken is what of a configuration the server goes by.
func taken(cfg *config) config {
	c := *cfg
	c.given, c.values, c.shadowed, c.parse, c.logger, c.level, c.file = nil, nil, nil, nil, nil, nil, ""
	c.version = false
	return c
}

// written reads values again, from flags, from variables and from a file, as far
// as they can be said there.
func written(t *testing.T, values map[string]string, file string) map[string]*config {
	t.Helper()
	var all, unset, unspeakable []string // what a variable or a file cannot say remains a flag
	lines := map[string]any{}
	variables := map[string]string{}
	for name, v := range values {
		if name == "config" || name == "version" {
			continue
		}
		all = append(all, "-"+name+"="+v)
		if v == "" || strings.Contains(v, "\x00") {
			unset = append(unset, "-"+name+"="+v)
		} else {
			variables[variable(name)] = v
		}
		if utf8.ValidString(v) {
			lines[name] = typed(v)
		} else {
			unspeakable = append(unspeakable, "-"+name+"="+v)
		}
	}
	read := func(args []string) *config {
		t.Helper()
		cfg, err := parseConfig(args, io.Discard)
		if err != nil {
			t.Errorf("written back it is refused: %v", err)
		}
		return cfg
	}
	got := map[string]*config{"flags": read(all)}
	for name, v := range variables {
		t.Setenv(name, v)
	}
	got["variables"] = read(unset)
	for name := range variables {
		_ = os.Unsetenv(name)
	}
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(lines); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got["a file"] = read(append(unspeakable, "-config", file))
	return got
}

// typed is a value as one would write it in TOML: a number without quotes.
func typed(v string) any {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && strconv.FormatInt(n, 10) == v {
		return n
	}
	if n, err := strconv.ParseFloat(v, 64); err == nil && strconv.FormatFloat(n, 'f', -1, 64) == v {
		return n
	}
	return v
}

// checkLimits builds what the settings are for. The first player gets in, and
// who is one too many does not.
func checkLimits(t *testing.T, cfg *config) {
	t.Helper()
	if most := cfg.maxSessions(); most <= cfg.maxPlayers {
		t.Errorf("%d players and %d sessions", cfg.maxPlayers, most)
	}
	if _, err := ws.New(ws.Config{MaxMessageBytes: cfg.limit.message, MaxPendingBytes: cfg.limit.backlog, MaxSessions: cfg.maxSessions()}, nobody{}); err != nil {
		t.Errorf("the edge refuses: %v", err)
	}
	game.New(game.Config{Tick: cfg.tick, Speed: cfg.speed, World: game.Bounds(cfg.world), Cell: cfg.cell, View: cfg.view,
		Writers: stream.Config{Writers: cfg.writers, BytesPerSecond: cfg.bandwidth, MaxLagBytes: cfg.limit.lag, MaxBlocked: cfg.limit.blocked}})

	l, one := newLimits(cfg.limit, bool(cfg.limits)), netip.MustParseAddr("192.0.2.1")
	now := time.Unix(1e9, 0)
	l.now = func() time.Time { return now }
	for _, d := range []struct {
		what      string
		pass      func() bool
		perSecond float64
		burst     int
	}{
		{"handshake", func() bool { return l.handshake(one) == 0 }, cfg.limit.handshakeRate, cfg.limit.handshakeBurst},
		{"TLS handshake", func() bool { return l.greet(one) }, cfg.limit.handshakeRate * tlsFactor, cfg.limit.handshakeBurst * tlsFactor},
		{"registration", func() bool { return l.register(one) == 0 }, float64(cfg.limit.registrations) / 3600, cfg.limit.registrations},
		{"request", func() bool { return l.request(one) }, float64(cfg.limit.requests), cfg.limit.requests},
	} {
		free := !bool(cfg.limits) || d.perSecond == 0
		for i := range min(max(d.burst, 1), 100) {
			if !d.pass() {
				t.Errorf("%s %d is refused, of %d at once and %v a second", d.what, i+1, d.burst, d.perSecond)
				break
			}
		}
		// A rate of millions lets in who comes at the same moment.
		if d.burst <= 100 && d.perSecond < 1e6 && d.pass() != free {
			t.Errorf("%s %d, of %d at once and %v a second: want it to pass: %v", d.what, d.burst+1, d.burst, d.perSecond, free)
		}
	}
}

// nobody is a handler that does nothing.
type nobody struct{}

func (nobody) Open(*ws.Session)                  {}
func (nobody) Message(*ws.Session, []byte, bool) {}
func (nobody) Closed(*ws.Session, int, string)   {}
