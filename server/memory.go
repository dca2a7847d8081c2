package main

import (
	"context"
	"runtime/debug"
	"time"

	"tavern/server/ws"
)

// giveBackMemory returns what a storm of connections has left behind to the
// system, two seconds after the last of it: an upgrade's garbage is several times
// what stays, and an idle server would keep it for minutes. It costs one garbage
// collection for each storm.
func giveBackMemory(ctx context.Context, edge *ws.Server) {
	const (
		storm = 200 // connections come or gone that make it worth while
		calm  = 2   // seconds without any
	)
	every := time.NewTicker(time.Second)
	defer every.Stop()
	var released, last uint64
	quiet := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		c := edge.Counters()
		now := 2*c.Accepted - uint64(c.Open) // come plus gone
		if now-last > storm/50 {
			quiet = 0
		} else {
			quiet++
		}
		last = now
		if quiet == calm && now-released >= storm {
			released = now
			debug.FreeOSMemory()
		}
	}
}
