package main

import (
	"context"
	"runtime/debug"
	rtmetrics "runtime/metrics"
	"time"
)

// Garbage that is worth a collection of its own, what counts as calm, and for how
// long it must have been: first for what the storm threw away, of which an upgrade or
// a login leaves several times what stays of it; then once more, when rings and
// streams have let go of their buffers, up to four seconds after the last packet.
const (
	garbageBytes   = 8 << 20
	calmBytes      = 128 << 10 // allocated in a second
	calmSeconds    = 2
	settledSeconds = 6
)

// giveBackMemory returns to the system what a storm of joins, or any other busy
// time, has left behind, two and six seconds after the last of it: the runtime by
// itself would collect an idle server's garbage in minutes and keep the room. It costs
// two collections for each storm, and none while people are active.
func giveBackMemory(ctx context.Context) {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	allocated := []rtmetrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var released, last uint64
	calm, unsettled := 0, false
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
		switch {
		case calm >= calmSeconds && now-released >= garbageBytes:
			released, unsettled = now, true
			debug.FreeOSMemory()
		case calm >= settledSeconds && unsettled:
			released, unsettled = now, false
			debug.FreeOSMemory()
		}
	}
}
