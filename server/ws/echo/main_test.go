package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestEcho(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
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

	c, _, err := websocket.Dial(ctx, "ws://"+(<-addrs).String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(maxMessage)
	for _, m := range []struct {
		name string
		typ  websocket.MessageType
		data []byte
	}{
		{"text", websocket.MessageText, []byte("grüße")},
		{"binary", websocket.MessageBinary, []byte{0, 0xff, 0x80}},
		{"empty", websocket.MessageText, nil},
		{"largest", websocket.MessageBinary, bytes.Repeat([]byte{0xa5}, maxMessage)},
	} {
		if err := c.Write(ctx, m.typ, m.data); err != nil {
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
	if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
		t.Errorf("close: %v", err)
	}
}
