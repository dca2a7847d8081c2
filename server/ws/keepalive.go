package ws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ListenConfig says how the kernel keeps the connections of a listener. Zero
// values mean the defaults.
//
// The kernel finds dead peers by itself, for no CPU of ours: an idle connection
// is probed, and one whose peer does not answer, or does not acknowledge what was
// sent to it, is reset, which ends the session with 1006. With the defaults
// that takes at most 90 s. Behind a proxy it finds dead proxies only.
type ListenConfig struct {
	// KeepAliveIdle is how long a connection is silent before it is probed, and
	// KeepAliveInterval the time between probes, both in whole seconds.
	// Defaults 45 s and 10 s.
	KeepAliveIdle     time.Duration
	KeepAliveInterval time.Duration
	// UserTimeout is how long a peer may leave probes or data unanswered, or its
	// receive window shut while there is something for it. Default 75 s.
	UserTimeout time.Duration
	// SendBufferBytes is the kernel's buffer per connection, as for setsockopt(2)
	// SO_SNDBUF, which takes the double. It bounds what a slow reader can hide
	// there (megabytes, if the kernel chooses), and must hold what a busy room
	// says in two ticks. Default 128 KiB.
	SendBufferBytes int
}

// Listen opens a TCP listener at addr. All options are set on the listening
// socket, from which the kernel hands them down to its connections: accepting
// one costs no further system calls.
func Listen(ctx context.Context, addr string, cfg ListenConfig) (net.Listener, error) {
	for _, d := range []struct {
		value  *time.Duration
		preset time.Duration
	}{
		{&cfg.KeepAliveIdle, 45 * time.Second},
		{&cfg.KeepAliveInterval, 10 * time.Second},
		{&cfg.UserTimeout, 75 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.preset
		}
	}
	if cfg.SendBufferBytes == 0 {
		cfg.SendBufferBytes = 128 << 10
	}
	if cfg.KeepAliveIdle < time.Second || cfg.KeepAliveInterval < time.Second ||
		cfg.UserTimeout < time.Millisecond || cfg.SendBufferBytes < 0 {
		return nil, errors.New("ws: negative or too small value in ListenConfig")
	}
	lc := net.ListenConfig{
		KeepAlive: -1, // net would set its own on every connection
		Control: func(_, _ string, c syscall.RawConn) error {
			var failed error
			err := c.Control(func(fd uintptr) { failed = cfg.apply(int(fd)) })
			return errors.Join(err, failed)
		},
	}
	// Multipath sockets, Go's default where the kernel has them, hand nothing down.
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("ws: listen: %w", err)
	}
	return ln, nil
}

// apply sets the options on a listening socket.
func (c *ListenConfig) apply(fd int) error {
	seconds := func(d time.Duration) int { return int(d / time.Second) }
	for _, o := range []struct {
		name                 string
		level, option, value int
	}{
		{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds(c.KeepAliveIdle)},
		{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds(c.KeepAliveInterval)},
		{"TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(c.UserTimeout.Milliseconds())},
		{"SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF, c.SendBufferBytes},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.option, o.value); err != nil {
			return fmt.Errorf("set %s to %d: %w", o.name, o.value, err)
		}
	}
	return nil
}
