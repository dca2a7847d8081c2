package certs

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// made makes a self-signed certificate and its key, as PEM.
func made(t testing.TB, serial int64, from, to time.Time) (chain, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

// good is made for now.
func good(t testing.TB, serial int64) (chain, key []byte) {
	t.Helper()
	return made(t, serial, time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour))
}

// files writes a pair into a folder of its own. nil means no file.
func files(t testing.TB, chain, key []byte) (certFile, keyFile string) {
	t.Helper()
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, certFile, chain)
	write(t, keyFile, key)
	return certFile, keyFile
}

func write(t testing.TB, name string, b []byte) {
	t.Helper()
	if b == nil {
		return
	}
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// TestOpen: what is wrong is said, with the file's name; and the same at a reload,
// where the old certificate stays.
func TestOpen(t *testing.T) {
	now := time.Now()
	chain, key := good(t, 1)
	other, otherKey := good(t, 2)
	expired, expiredKey := made(t, 3, now.Add(-48*time.Hour), now.Add(-24*time.Hour))
	early, earlyKey := made(t, 4, now.Add(24*time.Hour), now.Add(48*time.Hour))
	for _, c := range []struct {
		name       string
		chain, key []byte
		want       []string // in the error; none: it opens
	}{
		{"good", chain, key, nil},
		{"another good one", other, otherKey, nil},
		{"no certificate", nil, key, []string{"cert.pem", "no such file"}},
		{"no key", chain, nil, []string{"key.pem", "no such file"}},
		{"not PEM", []byte("certificate"), key, []string{"cert.pem", "PEM"}},
		{"swapped", key, chain, []string{"cert.pem", "PEM"}},
		{"another's key", chain, otherKey, []string{"cert.pem", "key.pem", "does not match"}},
		{"expired", expired, expiredKey, []string{"cert.pem", "expired on"}},
		{"not valid yet", early, earlyKey, []string{"cert.pem", "not valid before", "clock"}},
		{"cut", chain[:len(chain)/2], key, []string{"cert.pem"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			certFile, keyFile := files(t, c.chain, c.key)
			p, err := Open(certFile, keyFile)
			said(t, err, c.want)
			if len(c.want) == 0 && p.Expiry().Before(now) {
				t.Errorf("expires %v", p.Expiry())
			}

			old, oldKey := good(t, 77)
			certFile, keyFile = files(t, old, oldKey)
			if p, err = Open(certFile, keyFile); err != nil {
				t.Fatal(err)
			}
			for name, b := range map[string][]byte{certFile: c.chain, keyFile: c.key} {
				if b == nil {
					_ = os.Remove(name)
				}
				write(t, name, b)
			}
			said(t, p.Reload(), c.want)
			if kept := serial(t, p) == 77; kept != (len(c.want) > 0) {
				t.Errorf("the old certificate is in use: %v", kept)
			}
		})
	}
}

func said(t testing.TB, err error, want []string) {
	t.Helper()
	if (err == nil) != (len(want) == 0) {
		t.Fatalf("error: %v", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func serial(t testing.TB, p *Pair) int64 {
	t.Helper()
	c, err := p.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf.SerialNumber.Int64()
}

// TestWatch: a change is noticed by itself, a signal is obeyed, and a wrong file
// keeps the old certificate and is complained of, once.
func TestWatch(t *testing.T) {
	chain, key := good(t, 1)
	certFile, keyFile := files(t, chain, key)
	p, err := Open(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	log := &journal{}
	ctx, cancel := context.WithCancel(t.Context())
	signals, done := make(chan os.Signal), make(chan struct{})
	go func() {
		defer close(done)
		p.Watch(ctx, time.Millisecond, signals, slog.New(slog.NewTextHandler(log, nil)))
	}()
	defer func() { cancel(); <-done }()

	chain, key = good(t, 2)
	write(t, keyFile, key) // for a moment the pair does not match
	log.await(t, "the old one stays", 1)
	write(t, certFile, chain)
	log.await(t, "certificate reloaded", 1)
	if got := serial(t, p); got != 2 {
		t.Errorf("serial %d, want 2", got)
	}
	write(t, certFile, []byte("rubbish"))
	log.await(t, "the old one stays", 2)
	signals <- syscall.SIGHUP
	log.await(t, "the old one stays", 3)
	if got := serial(t, p); got != 2 {
		t.Errorf("serial %d, want 2", got)
	}
	write(t, certFile, chain)
	log.await(t, "certificate reloaded", 2)
	soon, soonKey := made(t, 3, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	write(t, keyFile, soonKey)
	write(t, certFile, soon)
	log.await(t, "must be renewed", 1)
	if p.LooseKey() {
		t.Error("a key with mode 0600 is loose")
	}
}

// journal keeps what is logged.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) await(t testing.TB, what string, times int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		j.mu.Lock()
		n := strings.Count(j.buf.String(), what)
		j.mu.Unlock()
		if n == times {
			return
		}
		if n > times || time.Now().After(deadline) {
			t.Fatalf("%q was logged %d times, want %d:\n%s", what, n, times, j.buf.String())
		}
	}
}
