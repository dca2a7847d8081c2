package target

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has taken so far.
type Usage struct {
	CPU      time.Duration // user and system, in steps of 10 ms
	RSSBytes int64
}

// errUnknown is returned for a server whose process nobody named.
var errUnknown = errors.New("target: the server's process is unknown (-pid)")

// clockTick is the unit of times in /proc/PID/stat, on every Linux a user can see.
const clockTick = 10 * time.Millisecond

// Usage reads the server's processor time and memory.
func (s *Server) Usage() (Usage, error) {
	pid := s.PID()
	if pid == 0 {
		return Usage{}, errUnknown
	}
	cpu, err := cpuTime(pid)
	if err != nil {
		return Usage{}, err
	}
	rss, err := residentBytes(pid)
	return Usage{CPU: cpu, RSSBytes: rss}, err
}

func procFile(pid int, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), name))
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return data, nil
}

func cpuTime(pid int) (time.Duration, error) {
	data, err := procFile(pid, "stat")
	if err != nil {
		return 0, err
	}
	// The name in parentheses may hold anything; what follows it does not.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const user, system = 11, 12 // fields 14 and 15 of proc(5), counted from the state
	if len(fields) <= system {
		return 0, fmt.Errorf("target: cannot read /proc/%d/stat", pid)
	}
	u, errU := strconv.ParseInt(fields[user], 10, 64)
	k, errK := strconv.ParseInt(fields[system], 10, 64)
	if err := errors.Join(errU, errK); err != nil {
		return 0, fmt.Errorf("target: /proc/%d/stat: %w", pid, err)
	}
	return time.Duration(u+k) * clockTick, nil
}

// residentBytes prefers smaps_rollup, which counts pages now; VmRSS lags behind by up
// to 64 pages a thread.
func residentBytes(pid int) (int64, error) {
	data, err := procFile(pid, "smaps_rollup")
	if err == nil {
		if kib, ok := kibibytes(data, "Rss:"); ok {
			return kib << 10, nil
		}
	}
	if data, err = procFile(pid, "status"); err != nil {
		return 0, err
	}
	kib, ok := kibibytes(data, "VmRSS:")
	if !ok {
		return 0, fmt.Errorf("target: no memory in /proc/%d/status", pid)
	}
	return kib << 10, nil
}

// kibibytes finds the line "key N kB".
func kibibytes(data []byte, key string) (int64, bool) {
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
