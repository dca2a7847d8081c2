// Package doctor looks at the machine for what would stop a big evening, and
// says in words what it found, what that means for the players, and what to
// type. It changes nothing.
//
// It reads files under /proc and /sys where it can, so that it needs no
// privileges and its checks can be tested on files. It must not know the server:
// it is told what the server would be started with.
package doctor

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK   Level = "OK"
	Warn Level = "WARN" // the evening may end worse than it began
	Fail Level = "FAIL" // the server does not start, or not for so many players
	Skip Level = "SKIP" // it cannot be seen here
)

// Finding is the result of one check.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Found string `json:"found"`           // what is there
	Means string `json:"means,omitempty"` // for the players; empty when it is OK
	Do    string `json:"do,omitempty"`    // what to type; empty when there is nothing to do
}

// Config is what a server would be started with.
type Config struct {
	Addr            string // host:port to listen on
	DB              string // its database file
	MaxPlayers      int    // most connections at a time
	TLSCert, TLSKey string // PEM files; both empty without TLS

	Admin      string // host:port of the operator's page; empty without
	AdminAsked bool   // the server does not start without it

	Domains      []string // names for which it gets certificates by itself
	Certificates string   // the folder where it keeps them
	ACMEHTTP     string   // host:port for the authority's questions; empty: Addr does it

	// Root is where /proc and /sys are looked for. Default "/".
	Root string
}

// probe is a Config with the ways to what is not a file.
type probe struct {
	Config
	now     func() time.Time
	listen  func(ctx context.Context, addr string) error // opens the port and closes it
	healthy func(ctx context.Context, addr string) bool  // a server of ours answers there
	disk    func(path string) (disk, error)
	synced  func() (bool, error) // the clock, by a time server
	resolve func(ctx context.Context, name string) ([]string, error)

	running bool // a server of ours has the port open, and
	server  int  // this is its process, 0 when it cannot be seen
}

func newProbe(cfg Config) *probe {
	if cfg.Root == "" {
		cfg.Root = "/"
	}
	return &probe{
		Config: cfg,
		now:    time.Now,
		listen: func(ctx context.Context, addr string) error {
			var config net.ListenConfig
			listener, err := config.Listen(ctx, "tcp", addr)
			if err != nil {
				return err
			}
			return listener.Close()
		},
		healthy: func(ctx context.Context, addr string) bool { return healthy(ctx, addr, cfg.Domains) },
		disk:    diskOf,
		synced:  clockSynced,
		resolve: net.DefaultResolver.LookupHost,
	}
}

// Run makes every check.
func Run(ctx context.Context, cfg Config) []Finding { return newProbe(cfg).run(ctx) }

func (p *probe) run(ctx context.Context) []Finding {
	port := p.port(ctx) // first: other checks look at the process that has it
	findings := append([]Finding{port}, p.otherPorts(ctx)...)
	findings = append(findings, p.limits()...)
	findings = append(findings, p.backlog(), p.localPorts(), p.memory(), p.space())
	findings = append(findings, p.database(ctx)...)
	return append(findings, p.clock(), p.sqlite(), p.tls(ctx))
}

// limits are the checks of what is counted in players, which a server can make
// at its start.
func (p *probe) limits() []Finding {
	return []Finding{p.openFiles(), p.systemFiles(), p.conntrack(), p.tcpMemory()}
}

// Warnings has a line for every limit of this machine that is too low for so
// many players. It reads a few files and takes no time to speak of.
func Warnings(maxPlayers int) []string { return newProbe(Config{MaxPlayers: maxPlayers}).warnings() }

func (p *probe) warnings() (lines []string) {
	for _, f := range p.limits() {
		if f.Level == Fail {
			lines = append(lines, fmt.Sprintf("%s: %s; %s; to do: %s", f.Check, f.Found, f.Means, f.Do))
		}
	}
	return lines
}

// Count tells how many findings have a level.
func Count(findings []Finding, level Level) (n int) {
	for _, f := range findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// Write prints the findings as a table, with advice where there is need.
func Write(out io.Writer, findings []Finding) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	passing := false // something is advised that does not last
	for _, f := range findings {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", f.Level, f.Check, f.Found)
		if f.Level == OK || f.Level == Skip {
			continue
		}
		fmt.Fprintf(tw, "\t\t  means: %s\n", f.Means)
		if f.Do != "" {
			fmt.Fprintf(tw, "\t\t  do:    %s\n", f.Do)
			passing = passing || strings.Contains(f.Do, "sysctl -w")
		}
	}
	if err := tw.Flush(); err != nil || !passing {
		return err
	}
	_, err := fmt.Fprintln(out, "\nWhat sysctl -w sets is gone after a reboot, unless it is also in /etc/sysctl.d/90-tavern.conf (without the words sysctl -w).")
	return err
}

// read gives the fields of a file of /proc or /sys.
func (p *probe) read(path string) ([]string, error) {
	text, err := os.ReadFile(p.path(path))
	return strings.Fields(string(text)), err
}

// number gives the n-th number of a file of /proc or /sys.
func (p *probe) number(path string, n int) (int64, error) {
	fields, err := p.read(path)
	if err != nil {
		return 0, err
	}
	if n >= len(fields) {
		return 0, fmt.Errorf("%s has %d fields", path, len(fields))
	}
	return parseNumber(fields[n])
}

// unseen is the finding of a check that cannot look.
func unseen(check string, err error) Finding {
	return Finding{Check: check, Level: Skip, Found: "cannot be seen here: " + err.Error()}
}

// size is a number of bytes as people write it.
func size(bytes int64) string {
	value, unit := float64(bytes), "B"
	for _, bigger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, bigger
	}
	if unit == "B" || value >= 100 {
		return fmt.Sprintf("%.0f %s", value, unit)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
