package doctor

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tavern/game/account"
)

func TestPort(t *testing.T) {
	fails := func(err error) func(context.Context, string) error {
		return func(context.Context, string) error {
			return &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", err)}
		}
	}
	p := machine(t, nil)
	judged(t, p.port(t.Context()), OK, ":8081 is free")

	p.listen = fails(syscall.EACCES)
	judged(t, p.port(t.Context()), Fail, "CAP_NET_BIND_SERVICE")
	p.listen = fails(syscall.EADDRNOTAVAIL)
	judged(t, p.port(t.Context()), Fail, "no such address")
	p.listen = func(context.Context, string) error { return errors.New("lookup nowhere: no such host") }
	judged(t, p.port(t.Context()), Fail, "no such host", "host:port")

	p.listen = fails(syscall.EADDRINUSE)
	judged(t, p.port(t.Context()), Fail, "another program", "sport = :8081")
	if p.running {
		t.Error("another program counts as a server of ours")
	}
	// Port 8081 is 1F91; the first line listens elsewhere, the second is no listener.
	const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	table := header +
		"   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 111 1\n" +
		"   1: 0100007F:1F91 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 222 1\n" +
		"   2: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 333 1\n"
	p = machine(t, map[string]string{"proc/net/tcp6": table, "proc/4711/comm": "nginx\n", "proc/4712/comm": "other\n"})
	for pid, inode := range map[string]string{"4711": "333", "4712": "222"} {
		folder := filepath.Join(p.Root, "proc", pid, "fd")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("socket:["+inode+"]", filepath.Join(folder, "7")); err != nil {
			t.Fatal(err)
		}
	}
	p.listen = fails(syscall.EADDRINUSE)
	judged(t, p.port(t.Context()), Fail, "nginx (process 4711)", "stop it")
	p.healthy = func(context.Context, string) bool { return true }
	judged(t, p.port(t.Context()), OK, "a server answers there: nginx (process 4711)")
	if !p.running || p.server != 4711 {
		t.Errorf("running %v, process %d", p.running, p.server)
	}
}

// The real ways to a port, on this machine.
func TestRealPort(t *testing.T) {
	answer := "ok\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	addr := server.Listener.Addr().String()
	p := newProbe(Config{Addr: addr, MaxPlayers: 1})
	judged(t, p.port(t.Context()), OK, "a server answers there")
	if p.server != 0 && p.server != os.Getpid() {
		t.Errorf("it is said to be process %d, we are %d", p.server, os.Getpid())
	}
	// A server with domains of its own is asked for one of them, and one that has no
	// certificate yet is known by its page.
	var asked string
	secure := httptest.NewUnstartedServer(server.Config.Handler)
	secure.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if asked = hello.ServerName; asked != "game.example" {
			return nil, errors.New("not ours")
		}
		return nil, nil
	}}
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	defer secure.Close()
	named := Config{Addr: secure.Listener.Addr().String(), MaxPlayers: 1, Domains: []string{"game.example"}}
	judged(t, newProbe(named).port(t.Context()), OK, "a server answers there")
	named.Domains = []string{"other.example"}
	judged(t, newProbe(named).port(t.Context()), Fail, "is used by")
	if named.Admin = addr; p.server != 0 {
		judged(t, newProbe(named).port(t.Context()), OK, "a server answers there")
	}
	answer = "no"
	judged(t, newProbe(Config{Addr: addr}).port(t.Context()), Fail, "is used by")
	server.Close()
	judged(t, newProbe(Config{Addr: addr}).port(t.Context()), OK, "is free")
	judged(t, newProbe(Config{Addr: "nonsense"}).port(t.Context()), Fail, "host:port")
}

