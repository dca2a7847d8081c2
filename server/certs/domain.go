package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Challenge is the protocol by which an authority asks on the TLS port itself
// (TLS-ALPN-01, RFC 8737): offer it in handshakes.
const Challenge = acme.ALPNProto

// Domains gets certificates for names from an authority that speaks ACME, keeps
// them in a folder, and renews them thirty days before they end.
//
// It is golang.org/x/crypto/acme/autocert: it comes with a module that we need
// anyway, and does what one server needs. certmagic does more (several servers
// that share a storage, DNS challenges) for nine modules more.
type Domains struct {
	manager *autocert.Manager
	names   []string
	log     *slog.Logger
}

// DomainConfig says for which names, and from whom.
type DomainConfig struct {
	Names []string // DNS names; the first also serves clients that name none
	Cache string   // folder, made with mode 0700
	// Directory is the URL of the authority. Default: Let's Encrypt's.
	Directory string
	// Email is where the authority may write to. Default: it may not.
	Email  string
	Logger *slog.Logger
}

// NewDomains asks nobody yet. An error names what cannot be: a name that no
// authority would certify, or a folder that cannot be made private.
func NewDomains(cfg DomainConfig) (*Domains, error) {
	if err := CheckNames(cfg.Names); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Cache, 0o700); err != nil {
		return nil, fmt.Errorf("the folder for certificates: %w", err)
	}
	if err := os.Chmod(cfg.Cache, 0o700); err != nil {
		return nil, fmt.Errorf("the folder for certificates: %w", err)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	directory := cfg.Directory
	if directory == "" {
		directory = autocert.DefaultACMEDirectory
	}
	return &Domains{
		manager: &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			Cache:      autocert.DirCache(cfg.Cache),
			HostPolicy: autocert.HostWhitelist(cfg.Names...),
			Client:     &acme.Client{DirectoryURL: directory, UserAgent: "tavern"},
			Email:      cfg.Email,
		},
		names: cfg.Names,
		log:   cfg.Logger,
	}, nil
}

// CheckNames refuses what no public authority gives a certificate for, and having
// no name at all.
func CheckNames(names []string) error {
	if len(names) == 0 {
		return errors.New("there is no name")
	}
	for _, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses what no public authority gives a certificate for.
func checkName(name string) error {
	switch {
	case net.ParseIP(name) != nil:
		return fmt.Errorf("%q is an address: a certificate needs a name", name)
	case !strings.Contains(name, ".") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "."):
		return fmt.Errorf("%q is no full name like play.example.org", name)
	case strings.ContainsAny(name, "*/: \t"):
		return fmt.Errorf("%q is no name: without scheme, port, path or asterisk", name)
	}
	return nil
}

// Certificate is for crypto/tls.Config.GetCertificate. The first handshake for a
// name may take as long as the authority needs. Any goroutine.
func (d *Domains) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName == "" { // a client that was given an address
		named := *hello
		named.ServerName = d.names[0]
		hello = &named
	}
	return d.manager.GetCertificate(hello)
}

// Fetch gets the certificate of each name now, so that no player has to wait for
// the first, and says in the log what came of it. It tries again, ever more
// rarely, until all are there or ctx is done.
func (d *Domains) Fetch(ctx context.Context, first time.Duration) {
	missing := slices.Clone(d.names)
	for wait := first; ; wait = min(2*wait, time.Hour) {
		missing = slices.DeleteFunc(missing, func(name string) bool {
			cert, err := d.get(ctx, name)
			if err == nil {
				d.log.Info("certificate ready", "name", name, "expires", cert.Leaf.NotAfter)
			} else if ctx.Err() == nil {
				d.log.Error("no certificate yet", "name", name, "error", err, "again_in", wait)
			}
			return err == nil
		})
		timer := time.NewTimer(wait)
		defer timer.Stop()
		if len(missing) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
}

// get is Certificate that can be given up; what it has begun goes on by itself
// for five minutes at most.
func (d *Domains) get(ctx context.Context, name string) (*tls.Certificate, error) {
	type result struct {
		cert *tls.Certificate
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// What every client of today can do, so that the key is an elliptic curve's.
		cert, err := d.manager.GetCertificate(&tls.ClientHelloInfo{
			ServerName:       name,
			CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
			SupportedCurves:  []tls.CurveID{tls.CurveP256},
		})
		if err == nil && cert.Leaf == nil {
			err = errors.New("a certificate that cannot be read")
		}
		done <- result{cert, err}
	}()
	select {
	case r := <-done:
		return r.cert, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Handler answers an authority that asks on port 80 (HTTP-01), and sends everybody
// else to the TLS port, whose number is given.
func (d *Domains) Handler(port string) http.Handler {
	answer := d.manager.HTTPHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "Use https://", http.StatusBadRequest)
			return
		}
		// To a name of ours, and to no other that a request may bring.
		host := d.names[0]
		if slices.Contains(d.names, r.Host) {
			host = r.Host
		}
		if port != "443" {
			host = net.JoinHostPort(host, port)
		}
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusFound)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			r = r.Clone(r.Context())
			r.Host = host // autocert knows names, and whoever asks at another port adds it
		}
		answer.ServeHTTP(w, r)
	})
}
