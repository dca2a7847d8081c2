package swarm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// pair returns an engine with one open connection, and the server's end of it.
func pair(t *testing.T) (*Engine, *conn, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{fd: fds[0], phase: open}
	e.conns = []*conn{c}
	e.room = []*conn{c}
	e.open = 1
	t.Cleanup(func() {
		e.hangUp()
		e.poller.close()
		unix.Close(fds[1])
	})
	return e, c, fds[1]
}

// listen prepares the engine to hear chats of a run.
func listen(e *Engine, run uint32, textBytes int) {
	text := appendText(nil, run, textBytes)
	e.hearing = hearing{
		marker: word(text), textBytes: textBytes, guestBytes: len(appendGuestChat(nil, string(text))),
		sampleEvery: 1, to: far, latency: NewHistogram(),
	}
}

// measured returns the text of one chat of a run.
func measured(run uint32, textBytes int, due int64, serial uint32) string {
	text := appendText(nil, run, textBytes)
	setText(text, due, serial)
	return string(text)
}

// serverFrame returns an unmasked frame as a server sends it.
func serverFrame(first byte, payload []byte) []byte {
	frame := []byte{first}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, byte(n))
	case n < 1<<16:
		frame = append(frame, 126, byte(n>>8), byte(n))
	default:
		frame = append(frame, 127)
		frame = binary.BigEndian.AppendUint64(frame, uint64(n))
	}
	return append(frame, payload...)
}

// stream is what a server might send: seven chats of run 7 in every form there is,
// with serials 0 to 6, between packets that are none, one of them so long.
func stream(textBytes, long int) []byte {
	chat := func(serial uint32) string { return measured(7, textBytes, 1, serial) }
	guest := func(serial uint32) []byte { return appendGuestChat(nil, chat(serial)) }
	var s []byte
	s = append(s, serverFrame(finText, []byte(`{"a":"Ok"}`))...)
	s = append(s, serverFrame(finText, guest(0))...)
	s = append(s, serverFrame(finText, appendPlayerChat(nil, "alice", chat(1)))...)
	s = append(s, serverFrame(fin|opPing, []byte("are you there?"))...)
	s = append(s, serverFrame(finText, appendGuestChat(nil, "alice: "+chat(2)))...)
	s = append(s, serverFrame(finText, bytes.Join([][]byte{guest(3), guest(4)}, []byte("\n")))...)
	s = append(s, serverFrame(finText, appendGuestChat(nil, measured(8, textBytes, 1, 9)))...) // of another run
	fragmented := guest(5)
	s = append(s, serverFrame(opText, fragmented[:10])...)
	s = append(s, serverFrame(fin|opPong, nil)...) // control frames may come between
	s = append(s, serverFrame(opMore, fragmented[10:20])...)
	s = append(s, serverFrame(fin|opMore, fragmented[20:])...)
	s = append(s, serverFrame(finText, bytes.Repeat([]byte("x"), long))...)
	return append(s, serverFrame(finText, guest(6))...)
}