func TestSpace(t *testing.T) {
	const plenty = 1 << 40
	for _, c := range []struct {
		what  string
		disk  disk
		err   error
		level Level
		says  string
	}{
		{"enough", disk{free: plenty, inodes: -1, kind: "ext4"}, nil, OK, "1.0 TiB free"},
		{"enough, and files", disk{free: plenty, inodes: 100, kind: "ext4"}, nil, OK, ""},
		{"little", disk{free: 300 << 20, inodes: -1, kind: "ext4"}, nil, Warn, "make room"},
		{"none", disk{free: 63 << 20, inodes: -1, kind: "ext4"}, nil, Fail, "make room"},
		{"no files", disk{free: plenty, inodes: 99, kind: "ext4"}, nil, Fail, "df -i"},
		{"network", disk{free: plenty, inodes: -1, kind: "NFS", remote: true}, nil, Fail, "-db"},
		{"memory", disk{free: plenty, inodes: -1, kind: "tmpfs", volatile: true}, nil, Warn, "reboot"},
		{"read-only", disk{free: plenty, inodes: -1, kind: "ext4", readOnly: true}, nil, Fail, "remount"},
		{"no folder", disk{}, fs.ErrNotExist, Fail, "mkdir -p"},
		{"not told", disk{}, errors.New("no"), Skip, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := machine(t, nil)
			p.disk = func(folder string) (disk, error) {
				if folder != filepath.Dir(p.DB) {
					t.Errorf("looks at %s", folder)
				}
				return c.disk, c.err
			}
			judged(t, p.space(), c.level, c.says)
		})
	}
	t.Run("less than a backup needs", func(t *testing.T) {
		p := machine(t, nil)
		if err := os.WriteFile(p.DB, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(p.DB, 1<<30); err != nil { // a hole, which takes no room
			t.Fatal(err)
		}
		p.disk = func(string) (disk, error) { return disk{free: 2<<30 - 1, inodes: -1, kind: "ext4"}, nil }
		judged(t, p.space(), Warn, "1.0 GiB", "backup")
		p.disk = func(string) (disk, error) { return disk{free: 2 << 30, inodes: -1, kind: "ext4"}, nil }
		judged(t, p.space(), OK)
	})
	t.Run("this machine's", func(t *testing.T) {
		d, err := diskOf(t.TempDir())
		if err != nil || d.free <= 0 || d.kind == "" {
			t.Errorf("%+v, %v", d, err)
		}
		if _, err := diskOf(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

// database makes one with an account.
func database(t *testing.T, path string) {
	t.Helper()
	ctx := t.Context()
	store, err := account.Open(ctx, account.Config{Path: path, HashMemoryKiB: 8, HashTime: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	if err := store.Register("alice", "secret", 0, func(err error) { answer <- err }); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-answer, store.Close(ctx)); err != nil {
		t.Fatal(err)
	}
}

func TestDatabase(t *testing.T) {
	for _, c := range []struct {
		what  string
		make  func(t *testing.T, p *probe)
		level []Level
		says  string // of the last
	}{
		{"none", func(*testing.T, *probe) {}, []Level{OK}, "the first start makes it"},
		{"sound", func(t *testing.T, p *probe) { database(t, p.DB) }, []Level{OK}, "is sound: 1 accounts"},
		{"rubbish", func(t *testing.T, p *probe) { _ = os.WriteFile(p.DB, bytes.Repeat([]byte("x"), 5000), 0o600) }, []Level{Fail}, "tavern restore BACKUP -db"},
		{"damaged", func(t *testing.T, p *probe) {
			database(t, p.DB)
			about, err := os.Stat(p.DB)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(p.DB, about.Size()/2); err != nil {
				t.Fatal(err)
			}
		}, []Level{Fail}, "tavern restore"},
		{"open to others", func(t *testing.T, p *probe) { database(t, p.DB); _ = os.Chmod(p.DB, 0o644) }, []Level{OK, Warn}, "chmod 600"},
		{"a huge log", func(t *testing.T, p *probe) {
			database(t, p.DB)
			_ = os.WriteFile(p.DB+"-wal", nil, 0o600)
			_ = os.Truncate(p.DB+"-wal", 300<<20)
		}, []Level{OK, Warn}, "300 MiB"},
		{"from the future", func(t *testing.T, p *probe) {
			database(t, p.DB)
			p.now = func() time.Time { return time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC) }
		}, []Level{OK, Warn}, "timedatectl"},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := machine(t, nil)
			p.now = time.Now
			c.make(t, p)
			findings := p.database(t.Context())
			if len(findings) != len(c.level) {
				t.Fatalf("%d findings: %+v", len(findings), findings)
			}
			for i, f := range findings {
				if i == len(findings)-1 {
					judged(t, f, c.level[i], c.says)
				} else {
					judged(t, f, c.level[i])
				}
			}
		})
	}
}

func TestClock(t *testing.T) {
	p := machine(t, nil)
	judged(t, p.clock(), OK, "2026-06-01 20:00 UTC, set by a time server")
	p.synced = func() (bool, error) { return false, nil }
	judged(t, p.clock(), Warn, "set-ntp true")
	p.synced = func() (bool, error) { return false, errors.New("no") }
	judged(t, p.clock(), OK, "cannot be seen")
	for _, year := range []int{1970, 2024, 2100} {
		p.now = func() time.Time { return time.Date(year, 1, 2, 0, 0, 0, 0, time.UTC) }
		judged(t, p.clock(), Fail, "date -s")
	}
	if _, err := clockSynced(); err != nil {
		t.Logf("this machine's clock: %v", err)
	}
}

func TestSQLiteVersions(t *testing.T) {
	judged(t, machine(t, nil).sqlite(), OK, "by cgo") // ours
	judged(t, sqliteFinding("3.38.0", []string{"THREADSAFE=1"}, nil), OK)
	judged(t, sqliteFinding("3.37.2", nil, nil), Fail, "libsqlite3")
	judged(t, sqliteFinding("4.0.0", nil, nil), Fail)
	judged(t, sqliteFinding("nonsense", nil, nil), Fail)
	judged(t, sqliteFinding("3.50.1", []string{"A", "THREADSAFE=0"}, nil), Fail, "one thread")
	judged(t, sqliteFinding("", nil, errors.New("no cgo")), Fail, "CGO_ENABLED=1")
}

// certificate writes a certificate and its key, and gives their files.
func certificate(t *testing.T, key crypto.Signer, change func(*x509.Certificate)) (certFile, keyFile string) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tavern"},
		NotBefore: today.Add(-time.Hour), NotAfter: today.Add(60 * 24 * time.Hour),
		DNSNames: []string{"play.example.org"},
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := machine(t, nil)
	judged(t, p.tls(t.Context()), OK, "not used")
	for _, c := range []struct {
		what   string
		key    crypto.Signer
		change func(*x509.Certificate)
		level  Level
		says   []string
	}{
		{"good", key, func(*x509.Certificate) {}, OK, []string{"for play.example.org, until 2026-07-31"}},
		{"good, for an address", key, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(192, 0, 2, 1)} }, OK, []string{"192.0.2.1"}},
		{"soon expired", key, func(c *x509.Certificate) { c.NotAfter = today.Add(13 * 24 * time.Hour) }, Warn, []string{"certbot renew"}},
		{"expired", key, func(c *x509.Certificate) { c.NotAfter = today.Add(-time.Minute) }, Fail, []string{"expired", "certbot renew"}},
		{"not yet", key, func(c *x509.Certificate) { c.NotBefore = today.Add(time.Hour) }, Fail, []string{"timedatectl"}},
		{"for nobody", key, func(c *x509.Certificate) { c.DNSNames = nil }, Fail, []string{"no name"}},
		{"a key that Godot does not know", edKey, func(*x509.Certificate) {}, Fail, []string{"Ed25519", "ECDSA"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			p.TLSCert, p.TLSKey = certificate(t, c.key, c.change)
			judged(t, p.tls(t.Context()), c.level, c.says...)
		})
	}
	cert, keyFile := certificate(t, key, func(*x509.Certificate) {})
	_, otherKey := certificate(t, edKey, func(*x509.Certificate) {})
	p.TLSCert, p.TLSKey = cert, otherKey
	judged(t, p.tls(t.Context()), Fail, "PEM")
	p.TLSCert, p.TLSKey = cert, filepath.Join(t.TempDir(), "none")
	judged(t, p.tls(t.Context()), Fail, "none")
	p.TLSCert, p.TLSKey = cert, ""
	judged(t, p.tls(t.Context()), Fail, "give both")
	p.TLSCert, p.TLSKey = cert, keyFile
	if err := os.Chmod(keyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	judged(t, p.tls(t.Context()), Warn, "chmod o= ")
	if err := os.Chmod(keyFile, 0o640); err != nil {
		t.Fatal(err)
	}
	judged(t, p.tls(t.Context()), OK)
}

