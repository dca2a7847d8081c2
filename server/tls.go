package main

import (
	"context"
	stdtls "crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"tavern/server/certs"
	"tavern/server/ws"
)

// certificateLook is how often certificate files are looked at for a change.
const certificateLook = 10 * time.Second

// tlsConfig is the part of the settings that has to do with TLS.
type tlsConfig struct {
	cert, key string
	least     string
	domain    string
	acmeHTTP  string
	acmeURL   string
	acmeEmail string
}

func (c *tlsConfig) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.cert, "tls-cert", "", "PEM `file` with the certificate and its chain: the port then speaks TLS, wss:// and https://; read again when it changes and on SIGHUP")
	fs.StringVar(&c.key, "tls-key", "", "PEM `file` with the key of -tls-cert")
	fs.StringVar(&c.least, "tls-min", "1.2", "oldest TLS spoken, `1.2|1.3`; Godot 3 has nothing newer than 1.2")
	fs.StringVar(&c.domain, "domain", "", "`name` of this server, or several with commas: the port then speaks TLS with certificates from Let's Encrypt, in the folder certificates beside the database")
	fs.StringVar(&c.acmeHTTP, "acme-http", "", "`host:port` that answers the authority at port 80 and sends browsers to https, like :80; empty = the authority asks at -addr, which must then be port 443 to the world")
	fs.StringVar(&c.acmeURL, "acme-directory", "", "`URL` of another certificate authority that speaks ACME; empty = Let's Encrypt")
	fs.StringVar(&c.acmeEmail, "acme-email", "", "`address` that the certificate authority may write to")
}

func (c *tlsConfig) check() error {
	switch {
	case (c.cert == "") != (c.key == ""):
		return errors.New("-tls-cert and -tls-key: each needs the other")
	case c.cert != "" && c.domain != "":
		return errors.New("-domain: gets its own certificate, so -tls-cert cannot be there too")
	case c.least != "1.2" && c.least != "1.3":
		return fmt.Errorf("-tls-min %q: must be 1.2 or 1.3", c.least)
	case c.domain != "" && certs.CheckNames(c.names()) != nil:
		return fmt.Errorf("-domain: %w", certs.CheckNames(c.names()))
	case c.domain == "" && (c.acmeHTTP != "" || c.acmeURL != "" || c.acmeEmail != ""):
		return errors.New("-acme-http, -acme-directory and -acme-email: need -domain")
	}
	return nil
}

// names are those of -domain.
func (c *tlsConfig) names() []string {
	return strings.FieldsFunc(c.domain, func(r rune) bool { return r == ',' || r == ' ' })
}

// guard is what the server has for TLS: nil without.
type guard struct {
	ws.TLS
	log     *slog.Logger
	pair    *certs.Pair    // of files, or
	hup     chan os.Signal // to read them again
	domains *certs.Domains // from an authority
	acme    net.Listener   // for the authority, if it asks at another port
}

// openGuard reads certificates. nil means that the port shall be plain.
func openGuard(cfg *config) (*guard, error) {
	c := &cfg.tls
	g := &guard{log: cfg.logger, TLS: ws.TLS{MinVersion: stdtls.VersionTLS12}}
	if c.least == "1.3" {
		g.MinVersion = stdtls.VersionTLS13
	}
	var err error
	switch {
	case c.cert != "":
		if g.pair, err = certs.Open(c.cert, c.key); err != nil {
			return nil, fmt.Errorf("-tls-cert: %w", err)
		}
		if g.pair.LooseKey() {
			g.log.Warn("everybody on this machine can read the key: chmod 600", "file", c.key)
		}
		g.Certificate = g.pair.Certificate
		g.hup = make(chan os.Signal, 1)
		signal.Notify(g.hup, syscall.SIGHUP)
	case c.domain != "":
		g.domains, err = certs.NewDomains(certs.DomainConfig{
			Names: c.names(),
			Cache: certificatesBeside(cfg.db), Directory: c.acmeURL, Email: c.acmeEmail, Logger: g.log,
		})
		if err != nil {
			return nil, fmt.Errorf("-domain: %w", err)
		}
		g.Certificate, g.Challenges = g.domains.Certificate, []string{certs.Challenge}
		if c.acmeHTTP != "" {
			if g.acme, err = net.Listen("tcp", c.acmeHTTP); err != nil {
				return nil, fmt.Errorf("cannot listen on %s for the certificate authority: %w", c.acmeHTTP, err)
			}
		}
	default:
		return nil, nil
	}
	return g, nil
}

// run keeps certificates fresh until ctx is done; addr is where the TLS port is.
func (g *guard) run(ctx context.Context, addr net.Addr) {
	if g.pair != nil {
		g.pair.Watch(ctx, certificateLook, g.hup, g.log)
		return
	}
	if g.acme != nil {
		_, port, _ := net.SplitHostPort(addr.String())
		web := &http.Server{
			Handler: g.domains.Handler(port), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
			WriteTimeout: 5 * time.Second, IdleTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10,
			ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = web.Serve(g.acme) // until Close
		}()
		defer func() { _ = web.Close(); <-served }()
	}
	g.domains.Fetch(ctx, time.Minute)
	<-ctx.Done()
}

// close gives back what openGuard took.
func (g *guard) close() {
	if g.hup != nil {
		signal.Stop(g.hup)
	}
	if g.acme != nil {
		_ = g.acme.Close()
	}
}

// front puts what has to come before net/http before the listener: the PROXY
// protocol, and TLS if there is a guard.
func (g *guard) front(ln net.Listener, cfg *config, to *gate) (*ws.FrontListener, error) {
	front := ws.FrontConfig{Admit: to.limits.greet, Timeout: cfg.limit.headerTime, MostGreetings: cfg.limit.greetings}
	if g != nil {
		front.TLS = &g.TLS
	}
	if cfg.peers.proxyProtocol {
		front.Proxy = func(addr netip.Addr) bool { return to.peers.Load().trusted.has(addr) }
	}
	return ws.Front(ln, front)
}
