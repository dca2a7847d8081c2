package main

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// options are the flags that every mode has.
type options struct {
	addr, metrics string
	pid           int
	allowRemote   bool
	serverCmd     string
	serverFlags   string
	pin           int

	pinSelf  int
	procs    int
	inFlight int
	rcvBuf   int
	sources  int
	path     string
	hello    bool

	json, goBench, reportDir string
	quiet                    bool
	calm                     time.Duration
	maxTime                  time.Duration
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.addr, "addr", "", "`host:port` of a server that runs already; only this machine, see -allow-remote")
	fs.IntVar(&o.pid, "pid", 0, "`process` of that server, to read its memory and time; 0 = unknown")
	fs.StringVar(&o.metrics, "metrics", "", "`URL` of its metrics; empty = http://ADDR/metrics")
	fs.BoolVar(&o.allowRemote, "allow-remote", false, "let -addr be another machine: only one that is yours to load")
	fs.StringVar(&o.serverCmd, "server-cmd", "", "`command` that starts the server in a temporary directory; {addr}, {port}, {dir} are filled in")
	fs.StringVar(&o.serverFlags, "server-flags", "", "more `flags` for the server that is started, after the mode's own")
	fs.IntVar(&o.pin, "pin", -1, "`processor` to pin the started server to; -1 = none")
	fs.IntVar(&o.pinSelf, "pin-self", -1, "`processor` to pin the generator to; -1 = none")
	fs.IntVar(&o.procs, "procs", 0, "generator `processes`; 0 = as few as the file limit allows")
	fs.IntVar(&o.inFlight, "in-flight", 256, "`handshakes` or logins that are under way at a time")
	fs.IntVar(&o.rcvBuf, "rcvbuf", 0, "receive buffer of each connection in `bytes` (SO_RCVBUF); 0 = the kernel's own, growing as it is read")
	fs.IntVar(&o.sources, "sources", 250, "`addresses` of 127.0.0.0/8 to connect from")
	fs.StringVar(&o.path, "path", "/", "`path` of the upgrade request")
	fs.BoolVar(&o.hello, "hello", false, "every connection says something first: a server with -guests on-chat lets nobody hear before")
	fs.StringVar(&o.json, "json", "", "`file` for JSON lines; - = standard output, in place of the table")
	fs.StringVar(&o.goBench, "gobench", "", "`file` for Go benchmark lines; - = standard output, in place of the table")
	fs.StringVar(&o.reportDir, "report", "", "`directory` for an HTML page with plots")
	fs.BoolVar(&o.quiet, "quiet", false, "no progress")
	fs.DurationVar(&o.calm, "calm", 0, "wait at most so long before each measurement for other programs to rest; 0 = do not wait")
	fs.DurationVar(&o.maxTime, "max-time", time.Hour, "`duration` after which everything is ended")
}

// intList is a flag of numbers separated by commas.
type intList []int

func (l *intList) String() string {
	var parts []string
	for _, n := range *l {
		parts = append(parts, strconv.Itoa(n))
	}
	return strings.Join(parts, ",")
}

func (l *intList) Set(s string) error {
	*l = nil
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n <= 0 {
			return fmt.Errorf("%q is no number above 0", part)
		}
		*l = append(*l, n)
	}
	return nil
}

// floatList is a flag of numbers separated by commas; it may be empty.
type floatList []float64

func (l *floatList) String() string {
	var parts []string
	for _, v := range *l {
		parts = append(parts, strconv.FormatFloat(v, 'f', -1, 64))
	}
	return strings.Join(parts, ",")
}

func (l *floatList) Set(s string) error {
	*l = nil
	for part := range strings.SplitSeq(s, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(v > 0) || v > 1e7 {
			return fmt.Errorf("%q is no rate above 0", part)
		}
		*l = append(*l, v)
	}
	return nil
}
