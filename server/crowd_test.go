package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// crowd is many guests who only listen. They cost a socket and half a kilobyte
// each, and no goroutine.
type crowd struct {
	t       testing.TB
	members []*member
}

type member struct {
	net.Conn
	in *bufio.Reader
}

// hands is how many goroutines look after a crowd.
const hands = 64

const handshake = "GET / HTTP/1.1\r\nHost: tavern\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// gather connects n guests.
func gather(t testing.TB, addr string, n int) *crowd {
	t.Helper()
	c := &crowd{t: t, members: make([]*member, n)}
	t.Cleanup(func() {
		for _, m := range c.members {
			if m != nil {
				_ = m.Close()
			}
		}
	})
	c.each(func(i int, _ *member) error {
		m, err := join(addr, 0)
		c.members[i] = m
		return err
	})
	if t.Failed() {
		t.FailNow()
	}
	return c
}

// join opens one session; readBuffer, if it is not 0, is the size of the socket's.
func join(addr string, readBuffer int) (*member, error) {
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) (err error) {
		if readBuffer > 0 {
			_ = c.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, readBuffer)
			})
		}
		return err
	}}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	m := &member{conn, bufio.NewReaderSize(conn, 512)}
	_ = m.SetDeadline(time.Now().Add(3 * patience))
	if _, err := io.WriteString(m, handshake); err != nil {
		return m, err
	}
	resp, err := http.ReadResponse(m.in, nil)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("handshake: %s", resp.Status)
	}
	return m, err
}

// each does something for every member, many at a time, and reports the errors.
func (c *crowd) each(do func(i int, m *member) error) {
	c.t.Helper()
	var all sync.WaitGroup
	for hand := range hands {
		all.Go(func() {
			for i := hand; i < len(c.members); i += hands {
				if err := do(i, c.members[i]); err != nil {
					c.t.Errorf("guest %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// next reads a frame of the server: opcode and payload.
func (m *member) next() (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(m.in, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(head[1])
	if n == 126 {
		var long [2]byte
		if _, err := io.ReadFull(m.in, long[:]); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(long[:]))
	} else if n > 126 {
		return 0, nil, fmt.Errorf("a frame begins with %x", head)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(m.in, payload)
	return head[0] & 0x0f, payload, err
}

// farewell reads up to the close frame, answers it, waits for the end of the
// stream, and returns the packets before it and the close code.
func (m *member) farewell() (packets []string, code int, err error) {
	for {
		op, payload, err := m.next()
		if err != nil {
			return packets, 0, fmt.Errorf("after %q: %w", packets, err)
		}
		if op != opClose {
			packets = append(packets, string(payload))
			continue
		}
		code = int(binary.BigEndian.Uint16(payload))
		if _, err := m.Write(closing(code)); err != nil {
			return packets, code, err
		}
		if extra, err := io.ReadAll(m.in); len(extra) > 0 || err != nil {
			return packets, code, fmt.Errorf("behind the close frame: %q, %w", extra, err)
		}
		return packets, code, nil
	}
}
