package ws

import (
	"net"
	"testing"

	"github.com/lesismal/nbio"
)

// pair is a connection as nbio has it, before the engine does, and its peer.
func pair(t *testing.T) (nbConn, net.Conn) {
	t.Helper()
	ln, err := Listen(t.Context(), "127.0.0.1:0", ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	std, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c, err := nbio.NBConn(std)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return nbConn{c}, peer
}

// TestHashIsDescriptor pins what nbConn.fd rests on.
func TestHashIsDescriptor(t *testing.T) {
	c, _ := pair(t)
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		if int(fd) != c.fd() {
			t.Errorf("descriptor %d, hash %d", fd, c.fd())
		}
	})
}

// TestForgetAddrs pins what forgetAddrs rests on: that nbio keeps the addresses of a
// connection where we look for them.
func TestForgetAddrs(t *testing.T) {
	c, _ := pair(t)
	if c.LocalAddr() == nil || c.RemoteAddr() == nil {
		t.Fatal("no addresses to forget")
	}
	forgetAddrs(c.Conn)
	if c.LocalAddr() != nil || c.RemoteAddr() != nil {
		t.Errorf("nbio still has %v and %v", c.LocalAddr(), c.RemoteAddr())
	}
}

// TestTryWrite: a full socket is no error, a broken one is, a closed one as well.
func TestTryWrite(t *testing.T) {
	c, peer := pair(t)
	b := make([]byte, 64<<10)
	for {
		n, err := c.TryWrite(b)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if c.Unsent() == 0 {
		t.Error("a full socket has nothing unsent")
	}
	if c.ended() {
		t.Error("the peer has not ended its side")
	}
	_ = peer.(*net.TCPConn).SetLinger(0)
	_ = peer.Close()
	until(t, "the reset has come", c.ended)
	if n, err := c.TryWrite(b); err == nil {
		t.Errorf("wrote %d bytes to a reset connection", n)
	}
	c.Hangup() // of a broken one: no harm
	if closed, _ := c.IsClosed(); closed {
		t.Error("closed by somebody else than the poller")
	}
	_ = c.Close()
	if _, err := c.TryWrite(b); err == nil {
		t.Error("wrote to a closed connection")
	}
	if !c.ended() || c.Unsent() != 0 {
		t.Error("a closed connection has not ended")
	}
	c.CloseWrite()
}
