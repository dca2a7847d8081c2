package swarm

import (
	"time"

	"golang.org/x/sys/unix"
)

// The runtime's monotonic clock is CLOCK_MONOTONIC without its origin. Both are
// read once here, so that Now costs no system call and still compares between
// processes of one machine.
var (
	clockStart = time.Now()
	clockBase  = monotonicNanos()
)

// Now returns the machine's monotonic clock in nanoseconds. All processes of the
// machine share it; any goroutine may call it.
func Now() int64 {
	return clockBase + int64(time.Since(clockStart))
}

// SleepUntil waits until Now reaches at, in nanoseconds.
func SleepUntil(at int64) {
	time.Sleep(time.Duration(at - Now()))
}

func monotonicNanos() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("swarm: no monotonic clock: " + err.Error())
	}
	return ts.Nano()
}

// threadCPU returns the processor time that the calling thread has used. The caller
// must have locked itself to its thread.
func threadCPU() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
