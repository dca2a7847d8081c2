package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tavern/bench/target"
)

// tempDir holds the server that the tests share.
var tempDir string

// TestMain lets the tests run this binary as the crowd's and the feeder's processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == workerMode || os.Args[1] == feederMode) {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	dir, err := os.MkdirTemp("", "bench-test-")
	if err != nil {
		panic(err)
	}
	tempDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// server builds the real server once.
var server = sync.OnceValues(func() (string, error) {
	path := filepath.Join(tempDir, "tavern")
	return path, target.Build("", "tavern/server", path)
})

// outcome is one line of the JSON output.
type outcome struct {
	Mode, Case, Server string
	Figures            map[string]float64
	Problems           []string
}

// figure returns a figure that must be there.
func (o outcome) figure(t *testing.T, name string) float64 {
	t.Helper()
	v, ok := o.Figures[name]
	if !ok {
		t.Errorf("%s %s has no figure %q, but %v", o.Mode, o.Case, name, o.Figures)
		return math.NaN()
	}
	return v
}

// bench runs one mode against the real server and returns what it wrote.
func bench(t *testing.T, args ...string) []outcome {
	t.Helper()
	path, err := server()
	if err != nil {
		t.Fatal(err)
	}
	command := append(append([]string{path}, loadFlags...), fastHash...)
	return benchOn(t, append(args, "-server-cmd", strings.Join(command, " "))...)
}

func benchOn(t *testing.T, args ...string) (outcomes []outcome) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), append(args, "-json", "-", "-max-time", "2m"), nil, &out, &errOut)
	if code != exitOK {
		t.Fatalf("exit code %d\n%s\n%s", code, out.String(), errOut.String())
	}
	decoder := json.NewDecoder(&out)
	for decoder.More() {
		var o outcome
		if err := decoder.Decode(&o); err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// checkDeliveries requires that everybody heard everything that the others said.
func checkDeliveries(t *testing.T, o outcome, room int, said float64) {
	t.Helper()
	if got := o.figure(t, "said"); math.Abs(got-said) > 1 {
		t.Errorf("%s: %v chats said, want %v", o.Case, got, said)
	}
	if got := o.figure(t, "receivers"); int(got) != room {
		t.Errorf("%s: %v receivers, want %d", o.Case, got, room)
	}
	expected := o.figure(t, "said") * float64(room-1)
	if o.figure(t, "expected") != expected || o.figure(t, "delivered") != expected {
		t.Errorf("%s: %v chats to %d listeners each are %v deliveries; expected %v, delivered %v", o.Case,
			o.Figures["said"], room-1, expected, o.Figures["expected"], o.Figures["delivered"])
	}
	for _, name := range []string{"lost", "doubled", "reordered"} {
		if v := o.figure(t, name); v != 0 {
			t.Errorf("%s: %v %s", o.Case, v, name)
		}
	}
	p50, p99, top := o.figure(t, "p50"), o.figure(t, "p99"), o.figure(t, "max")
	if !(p50 > 0 && p50 <= p99 && p99 <= top*1.01) {
		t.Errorf("%s: p50 %v, p99 %v, max %v ms", o.Case, p50, p99, top)
	}
}

func TestChat(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args []string
	}{
		{"guests", nil},
		{"players", []string{"-players"}},
		{"two talk", []string{"-senders", "2"}},
		{"three processes", []string{"-procs", "3"}},
		{"long texts", []string{"-text", "300"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			outcomes := bench(t, append([]string{"chat", "-room", "10", "-rate", "50,200", "-time", "800ms", "-warmup", "200ms", "-bound", "0"}, tc.args...)...)
			if len(outcomes) != 2 {
				t.Fatalf("%d records, want 2", len(outcomes))
			}
			checkDeliveries(t, outcomes[0], 10, 50)
			checkDeliveries(t, outcomes[1], 10, 200)
			// Said in the window, heard in the window: but for what is under way.
			if got := outcomes[1].figure(t, "deliveries/s"); got < 900 || got > 2700 {
				t.Errorf("%v deliveries a second, want about 1800", got)
			}
		})
	}
}

