package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const healthAbout = `
Asks the server on this machine whether it is alive, or with -ready whether people
should be sent to it, and ends with 1 if not. Give it the flags, variables and file
that the server is started with: they tell where it listens and whether it speaks TLS.
The certificate's name is not looked at. It takes every flag of the server; these matter:

    tavern health
    tavern health -ready -addr :443 -domain play.example.org
`

// healthFlags are the flags that health looks at.
var healthFlags = []string{"addr", "config", "domain", "proxy-protocol", "ready", "tls-cert", "tls-key", "trusted-proxies"}

// healthTime bounds the question and its answer.
const healthTime = 4 * time.Second

func runHealth(args []string, out io.Writer) error {
	fs := commandFlags("health")
	ready := fs.Bool("ready", false, "ask whether people should be sent to it: it saves, and is not shutting down")
	cfg, err := parseServerCommand(fs, args, out, healthAbout, healthFlags)
	if err != nil {
		return err
	}
	path := "/healthz"
	if *ready {
		path = "/readyz"
	}
	ctx, stop := interruptible()
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	answer, err := askHealth(ctx, cfg, path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, printable(answer))
	return err
}

// askHealth asks the server that runs with cfg on this machine, and returns what it
// says.
func askHealth(ctx context.Context, cfg *config, path string) (string, error) {
	scheme, security := "http://", (*tls.Config)(nil)
	if cfg.tls.cert != "" || cfg.tls.domain != "" {
		// Our own port on our own machine: what is asked is whether it answers.
		scheme, security = "https://", &tls.Config{InsecureSkipVerify: true}
		if names := cfg.tls.names(); len(names) > 0 {
			security.ServerName = names[0] // by which it chooses the certificate
		}
	}
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: security,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			// An empty or unspecified host is this machine to Dial, too.
			c, err := new(net.Dialer).DialContext(ctx, network, cfg.addr)
			if err == nil && cfg.proxyHeader(c.LocalAddr()) {
				_, err = io.WriteString(c, "PROXY UNKNOWN\r\n") // as proxies do who ask for themselves
			}
			return c, err
		},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"localhost"+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", fmt.Errorf("no answer from %s: %w", cfg.addr, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 256))
	answer := strings.TrimSpace(string(text))
	switch {
	case err != nil:
		return "", fmt.Errorf("half an answer from %s: %w", cfg.addr, err)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s says %d: %s", cfg.addr, resp.StatusCode, printable(answer))
	}
	return answer, nil
}

// proxyHeader tells whether the server expects a PROXY header from addr.
func (c *config) proxyHeader(addr net.Addr) bool {
	from, err := netip.ParseAddrPort(addr.String())
	return bool(c.peers.proxyProtocol) && err == nil && c.peers.trusted.has(from.Addr())
}
