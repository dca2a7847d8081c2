//go:build linux && cgo

package argon2id

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// threads lists the nice values of this process's argon2id threads.
func threads(t *testing.T) (nice []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil || len(stats) == 0 {
		t.Fatalf("threads of this process: %v, %v", stats, err)
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// proc(5): "pid (comm) state ...": nice is field 19, 16 after the name.
		if _, fields, ok := strings.Cut(string(stat), "(argon2id) "); ok {
			nice = append(nice, strings.Fields(fields)[16])
		}
	}
	return nice
}

// allEnded waits for the threads that were stopped: they say that they are
// through with their work an instant before the kernel forgets them.
func allEnded(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(threads(t)) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d threads have not ended", len(threads(t)))
		}
	}
}

func TestThreadRunsAtTheLowestPriorityAndEnds(t *testing.T) {
	allEnded(t) // those of other tests
	thread, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := thread.Key([]byte("p"), []byte("somesalt"), 1, 64, 32); err != nil {
		t.Fatal(err)
	}
	if nice := threads(t); len(nice) != 1 || nice[0] != "19" {
		t.Errorf("nice of the threads: %v, want one at 19", nice)
	}
	thread.Stop()
	allEnded(t)
	thread.Stop()
	if _, err := thread.Key([]byte("p"), []byte("somesalt"), 1, 64, 32); err == nil {
		t.Error("a key after Stop")
	}
	if thread.memory != nil {
		t.Error("memory kept after Stop")
	}
}

func TestKeyWithoutMemory(t *testing.T) {
	thread := start(t)
	if _, err := thread.Key([]byte("p"), []byte("somesalt"), 1, 1<<32-1, 32); err == nil {
		t.Skip("this machine gave 4 TiB of memory")
	}
	same(t, thread, []byte("p"), []byte("somesalt"), 1, 64, 32)
}
