// Package certs finds the certificate for a TLS handshake: in a pair of files,
// read again when they change, or from a certificate authority that speaks ACME
// (RFC 8555).
package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Pair is a certificate chain and its key in two PEM files.
type Pair struct {
	certFile, keyFile string
	now               func() time.Time

	current atomic.Pointer[tls.Certificate]

	mu   sync.Mutex
	seen [2]stamp // of the files, when they were read last, well or not
}

// stamp tells one state of a file from another. A file's time has the grain of the
// kernel's clock, some milliseconds: one that was put in its place has another number.
type stamp struct {
	modified time.Time
	size     int64
	inode    uint64
}

// Open reads the pair. An error names the file and what is wrong with it: it
// cannot be read, is no PEM, is expired or not valid yet, or the key is another's.
func Open(certFile, keyFile string) (*Pair, error) {
	p := &Pair{certFile: certFile, keyFile: keyFile, now: time.Now}
	p.seen = p.stamps()
	if err := p.load(); err != nil {
		return nil, err
	}
	return p, nil
}

// Certificate is for crypto/tls.Config.GetCertificate. Any goroutine.
func (p *Pair) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return p.current.Load(), nil
}

// Expiry is when the certificate in use ends. Any goroutine.
func (p *Pair) Expiry() time.Time { return p.current.Load().Leaf.NotAfter }

// Reload reads the files again. With an error, of the kinds of Open, the old
// certificate stays in use. Any goroutine.
func (p *Pair) Reload() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = p.stamps()
	return p.load()
}

// changed tells whether the files are others than at the last reading.
func (p *Pair) changed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stamps() != p.seen
}

func (p *Pair) stamps() (s [2]stamp) {
	for i, name := range []string{p.certFile, p.keyFile} {
		if info, err := os.Stat(name); err == nil { // through links, as ACME clients make them
			s[i] = stamp{modified: info.ModTime(), size: info.Size()}
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				s[i].inode = st.Ino
			}
		}
	}
	return s
}

// load reads and checks the files and puts the certificate in use.
func (p *Pair) load() error {
	chain, err := readFile("certificate", p.certFile)
	if err != nil {
		return err
	}
	key, err := readFile("key", p.keyFile)
	if err != nil {
		return err
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return fmt.Errorf("the certificate %s with the key %s: %w", p.certFile, p.keyFile, err)
	}
	now := p.now()
	switch {
	case now.After(cert.Leaf.NotAfter):
		return fmt.Errorf("the certificate %s expired on %s", p.certFile, cert.Leaf.NotAfter.Format(time.RFC1123))
	case now.Before(cert.Leaf.NotBefore):
		return fmt.Errorf("the certificate %s is not valid before %s: look at this machine's clock", p.certFile, cert.Leaf.NotBefore.Format(time.RFC1123))
	}
	p.current.Store(&cert)
	return nil
}

// readFile reads a file; the error says what it was to hold.
func readFile(what, name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("the %s %s cannot be read: %w", what, name, err)
	}
	return b, nil
}

// expirySoon is how long before a certificate's end the log begins to warn.
const expirySoon = 7 * 24 * time.Hour

// Watch reloads the pair when a signal comes, and when a file has changed, for
// which it looks every so often; it says in the log what came of it, and once a
// day that the certificate is about to expire. It returns when ctx is done.
func (p *Pair) Watch(ctx context.Context, every time.Duration, signals <-chan os.Signal, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var warned time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			p.reloaded(log)
		case <-tick.C:
			if p.changed() {
				p.reloaded(log)
			}
		}
		if left := p.Expiry().Sub(p.now()); left < expirySoon && p.now().Sub(warned) > 24*time.Hour {
			warned = p.now()
			log.Warn("the certificate must be renewed", "file", p.certFile, "expires", p.Expiry())
		}
	}
}

func (p *Pair) reloaded(log *slog.Logger) {
	if err := p.Reload(); err != nil {
		log.Error("the certificate is not reloaded, the old one stays", "error", err, "expires", p.Expiry())
		return
	}
	log.Info("certificate reloaded", "file", p.certFile, "expires", p.Expiry())
}

// LooseKey tells whether others than its owner's group may read the key file.
func (p *Pair) LooseKey() bool {
	info, err := os.Stat(p.keyFile)
	return err == nil && info.Mode().Perm()&0o007 != 0
}