// All checks together, once where all is well and once where nothing is.
func TestRun(t *testing.T) {
	p := machine(t, nil)
	findings := p.run(t.Context())
	if Count(findings, OK) != len(findings) || len(findings) != 13 {
		t.Errorf("a healthy machine: %+v", findings)
	}
	names := map[string]bool{}
	for _, f := range findings {
		if names[f.Check] {
			t.Errorf("two checks are called %s", f.Check)
		}
		names[f.Check] = true
	}
	var out strings.Builder
	if err := Write(&out, findings); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "means:") || strings.Contains(out.String(), "sysctl") {
		t.Errorf("a healthy machine's report has advice:\n%s", &out)
	}

	p = machine(t, map[string]string{"proc/self/limits": limitsFile("1024"), "proc/sys/net/core/somaxconn": "128"})
	p.disk = func(string) (disk, error) { return disk{}, errors.New("no") }
	findings = p.run(t.Context())
	if Count(findings, Fail) != 1 || Count(findings, Warn) != 1 || Count(findings, Skip) != 1 {
		t.Errorf("findings %+v", findings)
	}
	out.Reset()
	if err := Write(&out, findings); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FAIL  open files", "means: nobody gets in", "do:    sysctl -w net.core.somaxconn=4096", "/etc/sysctl.d/", "SKIP  disk"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	written, err := json.Marshal(findings[1])
	if err != nil || !strings.HasPrefix(string(written), `{"check":"open files","level":"FAIL","found":"`) {
		t.Errorf("%s, %v", written, err)
	}
	if got := Run(t.Context(), Config{Addr: "127.0.0.1:0", DB: filepath.Join(t.TempDir(), "x.db"), MaxPlayers: 10}); len(got) != 13 {
		t.Errorf("on this machine: %+v", got)
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 200 << 20: "200 MiB", 3 << 50: "3072 TiB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d: got %q, want %q", bytes, got, want)
		}
	}
}

