package ws

import (
	"bufio"
	stdtls "crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// takesLong skips a test that takes long, unless TAVERN_BIG is set.
func takesLong(t testing.TB) {
	t.Helper()
	if os.Getenv("TAVERN_BIG") == "" {
		t.Skip("SKIPPED: takes long; set TAVERN_BIG=1")
	}
}

// resident is the memory that the process holds, in bytes.
func resident(t testing.TB) int {
	t.Helper()
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// TestTLSIdle measures what an idle connection over TLS costs the server, whose
// clients are another process, and how many handshakes a second it makes. Every
// connection has sent a message and had one, so that no buffer is as new.
func TestTLSIdle(t *testing.T) {
	takesLong(t)
	const most, bound = 5000, 16 << 10
	if addr := os.Getenv("TAVERN_TLS_CLIENTS"); addr != "" {
		idleClients(t, addr, most)
		return
	}
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			s := serveSafely(t, Config{}, ListenConfig{}, calls{message: echoing}, func(f *FrontConfig) { f.Timeout = patience })
			before := resident(t)
			clients := exec.Command(os.Args[0], "-test.run", "^TestTLSIdle$", "-test.v")
			clients.Env = append(os.Environ(), "TAVERN_TLS_CLIENTS="+s.addr, "TAVERN_TLS_VERSION="+strconv.Itoa(int(v.id)))
			in, err := clients.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := clients.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if err := clients.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for lines.Scan() && lines.Text() != "ready" {
			}
			took := time.Since(start)
			each := (resident(t) - before) / most
			t.Logf("TLS %s: %d connections, %d B each, %.0f handshakes/s with clients on the same %d cores",
				v.name, s.Counters().Open, each, most/took.Seconds(), runtime.GOMAXPROCS(0))
			if open := s.Counters().Open; open != most || each > bound {
				t.Errorf("%d connections, %d bytes each, want at most %d", open, each, bound)
			}
			_ = in.Close()
			_, _ = io.Copy(io.Discard, out)
			_ = clients.Wait()
			until(t, "all are gone", func() bool { return s.Counters().Sockets == 0 })
		})
	}
}

// idleClients connects, says that all are there, and holds them until its input ends.
func idleClients(t *testing.T, addr string, most int) {
	id, err := strconv.Atoi(os.Getenv("TAVERN_TLS_VERSION"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &stdtls.Config{InsecureSkipVerify: true, MinVersion: uint16(id), MaxVersion: uint16(id)} // a load test, of a certificate that nobody signed
	var mu sync.Mutex
	var held []*stdtls.Conn
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for range (most + worker) / 16 {
				c, err := stdtls.Dial("tcp", addr, cfg)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(patience))
				_, _ = io.WriteString(c, handshake())
				r := bufio.NewReader(c)
				if _, err := http.ReadResponse(r, nil); err != nil {
					t.Error(err)
				}
				_, _ = c.Write(frame(fin|text, "hello"))
				if _, err := io.CopyN(io.Discard, r, 7); err != nil {
					t.Error(err)
				}
				mu.Lock()
				held = append(held, c)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	_, _ = os.Stdout.WriteString("ready\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range held {
		_ = c.Close()
	}
}

// BenchmarkTLSHandshake is a whole handshake, client included, and the upgrade.
func BenchmarkTLSHandshake(b *testing.B) {
	for _, v := range versions {
		b.Run(v.name, func(b *testing.B) {
			s := serveSafely(b, Config{}, ListenConfig{}, calls{}, nil)
			for b.Loop() {
				c, err := stdtls.Dial("tcp", s.addr, s.client(v.id))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.WriteString(c, handshake())
				if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
					b.Fatal(err)
				}
				_ = c.Close()
			}
		})
	}
}
