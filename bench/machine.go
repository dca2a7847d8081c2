package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"tavern/bench/swarm"
)

// machine describes where the figures were taken, in lines that benchstat understands.
func machine(o options) []string {
	var uts unix.Utsname
	_ = unix.Uname(&uts)
	lines := []string{
		"goos: " + runtime.GOOS,
		"goarch: " + runtime.GOARCH,
		"cpu: " + cpuModel(),
		"cores: " + strconv.Itoa(runtime.NumCPU()),
		"kernel: " + unix.ByteSliceToString(uts.Release[:]),
		"go: " + runtime.Version(),
	}
	pins := fmt.Sprintf("pins: server %s, generator %s", pinName(o.pin), pinName(o.pinSelf))
	return append(lines, pins)
}

func pinName(cpu int) string {
	if cpu < 0 {
		return "free"
	}
	return "cpu" + strconv.Itoa(cpu)
}

func cpuModel() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// pinProcess binds every thread of this process, and so those still to come, to one
// processor.
func pinProcess(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("pin to cpu %d: %w", cpu, err)
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil {
			return fmt.Errorf("pin to cpu %d: %w", cpu, err)
		}
	}
	return nil
}

// ownCPU returns the processor time that this process has used, without its children.
func ownCPU() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// counts writes numbers by name: "1013 × 2, reset × 1".
func counts(m map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s × %d", name, m[name]))
	}
	return strings.Join(parts, ", ")
}

// progress shows what is going on, on a terminal only. Any goroutine may call it.
type progress struct {
	mu   sync.Mutex
	w    io.Writer // nil: nothing is shown
	what string
	bar  *progressbar.ProgressBar
}

func newProgress(errOut io.Writer, quiet bool) *progress {
	f, ok := errOut.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{w: errOut}
}

// begin names what the next reports are about.
func (p *progress) begin(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.what = what
}

// say shows a line that nothing follows.
func (p *progress) say(what string) {
	p.begin(what)
	p.tell(swarm.Progress{Total: 1})
}

// tell shows how far it is.
func (p *progress) tell(at swarm.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w == nil || at.Total <= 0 {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(at.Total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(p.what),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(24),
			progressbar.OptionShowCount())
	}
	p.bar.ChangeMax(at.Total)
	_ = p.bar.Set(at.Done)
}

// end takes the line away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}
