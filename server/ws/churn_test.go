package ws

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStaleEvent is the trap that nbConn avoids. The poller holds a batch of
// events with one for a connection that was reset; meanwhile somebody writes to
// that connection, and another one opens. If the write closed the descriptor, the
// new connection would get its number, and then the old event.
func TestStaleEvent(t *testing.T) {
	busy, proceed := make(chan struct{}), make(chan struct{})
	sessions := make(chan *Session, 3)
	closed, ending := endings()
	s := serve(t, Config{Pollers: 1}, calls{
		open:   func(s *Session) { sessions <- s },
		closed: closed,
		message: func(s *Session, data []byte, text bool) {
			if string(data) == "block" {
				busy <- struct{}{}
				<-proceed
				return
			}
			echoing(s, data, text)
		},
	})
	first := dial(t, s.addr)
	<-sessions
	victim := dial(t, s.addr)
	old := <-sessions

	first.send(frame(fin|text, "block"))
	<-busy // the poller handles first; now first and victim become ready, in this order
	first.send(frame(fin|text, "block"))
	victim.reset()
	proceed <- struct{}{}
	<-busy                                                    // the poller holds a batch of both, and handles the first
	for old.Write(AppendText(nil, []byte("hello?"))) == nil { // the first write may still be taken
	}
	// Leave two numbers under the victim's free, for the new client and for
	// accept, so that the new session would get the victim's if that were free.
	number := attached(t, old).fd()
	var below []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if int(f.Fd()) >= number {
			_ = f.Close()
			break
		}
		below = append(below, f)
	}
	if len(below) < 2 {
		t.Fatal("no numbers are free: the test tests nothing")
	}
	_ = below[0].Close()
	_ = below[1].Close()
	c := dial(t, s.addr)
	<-sessions
	proceed <- struct{}{}
	first.send(frame(ping, "through")) // in another batch
	if got := first.next(); got != "pong through" {
		t.Fatalf("got %q", got)
	}

	c.send(frame(fin|text, "alive"))
	op, payload, err := c.read()
	if err != nil || describe(op, payload) != "text alive" {
		t.Errorf("the new session: %q, %v", payload, err)
	}
	if code := ending(t); code != CloseAbnormal {
		t.Errorf("closed with %d, want 1006", code)
	}
	if n := s.Counters().Open; n != 2 {
		t.Errorf("%d sessions are open, want 2", n)
	}
}

// TestChurn: sessions of all kinds come and go at once; who behaves is never
// harmed, and afterwards nothing is left.
func TestChurn(t *testing.T) {
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	const workers, rounds = 16, 60
	var opened, ended atomic.Int64
	var live sync.Map
	s := serve(t, Config{}, calls{
		open:    func(s *Session) { opened.Add(1); live.Store(s, true) },
		message: echoing,
		closed:  func(s *Session, _ int, _ string) { ended.Add(1); live.Delete(s) },
	})
	quit := make(chan struct{})
	var writer, workersDone sync.WaitGroup
	writer.Go(func() { // writes to everybody, also to those that are going
		f := AppendText(nil, []byte("broadcast"))
		for {
			select {
			case <-quit:
				return
			default:
			}
			live.Range(func(k, _ any) bool { _ = k.(*Session).Write(f); return true })
			runtime.Gosched()
		}
	})
	for w := range workers {
		workersDone.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 5))
			for range rounds {
				churnOnce(t, r, s.addr)
			}
		})
	}
	workersDone.Wait()
	close(quit)
	writer.Wait()
	until(t, "all sockets are closed", func() bool { return s.Counters().Sockets == 0 })
	c := s.Counters()
	var total uint64
	for _, n := range c.Closed {
		total += n
	}
	if opened.Load() != ended.Load() || c.Open != 0 || c.Accepted != total || c.Accepted != uint64(opened.Load()) {
		t.Errorf("%d opened, %d ended, %+v", opened.Load(), ended.Load(), c)
	}
	for i := range s.sessions {
		if s.sessions[i].Load() != nil {
			t.Errorf("slot %d is still taken", i)
		}
	}
	if err := s.stop(); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	until(t, "descriptors and goroutines are given back", func() bool {
		return openFiles(t) <= files && runtime.NumGoroutine() <= goroutines
	})
}

// churnOnce is the life of one client.
func churnOnce(t *testing.T, r *rand.Rand, addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	c := &rawClient{t: t, TCPConn: conn.(*net.TCPConn)}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	kind := r.IntN(6)
	hello := []byte(handshake())
	if kind == 0 { // leaves inside the handshake
		_, _ = c.Write(hello[:r.IntN(len(hello))])
		if r.IntN(2) == 0 {
			c.reset()
		}
		return
	}
	_, _ = c.Write(append(hello, frame(fin|text, "one")...))
	if kind == 1 { // leaves before the answer
		c.reset()
		return
	}
	seen := make([]byte, 0, 4096)
	buf := make([]byte, 4096)
	await := func(what string) bool {
		for !bytes.Contains(seen, []byte(what)) {
			n, err := c.TCPConn.Read(buf)
			seen = append(seen, buf[:n]...)
			if err != nil {
				t.Errorf("kind %d waited for %q: %v", kind, what, err)
				return false
			}
		}
		return true
	}
	if !await("\x81\x03one") {
		return
	}
	switch kind {
	case 2:
		c.reset()
	case 3:
		_, _ = c.Write([]byte{0xff, 0xff})
		await("\x03\xea")
	case 4:
		_, _ = c.Write(frame(fin|text, "half of a message")[:r.IntN(10)])
	default:
		_, _ = c.Write(frame(fin|text, "two"))
		if await("\x81\x03two") {
			_, _ = c.Write(closeFrame(1000, ""))
			await("\x88\x02\x03\xe8")
		}
	}
}

// TestIdleHeap bounds what an idle session keeps alive on the heap, everything
// counted but the kernel's share. (The clients are bare descriptors.)
func TestIdleHeap(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's heap is another")
	}
	const clients = 2000
	s := serve(t, Config{}, calls{})
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	addr := s.addr[strings.LastIndexByte(s.addr, ':')+1:]
	port := 0
	if _, err := fmt.Sscan(addr, &port); err != nil {
		t.Fatal(err)
	}
	hello := []byte(handshake())
	buf := make([]byte, 256)
	fds := make([]int, 0, clients)
	defer func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}()
	open := func(n int) {
		for range n {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			fds = append(fds, fd)
			if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
				t.Fatal(err)
			}
			if _, err := unix.Write(fd, hello); err != nil {
				t.Fatal(err)
			}
			if n, err := unix.Read(fd, buf); err != nil || n < 100 {
				t.Fatal(n, err)
			}
		}
		until(t, "all are in", func() bool { return s.Counters().Open == int64(len(fds)) })
	}
	open(100) // fills pools
	before := heap()
	open(clients - 100)
	each := (heap() - before) / (clients - 100)
	t.Logf("%d bytes of heap per idle session", each)
	if each > 440 {
		t.Errorf("%d bytes of heap per idle session, want at most 440", each)
	}
}
