package swarm

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Resolve turns host:port into the IPv4 address that the sockets use.
func Resolve(addr string) (netip.AddrPort, error) {
	tcp, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("swarm: %w", err)
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// source returns the address that connection number i of a worker binds to. All of
// 127.0.0.0/8 is this machine, so the ports of one address never run out.
func source(worker, i, sources int) [4]byte {
	return [4]byte{127, byte(1 + worker%250), byte(i % sources / 250), byte(1 + i%sources%250)}
}

// dial starts a non-blocking connection. On loopback it is mostly established when
// dial returns. receiveBytes 0 leaves the receive buffer to the kernel's tuning.
func dial(target netip.AddrPort, from [4]byte, receiveBytes int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err = prepare(fd, target, from, receiveBytes); err != nil {
		unix.Close(fd)
		return -1, err
	}
	to := unix.SockaddrInet4{Port: int(target.Port()), Addr: target.Addr().As4()}
	if err = unix.Connect(fd, &to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func prepare(fd int, target netip.AddrPort, from [4]byte, receiveBytes int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if receiveBytes > 0 {
		// The forced form passes net.core.rmem_max, but only for root.
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBytes) != nil {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBytes); err != nil {
				return err
			}
		}
	}
	if !target.Addr().IsLoopback() {
		return nil
	}
	// The port is chosen at connect, by the four-tuple: without it bind would need a
	// port that no other socket of this address has.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: from})
}

// reset makes the coming close of fd a TCP reset, which leaves no TIME_WAIT behind.
func reset(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// receive, read and write skip the scheduler's bookkeeping round a system call: on
// these non-blocking descriptors they never wait. receive is read for sockets, on a
// shorter road through the kernel.
func receive(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	return int(n), errno
}

func read(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func write(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

// poller is an epoll instance with an event that other goroutines can raise.
type poller struct {
	fd     int
	wakeFD int
	events []unix.EpollEvent
}

// wakeIndex is the index that the wake event carries instead of a connection's.
const wakeIndex = -1

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("swarm: epoll: %w", err)
	}
	wakeFD, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("swarm: eventfd: %w", err)
	}
	p := &poller{fd: fd, wakeFD: wakeFD, events: make([]unix.EpollEvent, 512)}
	if err := p.watch(wakeFD, wakeIndex, 0, false); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) close() {
	unix.Close(p.wakeFD)
	unix.Close(p.fd)
}

// wake ends the present or the next wait. Any goroutine may call it.
func (p *poller) wake() {
	one := [8]byte{1}
	write(p.wakeFD, one[:])
}

// watch reports fd readable (and writable) as index and generation, once for each
// change: the kernel then need not look at every socket of a round a second time.
func (p *poller) watch(fd int, index int32, generation uint32, writable bool) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, index, generation, writable)
}

// change replaces what watch asked for.
func (p *poller) change(fd int, index int32, generation uint32, writable bool) error {
	return p.control(unix.EPOLL_CTL_MOD, fd, index, generation, writable)
}

// forget stops reporting fd.
func (p *poller) forget(fd int) {
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil)
}

func (p *poller) control(op, fd int, index int32, generation uint32, writable bool) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: index, Pad: int32(generation)}
	if writable {
		event.Events |= unix.EPOLLOUT
	}
	if err := unix.EpollCtl(p.fd, op, fd, &event); err != nil {
		return fmt.Errorf("swarm: epoll: %w", err)
	}
	return nil
}

// wait returns what became ready within d; none when d has passed or a signal came.
// It takes nanoseconds where epoll_wait rounds up to milliseconds: a sender on its
// own clock must not be a millisecond late for every chat.
func (p *poller) wait(d time.Duration) []unix.EpollEvent {
	ts := unix.NsecToTimespec(max(0, int64(d)))
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])),
		uintptr(len(p.events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	if errno == unix.ENOSYS { // before Linux 5.11
		count, err := unix.EpollWait(p.fd, p.events, int((d+time.Millisecond-1)/time.Millisecond))
		if err != nil {
			return nil
		}
		return p.events[:count]
	}
	if errno != 0 {
		return nil
	}
	return p.events[:n]
}
