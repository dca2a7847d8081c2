// Package target is the server under test, seen from outside: a process that is
// started, pinned and stopped here or was there already, its memory and processor
// time out of /proc, and its metrics. It knows nothing of WebSockets.
package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Config says which server. With Command it is started here, otherwise Addr names one
// that runs already.
type Config struct {
	Name string // for the report

	// Command starts the server; {addr}, {port} and {dir} stand for the address and port
	// to listen on and for a temporary directory, which is also the one it runs in.
	// "go run PACKAGE" is built first, so that the process is the server itself.
	Command []string
	CPU     int // to pin it to; negative means nowhere

	Addr    string
	PID     int    // of a running server; 0: its memory and time stay unknown
	Metrics string // URL of its metrics; default http://ADDR/metrics
}

// Server is one server under test. Its methods must be called one at a time, but for
// Usage and Metrics, which any goroutine may call while it runs.
type Server struct {
	cfg     Config
	addr    string
	dir     string
	logPath string
	process *process
}

// process is one life of a server that was started here.
type process struct {
	pid   int
	ended chan struct{}
	err   error // once ended is closed
}

// Open prepares the server but does not start it.
func Open(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, addr: cfg.Addr}
	if len(cfg.Command) == 0 {
		if cfg.Addr == "" {
			return nil, errors.New("target: neither a command nor an address")
		}
		return s, nil
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	s.dir = dir
	s.logPath = filepath.Join(dir, "server.log")
	if s.addr, err = freeAddr(); err != nil {
		s.Close()
		return nil, err
	}
	if s.cfg.Command, err = s.resolve(cfg.Command); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// freeAddr returns a loopback address with a port that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("target: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// resolve turns the command into one that can run in another directory.
func (s *Server) resolve(command []string) ([]string, error) {
	if len(command) >= 3 && command[0] == "go" && command[1] == "run" {
		binary := filepath.Join(s.dir, "server")
		if err := Build("", command[2], binary); err != nil {
			return nil, err
		}
		return append([]string{binary}, command[3:]...), nil
	}
	path, err := exec.LookPath(command[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return append([]string{path}, command[1:]...), nil
}

// Build compiles a Go package, named as seen from directory from, into the file to.
func Build(from, pkg, to string) error {
	cmd := exec.Command("go", "build", "-o", to, pkg)
	cmd.Dir = from
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("target: go build %s: %w\n%s", pkg, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Name returns the server's name in reports.
func (s *Server) Name() string { return s.cfg.Name }

// Addr returns host:port.
func (s *Server) Addr() string { return s.addr }

// Owned reports whether the server is started and stopped here.
func (s *Server) Owned() bool { return s.cfg.Command != nil }

// PID returns the process, 0 when unknown.
func (s *Server) PID() int {
	if s.process != nil {
		return s.process.pid
	}
	return s.cfg.PID
}

// Start runs the command with extra arguments at its end and waits until it accepts
// connections. For a server that runs already it only checks that.
func (s *Server) Start(ctx context.Context, extra ...string) error {
	if s.Owned() {
		if err := s.spawn(extra); err != nil {
			return err
		}
	}
	if err := s.awaitPort(ctx); err != nil {
		_ = s.Stop()
		return err
	}
	return nil
}

func (s *Server) spawn(extra []string) error {
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	fill := strings.NewReplacer("{addr}", s.addr, "{port}", port, "{dir}", s.dir)
	var args []string
	for _, arg := range append(s.cfg.Command[1:len(s.cfg.Command):len(s.cfg.Command)], extra...) {
		args = append(args, fill.Replace(arg))
	}
	log, err := os.OpenFile(s.logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	cmd := exec.Command(s.cfg.Command[0], args...)
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = log, log
	// Its own process group, so that the terminal's interrupt reaches it only through
	// Stop; and dead when this program is, however that ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}

	p := &process{ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer log.Close()
		// The signal of Pdeathsig is bound to this thread's life, and the child inherits
		// this thread's processors: it must see its single one from its first instruction.
		runtime.LockOSThread()
		err := pinThread(s.cfg.CPU)
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("target: %w", err)
	}
	p.pid = cmd.Process.Pid
	s.process = p
	return nil
}

// allowed are the processors that this program was started with, before it pinned
// itself to any.
var allowed = func() (set unix.CPUSet) {
	_ = unix.SchedGetaffinity(0, &set)
	return set
}()

// pinThread binds the calling, locked thread to one processor; negative means all that
// are allowed. The thread ends with its goroutine, which never unlocks it.
func pinThread(cpu int) error {
	set := allowed
	if cpu >= 0 {
		set.Zero()
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to cpu %d: %w", cpu, err)
	}
	return nil
}

const (
	startPatience = 30 * time.Second
	stopPatience  = 15 * time.Second
)

func (s *Server) awaitPort(ctx context.Context) error {
	deadline := time.Now().Add(startPatience)
	dialer := net.Dialer{Timeout: time.Second}
	for {
		conn, err := dialer.DialContext(ctx, "tcp4", s.addr)
		if err == nil {
			return conn.Close()
		}
		if s.ended() {
			return fmt.Errorf("target: the server has ended: %w\n%s", s.process.err, s.LogTail())
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("target: nobody answers at %s: %w\n%s", s.addr, err, s.LogTail())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *Server) ended() bool {
	if s.process == nil {
		return false
	}
	select {
	case <-s.process.ended:
		return true
	default:
		return false
	}
}

// Alive returns an error when a server that was started here has ended.
func (s *Server) Alive() error {
	if s.ended() {
		return fmt.Errorf("target: the server has ended: %w\n%s", s.process.err, s.LogTail())
	}
	return nil
}

// Stop ends a server that was started here: SIGTERM, and SIGKILL when that does not
// help in 15 seconds, which is an error.
func (s *Server) Stop() error {
	p := s.process
	if p == nil {
		return nil
	}
	s.process = nil
	_ = unix.Kill(-p.pid, unix.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopPatience):
		_ = unix.Kill(-p.pid, unix.SIGKILL)
		<-p.ended
		return fmt.Errorf("target: the server did not end within %v of SIGTERM", stopPatience)
	}
}

// Close stops the server and removes its directory.
func (s *Server) Close() error {
	err := s.Stop()
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// LogTail returns the last lines that a server started here has written.
func (s *Server) LogTail() string {
	const lines = 15
	data, err := os.ReadFile(s.logPath)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Local reports whether host:port can only be this machine.
func Local(addr string) bool {
	ap, err := netip.ParseAddrPort(addr)
	if err == nil {
		return ap.Addr().IsLoopback()
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	_, err = strconv.Atoi(port)
	return err == nil && host == "localhost"
}
