// Command echo puts an echo behind the server's WebSocket edge, so that a
// conformance suite can be pointed at it: text comes back as text and binary as
// binary.
//
//	go run ./server/ws/echo -addr 127.0.0.1:9001 -max-message 16777216
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tavern/server/ws"
)

// maxMessage is the most that -max-message may ask for.
const maxMessage = 16 << 20

func main() {
	addr := flag.String("addr", "127.0.0.1:9001", "address to listen on, `HOST:PORT`")
	size := flag.Int("max-message", maxMessage, "largest message in `bytes`, at most 16 MiB")
	flag.Parse()
	if flag.NArg() > 0 || *size < 1 || *size > maxMessage {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, log, *addr, *size, nil); err != nil {
		log.Error("echo", slog.Any("error", err))
		os.Exit(1)
	}
}

// run serves until ctx ends. listening, if not nil, is told the address.
func run(ctx context.Context, log *slog.Logger, addr string, size int, listening func(net.Addr)) error {
	edge, err := ws.New(ws.Config{
		MaxMessageBytes: size,
		// Room for a few of the largest messages to a client that sends first
		// and reads later.
		MaxPendingBytes: 8*size + 1<<20,
		CheckOrigin:     func(*http.Request) bool { return true },
		Logger:          log,
	}, echo{})
	if err != nil {
		return err
	}
	ln, err := ws.Listen(ctx, addr, ws.ListenConfig{})
	if err != nil {
		return err
	}
	if err := edge.Start(); err != nil {
		return errors.Join(err, ln.Close())
	}
	front := &http.Server{
		Handler:           edge,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- front.Serve(ln) }()
	log.Info("echo", slog.String("addr", ln.Addr().String()), slog.Int("max-message", size))
	if listening != nil {
		listening(ln.Addr())
	}
	select {
	case err = <-served:
	case <-ctx.Done():
		err = front.Close()
		<-served
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if stopErr := edge.Shutdown(bound); err == nil && stopErr != nil {
		err = fmt.Errorf("shut down: %w", stopErr)
	}
	return err
}

// echo sends every message back as what it was.
type echo struct{}

func (echo) Open(*ws.Session) {}

func (echo) Message(s *ws.Session, data []byte, text bool) {
	frame := make([]byte, 0, len(data)+10)
	if text {
		frame = ws.AppendText(frame, data)
	} else {
		frame = ws.AppendBinary(frame, data)
	}
	if err := s.Write(frame); errors.Is(err, ws.ErrBacklog) {
		s.Close(ws.CloseTryLater, "answers are not read")
	}
}

func (echo) Closed(*ws.Session, int, string) {}
