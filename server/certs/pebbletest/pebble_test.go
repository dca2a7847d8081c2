// Package pebbletest tests the server's ACME against Pebble, Let's Encrypt's own
// test authority. It is a module by itself, so that Pebble is none of the
// server's dependencies.
package pebbletest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	name     = "play.example.org"
	patience = time.Minute
)

// TestAuthority: the server gets its certificate from an authority that checks it
// in one way or the other, keeps it in a private folder, and needs no authority
// at the next start.
func TestAuthority(t *testing.T) {
	dir := t.TempDir()
	output(t, "go", "build", "-o", dir+string(filepath.Separator), "tool")
	output(t, "go", "build", "-C", "../..", "-o", filepath.Join(dir, "server"), ".")
	pebble := strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/letsencrypt/pebble/v2"))
	certs := filepath.Join(pebble, "test", "certs")

	for _, c := range []struct {
		name string
		http bool
	}{{"TLS-ALPN-01", false}, {"HTTP-01", true}} {
		t.Run(c.name, func(t *testing.T) {
			port := freePorts(t, 7)
			acme, management, dns, dnsManagement, game, web, nobody := port[0], port[1], port[2], port[3], port[4], port[5], port[6]
			run(t, nil, filepath.Join(dir, "pebble-challtestsrv"), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dnsserver", local(dns),
				"-management", local(dnsManagement), "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
			tlsPort := game
			if c.http {
				tlsPort = nobody // so that only the other way is left
			}
			config, err := json.Marshal(map[string]any{"pebble": map[string]any{
				"listenAddress": local(acme), "managementListenAddress": local(management), "httpPort": web, "tlsPort": tlsPort,
				"certificate": filepath.Join(certs, "localhost", "cert.pem"), "privateKey": filepath.Join(certs, "localhost", "key.pem"),
				"profiles": map[string]any{"default": map[string]any{"description": "the usual", "validityPeriod": 7776000}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "pebble.json")
			if err := os.WriteFile(file, config, 0o600); err != nil {
				t.Fatal(err)
			}
			authority := run(t, []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=20"},
				filepath.Join(dir, "pebble"), "-config", file, "-dnsserver", local(dns), "-strict")
			authority.await(t, "Listening on")

			data := t.TempDir()
			env := []string{"SSL_CERT_FILE=" + filepath.Join(certs, "pebble.minica.pem")}
			args := []string{"-addr", local(game), "-admin", "", "-db", filepath.Join(data, "tavern.db"),
				"-domain", name, "-acme-directory", "https://" + local(acme) + "/dir", "-acme-email", "me@example.org"}
			if c.http {
				args = append(args, "-acme-http", local(web))
			}
			server := run(t, env, filepath.Join(dir, "server"), args...)
			server.await(t, "certificate ready")
			first := served(t, game)
			if err := first.VerifyHostname(name); err != nil || !strings.Contains(first.Issuer.CommonName, "Pebble") {
				t.Errorf("%v, issued by %q", err, first.Issuer.CommonName)
			}
			if info, err := os.Stat(filepath.Join(data, "certificates")); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder: %v, %v", info, err)
			}
			if c.http {
				redirected(t, web, game)
			}
			server.stop(t)
			authority.stop(t)

			server = run(t, env, filepath.Join(dir, "server"), args...)
			server.await(t, "certificate ready")
			if again := served(t, game); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
				t.Error("after a restart the certificate is another")
			}
			server.stop(t)
		})
	}
}

// served is the certificate that a client is given, who names no server.
func served(t *testing.T, port int) *x509.Certificate {
	t.Helper()
	c, err := tls.Dial("tcp", local(port), &tls.Config{InsecureSkipVerify: true}) // the test looks at it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.ConnectionState().PeerCertificates[0]
}

// redirected asks the authority's port for a page: it is at the TLS port, and at
// no host that a request names.
func redirected(t *testing.T, web, game int) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+local(web)+"/page?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got, want := resp.Header.Get("Location"), fmt.Sprintf("https://%s:%d/page?x=1", name, game); got != want {
		t.Errorf("redirected to %q, want %q", got, want)
	}
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// freePorts are ports that nobody had a moment ago.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ln.Close() }()
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func output(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// program is a process whose lines are kept.
type program struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu   sync.Mutex
	said bytes.Buffer
}

// Write keeps what the process says.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *program) lines() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// run starts a process, which is killed when the test ends.
func run(t *testing.T, env []string, path string, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = io.Writer(p), p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(p.done); _ = p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(path), p.lines())
		}
	})
	return p
}

// await waits until the process has said something.
func (p *program) await(t *testing.T, what string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(p.lines(), what) {
		select {
		case <-tick.C:
		case <-p.done:
			t.Fatalf("it ended before it said %q", what)
		case <-ctx.Done():
			t.Fatalf("it never said %q", what)
		}
	}
}

// stop interrupts the process and waits for its end.
func (p *program) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-p.done
}
