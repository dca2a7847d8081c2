package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// proxy is a real one, in front of a test's server, for https://game.example.
type proxy struct {
	t      testing.TB
	cmd    *exec.Cmd
	host   string // its address
	addr   string // host:port of its TLS
	dir    string // its files
	roots  *x509.CertPool
	exited chan struct{}

	mu  sync.Mutex
	log []string
}

// findProgram looks for a proxy where it may be installed, and where
// scripts/check.sh unpacks it.
func findProgram(t testing.TB, name string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: only on Linux every 127.x.x.x is ours")
	}
	for _, path := range []string{name, "/usr/sbin/" + name, "../.cache/proxies/usr/sbin/" + name, "../.cache/proxies/usr/bin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			if found, err = filepath.Abs(found); err == nil {
				return found
			}
		}
	}
	t.Skipf("SKIPPED: %s is not installed", name)
	return ""
}

// home gives the proxy an address of its own on loopback, where no other test's
// connections take the ports that it is going to listen on.
func (p *proxy) home() {
	p.host = fmt.Sprintf("127.%d.%d.%d", 64+mathrand.N(64), mathrand.N(256), 1+mathrand.N(254))
	p.addr = net.JoinHostPort(p.host, p.freePort())
}

// freePort is one that nobody has there at the moment.
func (p *proxy) freePort() string {
	p.t.Helper()
	ln, err := net.Listen("tcp", p.host+":0")
	if err != nil {
		p.t.Fatal(err)
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

func startNginx(t testing.TB, upstream string) *proxy { return startNginxWith(t, upstream) }

// startNginxWith runs nginx with the guide's words for it, some of them changed.
func startNginxWith(t testing.TB, upstream string, changes ...string) *proxy {
	t.Helper()
	program := findProgram(t, "nginx")
	p := &proxy{t: t, dir: t.TempDir()}
	p.home()
	_, port, _ := net.SplitHostPort(p.addr)
	p.certify()
	blocks := guideBlocks(t, "2a. nginx")
	six := "listen [::1]:" + port + " ssl;"
	if ln, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		six = "" // a machine without IPv6
	} else {
		_ = ln.Close()
	}
	site := adapt(t, blocks[0], append([]string{
		"server 127.0.0.1:8081;", "server " + upstream + ";",
		"listen 443 ssl;", "listen " + p.addr + " ssl;",
		"listen [::]:443 ssl;", six,
		"/etc/letsencrypt/live/game.example/", p.dir + "/",
	}, changes...)...)
	p.write("site.conf", site)
	var self string
	if os.Geteuid() == 0 {
		self = "user root;\n" // its workers would else not reach our folder
	}
	p.write("nginx.conf", "daemon off;\npid nginx.pid;\nerror_log stderr notice;\n"+self+blocks[1]+
		"http {\naccess_log off;\nclient_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path f;\nuwsgi_temp_path u;\nscgi_temp_path s;\ninclude site.conf;\n}\n")
	p.run(exec.Command(program, "-e", "stderr", "-p", p.dir, "-c", "nginx.conf"))
	return p
}

// reloadNginx does what `systemctl reload nginx` does, and waits until the workers of
// before take no newcomers.
func (p *proxy) reloadNginx() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
	p.awaitLog("gracefully shutting down")
}

