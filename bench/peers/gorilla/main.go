// Command gorilla is a chat room on gorilla/websocket for side-by-side
// measurements. It is structured the way that library's chat example is: one hub
// goroutine owns the members and fans out over bounded channels, every member has
// a reading and a writing goroutine, the writer joins whatever has queued up into
// one message (separated by newlines), and a member whose channel is full is
// dropped. Unlike that example a message is not echoed to its sender.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

const (
	writeWait       = 10 * time.Second  // for one message to leave
	pongWait        = 60 * time.Second  // of silence before a member counts as dead
	pingEvery       = pongWait * 9 / 10 // must be shorter than pongWait
	maxMessageBytes = 2048
	queueMessages   = 256 // per member; full means dropped
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "`host:port` to listen on")
	flag.Parse()
	if err := run(*addr); err != nil {
		slog.Error("gorilla room", "err", err)
		os.Exit(1)
	}
}

// run serves until SIGINT or SIGTERM.
func run(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	room := newHub()
	go room.run()
	upgrader := websocket.Upgrader{
		ReadBufferSize:  1024,
		WriteBufferSize: 1024,
		CheckOrigin:     func(*http.Request) bool { return true },
	}
	server := &http.Server{Addr: addr, ReadHeaderTimeout: 10 * time.Second}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // the upgrader has answered
		}
		m := &member{hub: room, conn: conn, queue: make(chan []byte, queueMessages)}
		room.join <- m
		go m.write()
		go m.read()
	})
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
