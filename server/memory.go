package main

import (
	"context"
	"runtime/debug"
	rtmetrics "runtime/metrics"
	"time"
)

// Garbage that is worth a collection of its own, what counts as calm, and for how
// long it must have been. An upgrade or a login leaves several times behind what
// stays of it.
const (
	garbageBytes = 8 << 20
	calmBytes    = 128 << 10 // allocated in a second
	calmSeconds  = 2
)

// giveBackMemory returns to the system what a storm of joins, or any other busy
// time, has left behind, two seconds after the last of it: the runtime by itself
// would collect an idle server's garbage in minutes and keep the room. It costs one
// collection for each storm, and none while people are active.
func giveBackMemory(ctx context.Context) {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	allocated := []rtmetrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var released, last uint64
	calm := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		rtmetrics.Read(allocated)
		now := allocated[0].Value.Uint64()
		if now-last > calmBytes {
			calm = 0
		} else {
			calm++
		}
		last = now
		if calm >= calmSeconds && now-released >= garbageBytes {
			released = now
			debug.FreeOSMemory()
		}
	}
}