func TestWalkEverySplit(t *testing.T) {
	for _, textBytes := range []int{MinTextBytes, 64, 200} {
		t.Run(fmt.Sprint(textBytes), func(t *testing.T) {
			for _, step := range []int{1, 2, 3, 7, 64, 1000, 1 << 20} {
				whole := stream(textBytes, 1000*min(step, 70))
				e, c, server := pair(t)
				listen(e, 7, textBytes)
				c.order = newOrderCheck(1)
				for rest := whole; len(rest) > 0; {
					n := min(step, len(rest), 1<<16)
					if _, err := unix.Write(server, rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
					e.receive(c, e.cfg.ReadBytes)
				}
				if c.heard != 7 || e.hearing.heard != 7 {
					t.Errorf("steps of %d: heard %d chats, want 7", step, c.heard)
				}
				var want uint64
				for serial := range uint32(7) {
					want += fingerprint(serial)
				}
				if c.heardPrint != want || c.order.reordered+c.order.doubled != 0 || len(c.order.gaps) != 0 {
					t.Errorf("steps of %d: not the serials 0 to 6 in order", step)
				}
				if e.hearing.latency.Count() != 7 {
					t.Errorf("steps of %d: %d latencies, want 7", step, e.hearing.latency.Count())
				}
				if e.others != 3 || e.odd != 0 {
					t.Errorf("steps of %d: %d other packets, %d odd ones; want 3, 0", step, e.others, e.odd)
				}
				if c.bytes != uint64(len(whole)) || len(c.carry) != 0 {
					t.Errorf("steps of %d: %d bytes counted of %d, %d kept", step, c.bytes, len(whole), len(c.carry))
				}
				pong := make([]byte, 64)
				n, err := unix.Read(server, pong)
				if err != nil {
					t.Fatalf("steps of %d: no pong: %v", step, err)
				}
				if first, payload := unmasked(t, pong[:n]); first != fin|opPong || string(payload) != "are you there?" {
					t.Errorf("steps of %d: answered the ping with %x %q", step, first, payload)
				}
			}
		})
	}
}

func TestWalkEnds(t *testing.T) {
	for _, tc := range []struct {
		name   string
		sent   []byte
		reason string
	}{
		{"close with a code", serverFrame(fin|opClose, []byte{0x03, 0xf5}), "1013"},
		{"close without one", serverFrame(fin|opClose, nil), "1005"},
		{"masked frame", []byte{finText, 0x81, 1, 2, 3, 4, 'x'}, "masked frame"},
		{"endless frame", []byte{finText, 127, 0, 0, 0, 1, 0, 0, 0, 0}, "frame too big"},
		{"end of stream", nil, "eof"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, c, server := pair(t)
			_, _ = unix.Write(server, tc.sent)
			if tc.sent == nil {
				_ = unix.Shutdown(server, unix.SHUT_WR)
			}
			e.receive(c, e.cfg.ReadBytes)
			if c.phase != closed || e.closes[tc.reason] != 1 || e.open != 0 {
				t.Errorf("phase %d, closes %v, %d open", c.phase, e.closes, e.open)
			}
		})
	}
}

func TestAppendFrame(t *testing.T) {
	for _, size := range []int{0, 1, 7, 8, 9, 125, 126, 1000} {
		payload := bytes.Repeat([]byte{'a'}, size)
		first, got := unmasked(t, appendFrame([]byte("kept"), opText, payload)[4:])
		if first != finText || !bytes.Equal(got, payload) {
			t.Errorf("%d bytes: first byte %x, payload %q", size, first, got)
		}
		if !bytes.Equal(payload, bytes.Repeat([]byte{'a'}, size)) {
			t.Errorf("%d bytes: the caller's payload was changed", size)
		}
	}
}

// unmasked takes a client's frame apart, byte by byte as RFC 6455 5.3 says.
func unmasked(t *testing.T, frame []byte) (first byte, payload []byte) {
	t.Helper()
	if len(frame) < 6 || frame[1]&masked == 0 {
		t.Fatalf("no masked frame: %x", frame)
	}
	size, rest := int(frame[1]&127), frame[2:]
	if size == 126 {
		size, rest = int(binary.BigEndian.Uint16(rest)), rest[2:]
	}
	key, body := rest[:4], rest[4:]
	if len(body) != size {
		t.Fatalf("the header says %d bytes, there are %d", size, len(body))
	}
	for i, b := range body {
		payload = append(payload, b^key[i%4])
	}
	return frame[0], payload
}

// What the kernel does not take must leave later, whole and in order.
func TestSendKeepsTheRest(t *testing.T) {
	e, c, server := pair(t)
	if err := e.poller.watch(c.fd, 0, 0, false); err != nil {
		t.Fatal(err)
	}
	frame := appendFrame(nil, opText, bytes.Repeat([]byte("y"), 1000))
	sent := 0
	for len(c.out) == 0 {
		e.send(c, frame)
		sent++
	}
	for range 5 {
		e.send(c, frame)
		sent++
	}
	got := 0
	buffer := make([]byte, 1<<20)
	for got < sent*len(frame) {
		n, err := unix.Read(server, buffer)
		if err == unix.EAGAIN {
			e.run(Now()+1e6, e.interrupted())
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	if len(c.out) != 0 {
		t.Errorf("%d bytes still wait", len(c.out))
	}
}

func BenchmarkWalk(b *testing.B) {
	e, err := newEngine(Config{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer e.poller.close()
	listen(e, 7, 78)
	e.hearing.sampleEvery = 64
	var data []byte
	for serial := range uint32(400) {
		data = append(data, serverFrame(finText, appendGuestChat(nil, measured(7, 78, 1, serial)))...)
	}
	c := &conn{phase: open, order: newOrderCheck(1000)}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	frames := 0
	for b.Loop() {
		clear(c.order.want)
		e.walk(c, data)
		frames += 400
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
}
