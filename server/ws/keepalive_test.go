package ws

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// option reads an integer socket option.
func option(t *testing.T, c syscall.Conn, level, name int) int {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var value int
	var failed error
	err = raw.Control(func(fd uintptr) { value, failed = unix.GetsockoptInt(int(fd), level, name) })
	if err = errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestListen: accepted connections have the options of their listener.
func TestListen(t *testing.T) {
	for _, tt := range []struct {
		name, addr                            string
		cfg                                   ListenConfig
		idle, interval, timeoutMillis, sndbuf int
	}{
		{"defaults", "127.0.0.1:0", ListenConfig{}, 45, 10, 75000, 2 * 128 << 10},
		{"own", "127.0.0.1:0", ListenConfig{7 * time.Second, 3 * time.Second, 1500 * time.Millisecond, 16 << 10}, 7, 3, 1500, 2 * 16 << 10},
		{"both families", ":0", ListenConfig{}, 45, 10, 75000, 2 * 128 << 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ln, err := Listen(t.Context(), tt.addr, tt.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ln.Close() }()
			peer, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = peer.Close() }()
			conn, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			c, ok := conn.(*net.TCPConn)
			if !ok {
				t.Fatalf("accepted a %T", conn)
			}
			for _, o := range []struct {
				name                string
				level, option, want int
			}{
				{"SO_PROTOCOL", unix.SOL_SOCKET, unix.SO_PROTOCOL, unix.IPPROTO_TCP},
				{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
				{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, tt.idle},
				{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, tt.interval},
				{"TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, tt.timeoutMillis},
				{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
				{"SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF, tt.sndbuf},
			} {
				if got := option(t, c, o.level, o.option); got != o.want {
					t.Errorf("%s is %d, want %d", o.name, got, o.want)
				}
			}
		})
	}
}

func TestListenErrors(t *testing.T) {
	for name, cfg := range map[string]ListenConfig{
		"idle":     {KeepAliveIdle: time.Millisecond},
		"interval": {KeepAliveInterval: -time.Second},
		"timeout":  {UserTimeout: -time.Second},
		"buffer":   {SendBufferBytes: -1},
	} {
		if ln, err := Listen(t.Context(), "127.0.0.1:0", cfg); err == nil {
			_ = ln.Close()
			t.Errorf("%s: no error", name)
		}
	}
	if ln, err := Listen(t.Context(), "256.0.0.1:0", ListenConfig{}); err == nil {
		_ = ln.Close()
		t.Error("bad address: no error")
	}
}
