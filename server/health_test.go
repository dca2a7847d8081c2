package main

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHealthCommand asks running servers of every kind, and those that are not
// there.
func TestHealthCommand(t *testing.T) {
	t.Parallel()
	files := newPair(t, 1, time.Now().Add(time.Hour))
	for _, c := range []struct {
		name string
		args []string
	}{
		{"plain", nil},
		{"TLS, with a certificate that nobody signed", []string{"-tls-cert", files.cert, "-tls-key", files.key}},
		{"behind proxies", []string{"-trusted-proxies", "127.0.0.1", "-proxy-protocol", "on"}},
		{"both", []string{"-tls-cert", files.cert, "-tls-key", files.key, "-trusted-proxies", "127.0.0.0/8", "-proxy-protocol", "on"}},
		{"crowded", []string{"-max-players", "1", "-handshake-rate", "0.001", "-handshake-burst", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t, c.args...)
			args := append([]string{"-addr", s.addr, "-db", s.db}, c.args...)
			if out, err := runCommand(append([]string{"health"}, args...)...); err != nil || out != "ok\n" {
				t.Errorf("%q, %v; want ok", out, err)
			}
			_, port, _ := net.SplitHostPort(s.addr)
			args[1] = "0.0.0.0:" + port // as a server would listen
			if out, err := runCommand(append([]string{"health", "-ready"}, args...)...); err != nil || out != "ready\n" {
				t.Errorf("%q, %v; want ready", out, err)
			}
			s.stop()
			out, err := runCommand(append([]string{"health"}, args...)...)
			if err == nil || out != "" || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "no answer from 0.0.0.0:"+port) {
				t.Errorf("of one that has gone: %q, %v", out, err)
			}
		})
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"health", "-nonsense"}, "-nonsense"},
		{[]string{"health", "-tls-cert", "no-such.pem"}, "-tls-key"},
	} {
		if out, err := runCommand(c.args...); err == nil || out != "" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %q, %v", c.args, out, err)
		}
	}
}

// TestHealthOfAProgram: by the variables that the server has, as in a container,
// and by its exit status.
func TestHealthOfAProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	proc := startProcess(t, filepath.Join(dir, "t.db"))
	ask := func(args ...string) (out string, status int) {
		t.Helper()
		cmd := programCommand(t, append([]string{"health"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(cmd.Environ(), "TAVERN_ADDR="+proc.addr, "GORACE=atexit_sleep_ms=0")
		text, _ := cmd.CombinedOutput()
		return string(text), cmd.ProcessState.ExitCode()
	}
	if out, status := ask(); status != 0 || out != "ok\n" {
		t.Errorf("exit status %d, %q", status, out)
	}
	if out, status := ask("-ready"); status != 0 || out != "ready\n" {
		t.Errorf("exit status %d, %q", status, out)
	}
	proc.signal(syscall.SIGSTOP) // it hangs
	defer proc.signal(syscall.SIGCONT)
	start := time.Now()
	if out, status := ask(); status != 1 || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "tavern health: no answer from ") || time.Since(start) > patience {
		t.Errorf("of one that hangs: exit status %d, %q", status, out)
	}
}
