package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

type setting struct {
	name, preset, other string
	wrong               []string
}

// settings are all flags, each with what the help says of its default, another
// value, and values that are wrong.
var settings = []setting{
	{"acme-directory", `""`, "", []string{"https://example.org/directory"}}, // without -domain
	{"acme-email", `""`, "", []string{"me@example.org"}},
	{"acme-http", `""`, "", []string{":80"}},
	{"addr", ":8081", "127.0.0.1:0", []string{"nonsense", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:http-alt-of-mine", ""}},
	{"admin", "127.0.0.1:8082", "127.0.0.1:0", []string{"nonsense", "127.0.0.1:99999"}},
	{"admin-token", `""`, "a secret of length", []string{"short"}},
	{"bandwidth", "64000", "8000", []string{"7999", "-1", "many", ""}},
	{"cell", "640", "16", []string{"15", "NaN", "Inf", "-640", "wide"}},
	{"chat-burst", "10", "1", []string{"0", "-1", "1000001", "2.5"}},
	{"chat-range", "0", "300.5", []string{"-1", "NaN", "+Inf", "far"}},
	{"chat-rate", "2", "0", []string{"-1", "1e7", "NaN", "Inf", "often"}},
	{"config", `""`, "", []string{"no-such-file.toml"}},
	{"db", "tavern.db", "other.db", []string{""}},
	{"domain", `""`, "play.example.org", []string{"192.0.2.1", "https://play.example.org", "localhost", "*.example.org"}},
	{"guests", "on-chat", "on-connect", []string{"", "on", "ON-CHAT"}},
	{"handshake-burst", "100", "1", []string{"0", "-1", "1000001", "many"}},
	{"handshake-rate", "10", "0", []string{"-1", "1e7", "NaN", "Inf", "often"}},
	{"hash-memory", "19456", "8", []string{"7", "-1", "4294967297", "1048577", "much"}},
	{"hash-queue", "256", "1", []string{"0", "-1", "65537", "long"}},
	{"hash-time", "2", "1", []string{"0", "-1", "1001", "1.5"}},
	{"header-time", "5s", "1m0s", []string{"99ms", "61s", "5", "soon"}},
	{"limits", "on", "off", []string{"", "true", "none"}},
	{"log", "text", "json", []string{"", "xml"}},
	{"log-level", "info", "error", []string{"", "loud"}},
	{"login-tries", "5", "0", []string{"-1", "1001", "few"}},
	{"malformed-per-minute", "10", "0", []string{"-1", "251", "few"}},
	{"max-backlog", "1048576", "524288", []string{"524287", "1073741825", "much"}},
	{"max-blocked", "5m0s", "1s", []string{"999ms", "-1s", "long"}},
	{"max-greetings", "4096", "1", []string{"0", "-1", "65537", "many"}},
	{"max-header", "8192", "1024", []string{"1023", "1048577", "long"}},
	{"max-lag", "4194304", "65536", []string{"65535", "-1", "far"}},
	{"max-message", "4096", "8192", []string{"255", "8193", "-1", "long"}},
	{"max-per-ip", "50", "0", []string{"-1", "all"}},
	{"max-players", "20000", "1", []string{"0", "-1", "2000000", "1e3"}},
	{"metrics", "127.0.0.0/8,::1/128", "10.0.0.0/8", []string{"localhost", "10.0.0.0/33", "all"}},
	{"motd", `""`, "Welcome", []string{strings.Repeat("x", 1025), "\xff"}},
	{"origins", `""`, "https://example.org,https://*.example.net", []string{"example.org", "ftp://example.org", "https://", "https://a*b.example.org", "https://x/path"}},
	{"proxy-protocol", "off", "", []string{"yes", "on"}}, // on needs -trusted-proxies
	{"registrations-per-hour", "20", "0", []string{"-1", "1000001", "few"}},
	{"requests-per-ip", "32", "0", []string{"-1", "1000001", "few"}},
	{"speed", "70", "350", []string{"0", "-70", "NaN", "Inf", "fast"}},
	{"target-burst", "40", "1", []string{"0", "-1", "1000001", "many"}},
	{"target-rate", "20", "0", []string{"-1", "1e7", "NaN", "Inf", "often"}},
	{"tick", "50ms", "1s", []string{"9ms", "1001ms", "-50ms", "50", "soon"}},
	{"tls-cert", `""`, "", []string{"no-such-file.pem"}}, // without -tls-key
	{"tls-key", `""`, "", []string{"no-such-file.pem"}},
	{"tls-min", "1.2", "1.3", []string{"1.1", "", "new"}},
	{"trusted-proxies", `""`, "10.0.0.0/8,::1/128", []string{"localhost", "10.0.0.0/33", "::ffff:10.0.0.1"}},
	{"version", "false", "", []string{"perhaps"}},
	{"view", "100", "1", []string{"0", "10001", "all"}},
	{"web", `""`, ".", []string{"no-such-folder", "config_test.go"}},
	{"world", "-2048,-2048,2048,2048", "-1,-2,3.5,4", []string{"", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,0,0,0", "1,1,-1,-1", "NaN,0,1,1", "-1e10,0,1,1"}},
	{"writers", "0", "64", []string{"-1", "65", "all"}},
}

// TestConfigWrong gives every setting wrong values, as flag and as environment
// variable: each is one line, which names the setting.
func TestConfigWrong(t *testing.T) {
	for _, s := range settings {
		for _, value := range s.wrong {
			t.Run(s.name+"="+value[:min(len(value), 20)], func(t *testing.T) {
				wrongly(t, s.name, []string{"-" + s.name + "=" + value})
				if value == "" || s.name == "version" {
					return // an empty variable is none
				}
				t.Setenv(variable(s.name), value)
				wrongly(t, s.name, nil)
			})
		}
	}
	for name, args := range map[string][]string{
		"too much work for a password": {"-hash-memory", "1048576", "-hash-time", "5"},

		"no such flag": {"-no-such-flag"},
		"no value":     {"-tick"},
		"not a flag":   {"-tick", "50ms", "now"},
	} {
		t.Run(name, func(t *testing.T) { wrongly(t, "", args) })
	}
}

func variable(name string) string {
	return "TAVERN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// wrongly wants the arguments to be refused in one line that names the setting.
func wrongly(t *testing.T, name string, args []string) {
	t.Helper()
	var out bytes.Buffer
	cfg, err := parseConfig(args, &out)
	switch {
	case err == nil:
		t.Errorf("taken: %s", cfg.values[name])
	case errors.Is(err, flag.ErrHelp) || out.Len() > 0:
		t.Errorf("the help comes for it: %v, %s", err, out.String())
	case strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 300:
		t.Errorf("more than a line: %q", err)
	case !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "-h"):
		t.Errorf("%q names neither %q nor -h", err, name)
	}
}

// TestConfigRight sets every setting to something else: by its flag, by its
// variable, and by both, when the flag wins.
func TestConfigRight(t *testing.T) {
	for _, s := range settings {
		if s.other == "" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			if got := value(t, s.name); got != strings.Trim(s.preset, `"`) && s.name != "writers" {
				t.Errorf("without a word it is %q, want %q", got, s.preset)
			}
			if got := value(t, s.name, "-"+s.name, s.other); got != s.other {
				t.Errorf("with the flag it is %q, want %q", got, s.other)
			}
			t.Setenv(variable(s.name), s.other)
			if got := value(t, s.name); got != s.other {
				t.Errorf("with the variable it is %q, want %q", got, s.other)
			}
			t.Setenv(variable(s.name), s.wrong[len(s.wrong)-1]) // never looked at
			if got := value(t, s.name, "-"+s.name, s.other); got != s.other {
				t.Errorf("with both it is %q, want the flag's %q", got, s.other)
			}
		})
	}
}

func value(t *testing.T, name string, args ...string) string {
	t.Helper()
	cfg, err := parseConfig(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.values[name]
}

// TestHelp looks for every flag in the help, with its default, and for nothing
// else.
func TestHelp(t *testing.T) {
	for _, arg := range []string{"-h", "-help", "--help"} {
		var out bytes.Buffer
		if _, err := parseConfig([]string{"-tick", "20ms", arg}, &out); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: %v, want flag.ErrHelp", arg, err)
		}
		flags := regexp.MustCompile(`(?m)^  -([a-z-]+) .*?  +default (\S+)  +\S`).FindAllStringSubmatch(out.String(), -1)
		var names []string
		for _, f := range flags {
			names = append(names, f[1])
			i := slices.IndexFunc(settings, func(s setting) bool { return s.name == f[1] })
			if i < 0 {
				t.Errorf("this test does not know -%s", f[1])
			} else if f[2] != settings[i].preset {
				t.Errorf("%s: -%s has the default %s, want %s", arg, f[1], f[2], settings[i].preset)
			}
		}
		for _, s := range settings {
			if !slices.Contains(names, s.name) {
				t.Errorf("the help for %s does not tell of -%s:\n%s", arg, s.name, out.String())
			}
		}
	}
}

// TestExit runs the program itself with what it refuses, and with what it answers
// and ends.
func TestExit(t *testing.T) {
	t.Parallel()
	program := buildServer(t)
	notADatabase := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notADatabase, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	busy := startServer(t)
	for _, c := range []struct {
		name   string
		args   []string
		env    string
		status int
		out    string // begins the standard output, which is empty otherwise
		errs   string // begins the one line of the standard error, which is empty otherwise
	}{
		{"a wrong value", []string{"-tick", "soon"}, "", 2, "", `tavern: invalid value "soon" for flag -tick`},
		{"a value out of range", []string{"-speed", "-1"}, "", 2, "", "tavern: -speed -1: must be"},
		{"a wrong variable", nil, "TAVERN_GUESTS=perhaps", 2, "", "tavern: "},
		{"no such flag", []string{"-nonsense"}, "", 2, "", "tavern: flag provided but not defined: -nonsense"},
		{"no such command", []string{"dance"}, "", 2, "", `tavern: no command "dance"`},
		{"a port in use", []string{"-addr", busy.addr, "-db", filepath.Join(t.TempDir(), "a.db")}, "", 1, "", "time="},
		{"no database", []string{"-addr", "127.0.0.1:0", "-db", notADatabase}, "", 1, "", "time="},
		{"a folder that is not there", []string{"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "no", "a.db")}, "", 1, "", "time="},
		{"help", []string{"-h"}, "", 0, "Tavern, ", ""},
		{"version", []string{"-version"}, "", 0, "tavern devel, commit ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(program, append(c.args, "-admin", "", "-log-level", "error")...)
			if c.status == 2 && c.errs != "" || c.status == 0 {
				cmd.Args = append([]string{program}, c.args...)
			}
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
			if c.env != "" {
				cmd.Env = append(cmd.Env, c.env)
			}
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			stuck := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			defer stuck.Stop()
			_ = cmd.Run()
			if status := cmd.ProcessState.ExitCode(); status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			if !strings.HasPrefix(out.String(), c.out) || c.out == "" && out.Len() > 0 {
				t.Errorf("it says %q, want %q", out.String(), c.out)
			}
			if !strings.HasPrefix(errs.String(), c.errs) || c.errs == "" && errs.Len() > 0 || strings.Count(errs.String(), "\n") > 1 {
				t.Errorf("it complains %q, want one line %q", errs.String(), c.errs)
			}
			if left, _ := filepath.Glob(filepath.Join(cmd.Dir, "*")); len(left) > 0 {
				t.Errorf("it leaves %v behind", left)
			}
		})
	}
}
