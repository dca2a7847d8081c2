package swarm

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// FeedPlan describes the trivial server that the generator's own ceiling is measured
// against: it accepts so many connections, then writes the same batch of measured
// chats to each in turn, one write per connection and pass, as fast as they are read.
type FeedPlan struct {
	Port        uint16 // on 127.0.0.1
	Connections int
	Frames      int // of each batch
	TextBytes   int
	Run         uint32
	Start, End  int64 // of the feeding, on the clock of Now
	CPU         int   // to pin to; negative means nowhere
}

// FeedResult tells what each connection was fed.
type FeedResult struct {
	Said, SaidPrint uint64
	Passes          int
	WriteBytes      int // of each write
	CPU             time.Duration
}

// Feed runs the trivial server to its end. It tells true once it listens, and a
// FeedResult once everything is written; then it waits until the receiver hangs up. It
// takes the goroutine's thread for itself.
func Feed(plan FeedPlan, tell func(any) error) error {
	if err := pin(plan.CPU); err != nil {
		return err
	}
	fileLimit()
	fds, err := acceptAll(plan, tell)
	defer func() {
		for _, fd := range fds {
			reset(fd)
			unix.Close(fd)
		}
	}()
	if err != nil {
		return err
	}
	f := newFeeder(plan)
	SleepUntil(plan.Start)
	began := threadCPU()
	for Now() < plan.End {
		f.fill()
		for _, fd := range fds {
			if err := writeAll(fd, f.batch); err != nil {
				return err
			}
		}
		f.result.Passes++
	}
	f.result.CPU = threadCPU() - began
	if err := tell(f.result); err != nil {
		return err
	}
	for _, fd := range fds {
		for {
			if n, errno := read(fd, f.batch); n <= 0 || errno != 0 {
				break
			}
		}
	}
	return nil
}

// acceptAll upgrades the connections with blocking sockets.
func acceptAll(plan FeedPlan, tell func(any) error) (fds []int, err error) {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("swarm: feeder: %w", err)
	}
	defer unix.Close(listener)
	_ = unix.SetsockoptInt(listener, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := unix.Bind(listener, &unix.SockaddrInet4{Port: int(plan.Port), Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, fmt.Errorf("swarm: feeder: %w", err)
	}
	if err := unix.Listen(listener, 4096); err != nil {
		return nil, fmt.Errorf("swarm: feeder: %w", err)
	}
	if err := tell(true); err != nil {
		return nil, err
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", handshakeProof)
	request := make([]byte, 4096)
	for len(fds) < plan.Connections {
		fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
		if err != nil {
			return fds, fmt.Errorf("swarm: feeder: %w", err)
		}
		fds = append(fds, fd)
		n, err := unix.Read(fd, request)
		if err != nil || !bytes.HasSuffix(request[:max(0, n)], []byte("\r\n\r\n")) {
			return fds, errors.New("swarm: feeder: no upgrade request")
		}
		if err := writeAll(fd, answer); err != nil {
			return fds, err
		}
	}
	return fds, nil
}

func writeAll(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("swarm: feeder: %w", err)
		}
		p = p[max(0, n):]
	}
	return nil
}

// feeder makes the batches.
type feeder struct {
	plan   FeedPlan
	batch  []byte
	stride int
	serial uint32
	result FeedResult
}

func newFeeder(plan FeedPlan) *feeder {
	f := &feeder{plan: plan}
	packet := appendGuestChat(nil, string(appendText(nil, plan.Run, plan.TextBytes)))
	for range plan.Frames {
		if len(packet) < 126 {
			f.batch = append(f.batch, finText, byte(len(packet)))
		} else {
			f.batch = append(f.batch, finText, 126, byte(len(packet)>>8), byte(len(packet)))
		}
		f.batch = append(f.batch, packet...)
	}
	f.stride = len(f.batch) / plan.Frames
	f.result.WriteBytes = len(f.batch)
	return f
}

// fill numbers the chats of the next pass.
func (f *feeder) fill() {
	now := Now()
	for end := f.stride; end <= len(f.batch); end += f.stride {
		text := f.batch[end-textTail-f.plan.TextBytes : end-textTail]
		setText(text, now, f.serial)
		f.result.Said++
		f.result.SaidPrint += fingerprint(f.serial)
		f.serial++
	}
}
