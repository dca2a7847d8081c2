package target

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const reading = `# HELP game_tick_seconds Work of a tick.
# TYPE game_tick_seconds histogram
game_tick_seconds_bucket{le="0.001"} 10
game_tick_seconds_bucket{le="0.005"} 90
game_tick_seconds_bucket{le="0.01"} 100
game_tick_seconds_bucket{le="+Inf"} 100
game_tick_seconds_sum 0.3
game_tick_seconds_count 100
codec_malformed_total{reason="not json"} 2
codec_malformed_total{reason="too {long}"} 3
game_players 7
`

func TestParseMetrics(t *testing.T) {
	m, err := parseMetrics(strings.NewReader(reading))
	if err != nil {
		t.Fatal(err)
	}
	if m.Values["game_players"] != 7 || m.Values["codec_malformed_total"] != 5 {
		t.Errorf("values %v", m.Values)
	}
	if len(m.Series) != 2 || m.Series[`codec_malformed_total{reason="too {long}"}`] != 3 {
		t.Errorf("series %v", m.Series)
	}
	if _, err := parseMetrics(strings.NewReader("<html>no metrics</html>")); err == nil {
		t.Error("a web page was taken for metrics")
	}

	empty := &Metrics{}
	d := m.Since(empty, "game_tick_seconds")
	if d.Count != 100 || d.Sum != 0.3 {
		t.Errorf("count %v, sum %v", d.Count, d.Sum)
	}
	for _, tc := range []struct{ q, want float64 }{
		{0.05, 0.0005}, {0.1, 0.001}, {0.5, 0.003}, {0.9, 0.005}, {0.95, 0.0075}, {1, 0.01},
	} {
		if got := d.Quantile(tc.q); math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("quantile %v is %v, want %v", tc.q, got, tc.want)
		}
	}

	// Between two readings only what came in between counts.
	later := strings.NewReplacer(`"0.01"} 100`, `"0.01"} 100`, `"+Inf"} 100`, `"+Inf"} 120`, "count 100", "count 120").Replace(reading)
	n, err := parseMetrics(strings.NewReader(later))
	if err != nil {
		t.Fatal(err)
	}
	since := n.Since(m, "game_tick_seconds")
	if since.Count != 20 || since.Quantile(0.5) != 0.01 {
		t.Errorf("twenty slow ticks: count %v, p50 %v; want the highest bound", since.Count, since.Quantile(0.5))
	}
	if d := m.Since(empty, "no_such_histogram"); !math.IsNaN(d.Quantile(0.5)) || d.QuantileDuration(0.5) >= 0 {
		t.Error("a quantile of nothing is a number")
	}
}

func TestUsageOfThisProcess(t *testing.T) {
	s, err := Open(Config{Addr: "127.0.0.1:1", PID: os.Getpid(), CPU: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if before.RSSBytes < 1<<20 || before.RSSBytes > 1<<34 {
		t.Errorf("RSS %d", before.RSSBytes)
	}
	// Work until the kernel says that it took 50 ms.
	var usage unix.Rusage
	cpu := func() time.Duration {
		if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
			t.Fatal(err)
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	start := cpu()
	for cpu()-start < 50*time.Millisecond {
	}
	took := cpu() - start
	after, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if got := after.CPU - before.CPU; got < took-2*clockTick || got > took+200*time.Millisecond {
		t.Errorf("%v of work show as %v", took, got)
	}
	unknown, err := Open(Config{Addr: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unknown.Usage(); err == nil {
		t.Error("an unknown process has usage")
	}
}

func TestStartFailsWithTheLog(t *testing.T) {
	s, err := Open(Config{Command: []string{"sh", "-c", "echo cannot listen at $0; exit 3", "{addr}"}, CPU: -1})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cannot listen at "+s.Addr()) {
		t.Errorf("error %v", err)
	}
	dir := s.dir
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there", filepath.Base(dir))
	}
}

func TestLocal(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:8081": true, "127.9.9.9:1": true, "localhost:80": true, "[::1]:80": true,
		"10.0.0.1:80": false, "example.org:80": false, "0.0.0.0:80": false, "localhost": false, "": false,
	} {
		if got := Local(addr); got != want {
			t.Errorf("Local(%q) = %v", addr, got)
		}
	}
}

func TestParseHost(t *testing.T) {
	h, err := parseHost("cpu  100 5 50 1000 20 3 7 11 0 0")
	if err != nil || h.Busy != 165*clockTick || h.Stolen != 11*clockTick {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := parseHost("intr 1 2 3"); err == nil {
		t.Error("another line was taken for the processors")
	}
	if h, err := ReadHost(); err != nil || h.Busy <= 0 {
		t.Errorf("this machine: %+v, %v", h, err)
	}
}