// startCaddy runs Caddy with the guide's words for it. Only what stands before
// them, the options for all sites, is ours: another port, and no Let's Encrypt.
func startCaddy(t testing.TB, upstream string) *proxy {
	t.Helper()
	program := findProgram(t, "caddy")
	p := &proxy{t: t, dir: t.TempDir()}
	p.home()
	_, port, _ := net.SplitHostPort(p.addr)
	site := adapt(t, guideBlocks(t, "2b. Caddy")[0], "127.0.0.1:8081", upstream)
	p.write("Caddyfile", fmt.Sprintf("{\nadmin %s:%s\nhttp_port %s\nhttps_port %s\ndefault_bind %s\nlocal_certs\nskip_install_trust\nstorage file_system %q\n}\n%s",
		p.host, p.freePort(), p.freePort(), port, p.host, p.dir, site))
	cmd := exec.Command(program, "run", "--config", p.dir+"/Caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir, "XDG_DATA_HOME="+p.dir)
	p.run(cmd)
	until(t, "Caddy has certificates", func() bool {
		pem, err := os.ReadFile(filepath.Join(p.dir, "pki/authorities/local/root.crt"))
		p.roots = x509.NewCertPool()
		if err != nil || !p.roots.AppendCertsFromPEM(pem) {
			return false
		}
		c, err := p.secure(bobAt)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return p
}

// reloadCaddy does what `systemctl reload caddy` does.
func (p *proxy) reloadCaddy() {
	p.t.Helper()
	// A word more, since Caddy does nothing when nothing has changed.
	text, err := os.ReadFile(filepath.Join(p.dir, "Caddyfile"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("Caddyfile", strings.Replace(string(text), "reverse_proxy", "header X-Reloaded yes\n\treverse_proxy", 1))
	if out, err := exec.Command(p.cmd.Path, "reload", "--config", p.dir+"/Caddyfile").CombinedOutput(); err != nil {
		p.t.Fatalf("caddy reload: %v\n%s", err, out)
	}
}

func (p *proxy) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// certify leaves a certificate for game.example where certbot would.
func (p *proxy) certify() {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"game.example"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		p.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	p.write("fullchain.pem", string(cert))
	p.write("privkey.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	p.roots = x509.NewCertPool()
	p.roots.AppendCertsFromPEM(cert)
}

// run starts the proxy, waits until it takes connections, and ends it with the test.
func (p *proxy) run(cmd *exec.Cmd) {
	p.t.Helper()
	p.cmd, p.exited = cmd, make(chan struct{})
	stderr, err := cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		for in := bufio.NewScanner(stderr); in.Scan(); {
			p.mu.Lock()
			p.log = append(p.log, in.Text())
			p.mu.Unlock()
		}
		_ = cmd.Wait()
	}()
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // nginx takes its workers along
		select {
		case <-p.exited:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-p.exited
		}
		if p.t.Failed() {
			p.t.Logf("%s", strings.Join(p.log, "\n"))
		}
	})
	until(p.t, "the proxy listens", func() bool {
		select {
		case <-p.exited:
			p.t.Fatalf("%s does not run: %v", cmd.Path, p.log)
		default:
		}
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (p *proxy) awaitLog(words string) {
	p.t.Helper()
	until(p.t, "the proxy says "+words, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(strings.Join(p.log, "\n"), words)
	})
}

// from is the way of a player at an address of loopback, and whom it trusts.
func (p *proxy) from(addr string) (*net.Dialer, *tls.Config) {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}, Timeout: patience}, &tls.Config{ServerName: "game.example", RootCAs: p.roots}
}

func (p *proxy) secure(addr string) (net.Conn, error) {
	way, secure := p.from(addr)
	return tls.DialWithDialer(way, "tcp", p.addr, secure)
}

// dial connects a player through the proxy.
func (p *proxy) dial(addr string, pinged func()) *peer {
	p.t.Helper()
	way, secure := p.from(addr)
	player, err := dialBy(p.t, "wss://game.example/", way, p.addr, secure, pinged)
	if err != nil {
		p.t.Fatal(err)
	}
	return player
}

// enter connects, registers and logs in through the proxy.
func (p *proxy) enter(addr, name string) *peer {
	p.t.Helper()
	player := p.dial(addr, nil)
	player.register(name)
	player.login(name)
	return player
}

func (p *proxy) get(addr, path string) (status int, text string) {
	p.t.Helper()
	return p.ask(addr, path, false)
}

// ask makes a request from an address, with header lines of its own, and returns
// the answer. The path goes as it is.
func (p *proxy) ask(addr, path string, upgrade bool, lines ...string) (status int, text string) {
	p.t.Helper()
	c, err := p.secure(addr)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	var request bytes.Buffer
	fmt.Fprintf(&request, "GET %s HTTP/1.1\r\nHost: game.example\r\n", path)
	if upgrade {
		request.WriteString("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
	} else {
		request.WriteString("Connection: close\r\n")
	}
	for _, line := range lines {
		if line != "" {
			request.WriteString(line + "\r\n")
		}
	}
	request.WriteString("\r\n")
	if _, err := c.Write(request.Bytes()); err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.StatusCode, ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	return resp.StatusCode, string(body)
}
