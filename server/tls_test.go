package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// pair is a certificate for 127.0.0.1 in files that a server reads.
type pair struct {
	cert, key string
	trust     *x509.CertPool
}

// newPair makes the files in a folder of their own.
func newPair(t testing.TB, serial int64, to time.Time) *pair {
	t.Helper()
	dir := t.TempDir()
	p := &pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), x509.NewCertPool()}
	p.renew(t, serial, to)
	return p
}

// renew makes another certificate and key in the same files.
func (p *pair) renew(t testing.TB, serial int64, to time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: to, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{p.key: {Type: "EC PRIVATE KEY", Bytes: keyDER}, p.cert: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.trust.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (p *pair) client() *tls.Config { return &tls.Config{RootCAs: p.trust, ServerName: "localhost"} }

// serial is of the certificate that a new handshake is given.
func (p *pair) serial(t testing.TB, addr string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", addr, p.client())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// TestTLSServer runs the program with a certificate: pages, a login, a new
// certificate at SIGHUP that drops nobody, a wrong one that changes nothing, and no
// plaintext.
func TestTLSServer(t *testing.T) {
	files := newPair(t, 1, time.Now().Add(24*time.Hour))
	p := startProcess(t, filepath.Join(t.TempDir(), "t.db"), "-tls-cert", files.cert, "-tls-key", files.key)
	transport := &http.Transport{TLSClientConfig: files.client(), DisableKeepAlives: true}
	web := &http.Client{Transport: transport, Timeout: patience}
	resp, err := web.Get("https://" + p.addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
	_ = resp.Body.Close()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "wss://"+p.addr+"/", &websocket.DialOptions{HTTPClient: web})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	ask := func(packet, want string) {
		t.Helper()
		if err := c.Write(ctx, websocket.MessageText, []byte(packet)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || !strings.Contains(string(got), want) {
			t.Fatalf("%s: %s %v, want %s", packet, got, err, want)
		}
	}
	ask(`{"a":"Register","p0":"alice","p1":"password"}`, `"Ok"`)
	ask(`{"a":"Login","p0":"alice","p1":"wrong"}`, "incorrect")

	files.renew(t, 2, time.Now().Add(24*time.Hour))
	p.signal(syscall.SIGHUP)
	until(t, "the new certificate is in use", func() bool { return files.serial(t, p.addr) == 2 })
	if err := os.WriteFile(files.cert, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	until(t, "the log says that the old one stays", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(strings.Join(p.log, "\n"), "the old one stays")
	})
	if got := files.serial(t, p.addr); got != 2 {
		t.Errorf("certificate %d is in use", got)
	}
	ask(`{"a":"Login","p0":"alice","p1":"password"}`, `"Ok"`) // on the connection of the first certificate

	resp, err = webClient.Get("http://" + p.addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "TLS") {
		t.Errorf("plain HTTP is answered with %d %q", resp.StatusCode, text)
	}
	p.signal(syscall.SIGTERM)
	if status := p.exit(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestTLSMistakes: what cannot be served is an error at the start, in a sentence
// that names the flag, and before there is a database.
func TestTLSMistakes(t *testing.T) {
	good, expired := newPair(t, 1, time.Now().Add(time.Hour)), newPair(t, 2, time.Now().Add(-time.Hour))
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no key", []string{"-tls-cert", good.cert}, "-tls-key"},
		{"no certificate", []string{"-tls-key", good.key}, "-tls-cert"},
		{"missing file", []string{"-tls-cert", good.cert + "x", "-tls-key", good.key}, "no such file"},
		{"another's key", []string{"-tls-cert", good.cert, "-tls-key", expired.key}, "does not match"},
		{"expired", []string{"-tls-cert", expired.cert, "-tls-key", expired.key}, "expired on"},
		{"old TLS", []string{"-tls-cert", good.cert, "-tls-key", good.key, "-tls-min", "1.1"}, "-tls-min"},
		{"both ways", []string{"-tls-cert", good.cert, "-tls-key", good.key, "-domain", "play.example.org"}, "-domain"},
		{"an address for a name", []string{"-domain", "192.0.2.1"}, "-domain"},
		{"a URL for a name", []string{"-domain", "https://play.example.org"}, "-domain"},
		{"an authority for nothing", []string{"-acme-http", ":80"}, "-domain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := filepath.Join(t.TempDir(), "t.db")
			cfg, err := parseConfig(append([]string{"-addr", "127.0.0.1:0", "-admin", "", "-db", db}, c.args...), io.Discard)
			if err == nil {
				cfg.logger = slog.New(slog.DiscardHandler)
				ctx, cancel := context.WithCancel(t.Context())
				cfg.listening = func(string) { cancel() }
				err = run(ctx, cfg)
				cancel()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if _, err := os.Stat(db); err == nil {
				t.Error("a database was made")
			}
		})
	}
}
