package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestEcho(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	stopCtx, stop := context.WithCancel(ctx)
	addrs := make(chan net.Addr, 1)
	done := make(chan error, 1)
	go func() {
		done <- run(stopCtx, slog.New(slog.DiscardHandler), "127.0.0.1:0", maxMessage, func(a net.Addr) { addrs <- a })
	}()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run returned %v", err)
		}
		cancel()
	}()

	addr := (<-addrs).String()
	c, _, err := websocket.Dial(ctx, "ws://"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(maxMessage)
	text := []byte(strings.Repeat("a", maxMessage%9) + strings.Repeat("€😀ß", maxMessage/9))
	blob := bytes.Repeat([]byte{0xa5, 0, 0xff}, maxMessage/3+1)[:maxMessage]
	for _, m := range []struct {
		name string
		typ  websocket.MessageType
		data []byte
		each int // bytes in a frame, 0 for all
	}{
		{"text", websocket.MessageText, []byte("grüße"), 0},
		{"binary", websocket.MessageBinary, []byte{0, 0xff, 0x80}, 0},
		{"empty", websocket.MessageText, nil, 0},
		{"largest binary", websocket.MessageBinary, blob, 0},
		{"largest text", websocket.MessageText, text, 0},
		{"largest binary in frames of 4 MiB", websocket.MessageBinary, blob, 4 << 20},
		{"largest text in frames of 64 KiB", websocket.MessageText, text, 64 << 10},
		{"largest text in frames of 997 bytes", websocket.MessageText, text, 997},
	} {
		if raceEnabled && m.each != 64<<10 { // whose detector takes a second for some MiB
			m.data = m.data[:min(len(m.data), 1<<20)]
		}
		w, err := c.Writer(ctx, m.typ) // makes a frame of each Write
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		for rest := m.data; len(rest) > 0; {
			n := len(rest)
			if m.each > 0 {
				n = min(n, m.each)
			}
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatalf("%s: %v", m.name, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		typ, data, err := c.Read(ctx)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if typ != m.typ || !bytes.Equal(data, m.data) {
			t.Errorf("%s: got %v of %d bytes, want %v of %d", m.name, typ, len(data), m.typ, len(m.data))
		}
	}
	// The library's Writer ends a message with an empty frame; this is one frame.
	if err := c.Write(ctx, websocket.MessageBinary, blob); err != nil {
		t.Fatal(err)
	}
	if _, data, err := c.Read(ctx); err != nil || !bytes.Equal(data, blob) {
		t.Errorf("in one frame: %d bytes, %v", len(data), err)
	}
	if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
		t.Errorf("close: %v", err)
	}

	c, _, err = websocket.Dial(ctx, "ws://"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	_ = c.Write(ctx, websocket.MessageBinary, append(blob, 0)) // fails or not, as the answer comes at once
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("one byte more: %v, want 1009", err)
	}
}
