package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestNothingIsInherited looks whether a program that this process started would
// get its connections: it would keep them open, and events of a connection that
// is closed here would go on, under a number that is another's by then.
func TestNothingIsInherited(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for range 3 {
		connect(t, s).ping()
	}
	descriptors, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(descriptors) == 0 {
		t.Skip("SKIPPED: there is no /proc to see descriptors in")
	}
	sockets := 0
	for _, fd := range descriptors {
		if to, _ := os.Readlink(fd); !strings.HasPrefix(to, "socket:") {
			continue // also those that are closed since
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + filepath.Base(fd))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(info)) {
			value, ok := strings.CutPrefix(line, "flags:")
			if !ok {
				continue
			}
			sockets++
			flags, err := strconv.ParseInt(strings.TrimSpace(value), 8, 64)
			if err != nil || flags&syscall.O_CLOEXEC == 0 {
				t.Errorf("descriptor %s is for every child: flags %s", filepath.Base(fd), value)
			}
		}
	}
	if sockets < 7 {
		t.Errorf("only %d sockets found: a port, and both ends of 3 connections", sockets)
	}
}