func TestChatSearch(t *testing.T) {
	t.Parallel()
	outcomes := bench(t, "chat", "-room", "10", "-from", "50", "-to", "200", "-time", "400ms", "-warmup", "100ms", "-bound", "10s", "-report", t.TempDir())
	last := outcomes[len(outcomes)-1]
	if len(outcomes) != 4 || last.Mode != "chat" || last.figure(t, "rate") != 200 {
		t.Fatalf("a server that carries 200: %+v", outcomes)
	}
	for _, o := range outcomes {
		checkDeliveries(t, o, 10, o.figure(t, "said"))
	}
}

func TestChatSearchFindsNothing(t *testing.T) {
	t.Parallel()
	path, err := server()
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	// No server delivers within a microsecond.
	code := run(t.Context(), []string{"chat", "-room", "10", "-from", "20", "-step", "300", "-tries", "1", "-time", "300ms", "-warmup", "0s", "-bound", "1us",
		"-server-cmd", path + " " + strings.Join(loadFlags, " ")}, nil, &out, &errOut)
	if code != exitProblems || !strings.Contains(out.String(), "no rate passed") {
		t.Errorf("exit code %d\n%s\n%s", code, out.String(), errOut.String())
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	outcomes := bench(t, "connect", "-n", "10", "-rounds", "2")
	if len(outcomes) != 2 {
		t.Fatalf("%d records, want 2", len(outcomes))
	}
	for _, o := range outcomes {
		if !(o.figure(t, "handshakes/s") > 0) || !(o.figure(t, "p50") > 0) {
			t.Errorf("%+v", o)
		}
	}
}

func TestIdle(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"-players=false", "-players"} {
		o := bench(t, "idle", "-n", "10", kind, "-steps", "2", "-wait", "100ms", "-window", "300ms", "-windows", "2")[0]
		if o.figure(t, "frames heard") != 0 {
			t.Errorf("%s: %v frames came to connections that are idle", kind, o.Figures["frames heard"])
		}
		if before, with := o.figure(t, "RSS before"), o.figure(t, "RSS with all"); !(before > 1 && with > 1) {
			t.Errorf("%s: RSS %v MB, then %v MB", kind, before, with)
		}
		if cpu := o.figure(t, "CPU per 300ms"); cpu < 0 || cpu > 0.6 {
			t.Errorf("%s: %v s of processor time in 0.3 s", kind, cpu)
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	outcomes := bench(t, "login", "-idle", "10", "-bots", "10", "-time", "1s")
	if len(outcomes) != 2 {
		t.Fatalf("%d records, want the calm and the storm", len(outcomes))
	}
	calm, storm := outcomes[0], outcomes[1]
	if calm.figure(t, "logins/s") != 0 || !(storm.figure(t, "logins/s") > 5) || !(storm.figure(t, "registrations/s") > 5) {
		t.Errorf("calm %v, storm %v", calm.Figures, storm.Figures)
	}
	for _, o := range outcomes {
		if work, late := o.figure(t, "tick work p99"), o.figure(t, "tick late p99"); !(work > 0 && late >= 0) {
			t.Errorf("%s: tick work %v, late %v ms", o.Case, work, late)
		}
	}
}

func TestMove(t *testing.T) {
	t.Parallel()
	for _, procs := range []string{"1", "2"} {
		// Ten who all stand within the same nine cells.
		o := bench(t, "move", "-walkers", "10", "-neighbours", "9", "-warmup", "1s", "-time", "2500ms", "-procs", procs)[0]
		if o.figure(t, "shown to each") != 9 {
			t.Errorf("%v others are shown to each of ten", o.Figures["shown to each"])
		}
		// Twenty a second of each, its own too, but for who is turning round.
		if got := o.figure(t, "updates per client"); got < 100 || got > 260 {
			t.Errorf("%v updates a second, want nearly 200", got)
		}
		if got, want := o.figure(t, "deliveries/s"), o.figure(t, "updates per client")*10; math.Abs(got-want) > want/100 {
			t.Errorf("%v deliveries a second to ten clients with %v each", got, want/10)
		}
		if p50, p99 := o.figure(t, "staleness p50"), o.figure(t, "staleness p99"); !(p50 > 10 && p50 <= p99 && p99 < 2000) {
			t.Errorf("staleness p50 %v, p99 %v ms", p50, p99)
		}
		if !(o.figure(t, "received per client") > 5) || !(o.figure(t, "tick work p99") > 0) {
			t.Errorf("%v", o.Figures)
		}
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	o := bench(t, "crowd", "-n", "10", "-wait", "100ms", "-window", "200ms")[0]
	if o.figure(t, "shown to each") != 9 || !(o.figure(t, "logins/s") > 0) {
		t.Errorf("%v", o.Figures)
	}
}

// soaked splits what a soak wrote into its rows and the rest.
func soaked(outcomes []outcome) (rows, rest []outcome) {
	for _, o := range outcomes {
		if o.Mode == "soak" {
			rows = append(rows, o)
		} else {
			rest = append(rest, o)
		}
	}
	return rows, rest
}

func TestSoak(t *testing.T) {
	t.Parallel()
	rows, rest := soaked(bench(t, "soak", "-guests", "5", "-players", "5", "-rate", "50", "-churn", "10", "-stay", "700ms", "-halfway", "10", "-garbage", "25", "-slow", "0",
		"-warm", "1s", "-look", "1s", "-time", "4s", "-every", "2s", "-bound", "0"))
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	for _, o := range rows {
		checkDeliveries(t, o, 10, 150) // three seconds, with the warm-up
		if visits := o.figure(t, "visits"); visits < 15 || visits > 31 {
			t.Errorf("%v visits in three seconds, want nearly 30", visits)
		}
	}
	accounts := make(map[string]outcome)
	for _, o := range rest {
		accounts[o.Mode+" "+o.Case] = o
	}
	all := accounts["churn all"]
	for name, least := range map[string]float64{"visitors": 30, "resets in the middle": 30, "garbage": 90} {
		if got := all.figure(t, name); got < least || got > 2*least {
			t.Errorf("%v %s, want %v or a few more", got, name, least)
		}
	}
	before, after := accounts["leaks before"], accounts["leaks after"]
	for _, name := range []string{"goroutines", "fds"} {
		if was, is := before.figure(t, name), after.figure(t, name); !(was > 10) || is != was {
			t.Errorf("%v %s before, %v after", was, name, is)
		}
	}
	if said := accounts["account chats = said"].figure(t, "is"); said < 300 {
		t.Errorf("the server counted %v chats of 300 and the visitors'", said)
	}
	if faults := accounts["account faults = sent"].figure(t, "is"); faults < 30 {
		t.Errorf("the server counted %v faults", faults)
	}
}

func TestSoakSlowReaders(t *testing.T) {
	t.Parallel()
	rows, rest := soaked(bench(t, "soak", "-guests", "10", "-players", "0", "-rate", "200", "-text", "1000", "-churn", "1", "-stay", "1s", "-halfway", "0", "-garbage", "0",
		"-slow", "6", "-slow-stay", "5s", "-max-blocked", "2s", "-warm", "0", "-look", "1s", "-time", "6s", "-every", "6s", "-bound", "0"))
	checkDeliveries(t, rows[0], 10, 1400)
	for _, o := range rest {
		if o.Case != "slow consumers = closed, try later" {
			continue
		}
		// Three of twelve stop; what becomes of the others depends on when they wake.
		if closed := o.figure(t, "is"); closed < 3 || closed > 13 {
			t.Errorf("%v slow consumers of 12", closed)
		}
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	outcomes := bench(t, "slow", "-room", "10", "-rate", "100", "-time", "800ms", "-bound", "10s")
	if len(outcomes) != 5 {
		t.Fatalf("%d records, want three kinds between two without", len(outcomes))
	}
	for _, o := range outcomes {
		checkDeliveries(t, o, 10, 280) // the window and two seconds of warm-up
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	outcomes := benchOn(t, "compare", "-room", "10", "-idle", "10", "-wait", "100ms", "-window", "200ms", "-light", "20",
		"-from", "50", "-to", "50", "-time", "400ms", "-warmup", "100ms", "-bound", "10s")
	servers := make(map[string]bool)
	for _, o := range outcomes {
		switch o.Mode {
		case "compare":
			servers[o.Server] = true
			if !(o.figure(t, "deliveries/s, room 10") > 100) || !(o.figure(t, "handshakes/s") > 0) {
				t.Errorf("%s: %v", o.Server, o.Figures)
			}
		case "chat", "probe":
			checkDeliveries(t, o, 10, o.figure(t, "said"))
		}
	}
	if len(servers) != 3 || !servers["tavern"] || !servers["gorilla"] || !servers["gws"] {
		t.Errorf("compared %v", servers)
	}
}

func TestCeiling(t *testing.T) {
	t.Parallel()
	o := benchOn(t, "ceiling", "-room", "10", "-frames", "50", "-time", "300ms")[0]
	if o.figure(t, "lost") != 0 || !(o.figure(t, "frames/s") > 1000) || o.figure(t, "frame") != 100 {
		t.Errorf("%v", o.Figures)
	}
}

// A server that runs already is used and left alone.
func TestRunningServer(t *testing.T) {
	t.Parallel()
	path, err := server()
	if err != nil {
		t.Fatal(err)
	}
	// As an operator runs it: a guest is who says something.
	s, err := target.Open(target.Config{Command: append(append([]string{path}, loadFlags...), "-guests", "on-chat"), CPU: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		o := benchOn(t, "chat", "-addr", s.Addr(), "-hello", "-room", "10", "-rate", "50", "-time", "300ms", "-warmup", "100ms", "-bound", "0")[0]
		checkDeliveries(t, o, 10, 20)
		if _, known := o.Figures["server RSS"]; known {
			t.Error("the memory of an unknown process is known")
		}
	}
	if err := s.Alive(); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no mode", []string{}, "Usage"},
		{"unknown mode", []string{"destroy"}, "no mode"},
		{"another machine", []string{"chat", "-addr", "192.0.2.1:80"}, "-allow-remote"},
		{"both servers", []string{"chat", "-addr", "127.0.0.1:1", "-server-cmd", "x"}, "exclude"},
		{"no place for the port", []string{"chat", "-server-cmd", "true"}, "{addr}"},
		{"no such program", []string{"chat", "-server-cmd", "/no/such/program {addr}"}, "no such file"},
		{"text too short", []string{"chat", "-text", "5"}, "-text 5"},
		{"stray argument", []string{"chat", "room"}, "unexpected"},
		{"unknown flag", []string{"chat", "-romo", "3"}, "not defined"},
		{"nobody there", []string{"connect", "-addr", "127.0.0.1:1", "-max-time", "200ms"}, "max-time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			if code := run(t.Context(), tc.args, nil, &out, &errOut); code != exitFailed || !strings.Contains(errOut.String(), tc.want) {
				t.Errorf("exit code %d, %s", code, errOut.String())
			}
		})
	}
}

// An interrupt ends everything at once, the server too.
func TestInterrupt(t *testing.T) {
	path, err := server()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(time.Second, cancel)
	var out, errOut bytes.Buffer
	began := time.Now()
	code := run(ctx, []string{"idle", "-n", "10", "-wait", "1h", "-server-cmd", path + " " + strings.Join(loadFlags, " ")}, nil, &out, &errOut)
	if code != exitFailed || time.Since(began) > 30*time.Second {
		t.Errorf("exit code %d after %v: %s", code, time.Since(began), errOut.String())
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestHelp(t *testing.T) {
	for _, m := range modes() {
		var out, errOut bytes.Buffer
		if code := run(t.Context(), []string{m.name, "-h"}, nil, &out, &errOut); code != exitOK {
			t.Errorf("%s -h: exit code %d", m.name, code)
		}
		for _, want := range []string{m.summary, "-server-cmd", "-report", "(default "} {
			if !strings.Contains(errOut.String(), want) {
				t.Errorf("%s -h does not say %q", m.name, want)
			}
		}
	}
}