// TestOtherPorts: a port besides the players' that is taken is named, unless our
// own server has it.
func TestOtherPorts(t *testing.T) {
	p := machine(t, nil)
	p.Admin, p.ACMEHTTP = "127.0.0.1:8082", ":80"
	taken := map[string]bool{}
	p.listen = func(_ context.Context, addr string) error {
		if taken[addr] {
			return &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
		}
		return nil
	}
	levels := func(want ...Level) {
		t.Helper()
		found := p.otherPorts(t.Context())
		if len(found) != len(want) {
			t.Fatalf("%+v, want %v", found, want)
		}
		for i, f := range found {
			judged(t, f, want[i])
		}
	}
	levels(OK, OK)
	taken[":80"] = true
	levels(OK, Fail)
	judged(t, p.otherPorts(t.Context())[1], Fail, ":80 is used by another program", "sport = :80", "-acme-http")
	taken[p.Admin] = true
	levels(Warn, Fail)
	p.AdminAsked = true
	levels(Fail, Fail)
	judged(t, p.otherPorts(t.Context())[0], Fail, "does not start", "-admin")
	p.running = true
	levels()
	p.running, p.Admin, p.ACMEHTTP = false, "", ""
	levels()
}

// TestDomains: certificates that the server gets by itself are judged by what it
// keeps, and by whether the name leads anywhere.
func TestDomains(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := machine(t, nil)
	p.Domains, p.Certificates, p.ACMEHTTP = []string{"game.example"}, t.TempDir(), ":80"
	p.resolve = func(context.Context, string) ([]string, error) {
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	judged(t, p.tls(t.Context()), Fail, "no game.example", "A record")
	p.resolve = func(context.Context, string) ([]string, error) {
		return nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true} // says nothing about the name
	}
	judged(t, p.tls(t.Context()), OK, "when it starts")
	p.running = true
	judged(t, p.tls(t.Context()), Fail, "no certificate yet", "port 80")
	p.running = false
	for _, c := range []struct {
		until time.Time
		level Level
		says  string
	}{
		{today.Add(60 * 24 * time.Hour), OK, "renewed by the server"},
		{today.Add(10 * 24 * time.Hour), Warn, "port 80"},
		{today.Add(-time.Hour), Fail, "port 80"},
	} {
		cert, secret := certificate(t, key, func(x *x509.Certificate) { x.NotBefore, x.NotAfter = today.Add(-90*24*time.Hour), c.until })
		var both []byte
		for _, file := range []string{secret, cert} {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, text...)
		}
		if err := os.WriteFile(filepath.Join(p.Certificates, "game.example"), both, 0o600); err != nil {
			t.Fatal(err)
		}
		judged(t, p.tls(t.Context()), c.level, c.says, c.until.Format("2006-01-02"))
	}
	p.ACMEHTTP = ""
	judged(t, p.tls(t.Context()), Fail, "port 443")
	if err := os.WriteFile(filepath.Join(p.Certificates, "game.example"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	judged(t, p.tls(t.Context()), Fail, "delete that file")
}
