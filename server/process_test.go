package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"
)

// process is the server as an operator runs it.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	addr   string
	exited chan struct{}

	listening chan string // the address, once

	mu  sync.Mutex
	log []string // its lines, for messages
	err error    // of Wait
}

// startProcess starts the program on a free port and returns when it listens. It
// is killed when the test ends, if it still runs then.
func startProcess(t testing.TB, db string, args ...string) *process {
	t.Helper()
	return startBehind(t, nil, db, unlimited(args)...)
}

// unlimited are args without the limits that tests would reach, as they come from one
// address, and all at once.
func unlimited(args []string) []string {
	return append([]string{
		"-handshake-rate", "0", "-registrations-per-hour", "0", "-requests-per-ip", "0", "-login-tries", "0", "-target-rate", "0",
	}, args...)
}

// startLimited is startProcess with the limits of a public server.
func startLimited(t testing.TB, db string, args ...string) *process {
	t.Helper()
	return startBehind(t, nil, db, args...)
}

// startBehind is startLimited by way of a program, its words before the server's,
// that becomes the server when it has changed something about the process.
func startBehind(t testing.TB, before []string, db string, args ...string) *process {
	t.Helper()
	p := launch(t, before, db, args...)
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case p.addr = <-p.listening:
	case <-p.exited:
		t.Fatalf("the server does not start: %v", p.log)
	case <-timeout.C:
		t.Fatal("the server does not listen")
	}
	return p
}

// launch starts the program, which may not come to listen.
func launch(t testing.TB, before []string, db string, args ...string) *process {
	t.Helper()
	p := &process{t: t, exited: make(chan struct{}), listening: make(chan string, 1)}
	line := slices.Concat(before, []string{buildServer(t),
		"-addr", "127.0.0.1:0", "-db", db, "-log", "json", "-hash-memory", "8", "-hash-time", "1", "-admin", ""}, args)
	p.cmd = exec.Command(line[0], line[1:]...)
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else it takes a second to exit
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		for in := bufio.NewScanner(stderr); in.Scan(); {
			var line struct{ Msg, Address string }
			if json.Unmarshal(in.Bytes(), &line) == nil && line.Msg == "listening" {
				p.listening <- line.Address
			}
			p.mu.Lock()
			p.log = append(p.log, in.Text())
			p.mu.Unlock()
		}
		err := p.cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		if t.Failed() {
			for _, line := range p.log {
				t.Log(line)
			}
		}
	})
	return p
}

// server is p for the methods of one that runs in this process.
func (p *process) server() *testServer { return &testServer{addr: p.addr} }

// logged returns the lines of the log with this message.
func (p *process) logged(msg string) (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.log {
		var line struct{ Msg string }
		if json.Unmarshal([]byte(text), &line) == nil && line.Msg == msg {
			lines = append(lines, text)
		}
	}
	return lines
}

// signal sends a signal; that the process has ended already is no failure.
func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// exit waits for the end of the process and returns its exit status, -1 if a
// signal ended it.
func (p *process) exit() int {
	p.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-p.exited:
	case <-timeout.C:
		p.t.Fatal("the server does not exit")
	}
	return p.cmd.ProcessState.ExitCode()
}
