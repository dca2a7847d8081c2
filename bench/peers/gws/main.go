// Command gws is a chat room on lxzan/gws for side-by-side measurements: a
// goroutine per connection reads, and a chat goes to everyone but its sender
// through the library's own Broadcaster (one encoded frame, one asynchronous
// write per member).
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/lxzan/gws"
)

const maxMessageBytes = 2048

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "`host:port` to listen on")
	flag.Parse()
	if err := run(*addr); err != nil {
		slog.Error("gws room", "err", err)
		os.Exit(1)
	}
}

// run serves until SIGINT or SIGTERM.
func run(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	upgrader := gws.NewUpgrader(&room{members: make(map[*gws.Conn]struct{})}, &gws.ServerOption{
		ReadMaxPayloadSize: maxMessageBytes,
	})
	server := &http.Server{Addr: addr, ReadHeaderTimeout: 10 * time.Second}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := upgrader.Upgrade(w, r)
		if err != nil {
			return // the upgrader has answered
		}
		// A goroutine of its own, so that net/http's request can be collected.
		go socket.ReadLoop()
	})
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// room handles the events of every connection, each on that connection's goroutine.
type room struct {
	gws.BuiltinEventHandler
	mu      sync.RWMutex
	members map[*gws.Conn]struct{}
}

// OnOpen lets socket hear the room.
func (r *room) OnOpen(socket *gws.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[socket] = struct{}{}
}

// OnClose takes socket out of the room.
func (r *room) OnClose(socket *gws.Conn, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.members, socket)
}

// OnMessage queues one chat for every other member.
func (r *room) OnMessage(socket *gws.Conn, message *gws.Message) {
	defer message.Close()
	// The queued writes outlive this call, the message's buffer does not.
	chat := gws.NewBroadcaster(gws.OpcodeText, append([]byte(nil), message.Bytes()...))
	defer chat.Close()
	r.mu.RLock()
	defer r.mu.RUnlock()
	for member := range r.members {
		if member != socket {
			chat.Broadcast(member)
		}
	}
}
