package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tavern/bench/report"
	"tavern/bench/target"
)

// contestant is a server that compareMode starts: a Go package in a folder of this
// module, with its flags.
type contestant struct {
	name    string
	folder  string // of the module that holds the package, relative to this one's
	pkg     string
	command []string
}

func contestants() []contestant {
	return []contestant{
		{"tavern", ".", "tavern/server", append(slices.Clone(loadFlags), fastHash...)},
		{"gorilla", "bench/peers", "./gorilla", []string{"-addr", "{addr}"}},
		{"gws", "bench/peers", "./gws", []string{"-addr", "{addr}"}},
	}
}

// compareMode measures ours and the peers in one run, with guests, since the peers know
// nothing else.
func compareMode(fs *flag.FlagSet) func(context.Context, *lab) error {
	var c chatFlags
	c.register(fs)
	only := fs.String("only", "", "`names` of the servers to compare, separated by commas; empty = tavern,gorilla,gws")
	idlers := fs.Int("idle", 5000, "`connections` of the handshakes and of the memory per connection")
	wait := fs.Duration("wait", 8*time.Second, "`duration` from the last connection until memory is read")
	window := fs.Duration("window", 10*time.Second, "`duration` over which idle processor time is added up")
	light := fs.Float64("light", 10, "`chats` per second of the light load")
	return func(ctx context.Context, l *lab) error {
		if err := c.check(); err != nil {
			return err
		}
		if l.opts.addr != "" || l.opts.serverCmd != "" {
			return errors.New("compare starts its servers itself")
		}
		dir, err := os.MkdirTemp("", "bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		chosen := strings.Split(*only, ",")
		var all []contestant
		for _, who := range contestants() {
			if *only != "" && !slices.Contains(chosen, who.name) {
				continue
			}
			l.progress.say("building " + who.name)
			if who.command, err = who.build(dir); err != nil {
				return err
			}
			all = append(all, who)
		}
		if len(all) == 0 {
			return fmt.Errorf("-only %s names no server", *only)
		}
		// The results stand together behind the probes that led to them.
		var results []*report.Record
		for _, who := range all {
			r, err := compareOne(ctx, l, who, c, *light, idleFlags{count: *idlers, steps: 1, wait: *wait, window: *window, windows: 1})
			if err != nil {
				return fmt.Errorf("%s: %w", who.name, err)
			}
			results = append(results, r)
		}
		l.book.Records = append(l.book.Records, results...)
		return nil
	}
}

// build compiles the contestant and returns its command.
func (c contestant) build(dir string) ([]string, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(dir, c.name)
	if err := target.Build(filepath.Join(root, c.folder), c.pkg, binary); err != nil {
		return nil, err
	}
	return append([]string{binary}, c.command...), nil
}

// moduleRoot returns the folder of this module's go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "tavern").Output()
	if err != nil {
		return "", fmt.Errorf("compare must run inside the repository: go list: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func compareOne(ctx context.Context, l *lab, who contestant, c chatFlags, light float64, f idleFlags) (*report.Record, error) {
	sum := &report.Record{Mode: "compare", Server: who.name}
	if err := l.use(target.Config{Name: who.name, Command: who.command, CPU: l.opts.pin}); err != nil {
		return nil, err
	}
	if err := l.start(ctx, f.count); err != nil {
		return nil, err
	}
	before, err := l.restingUsage(ctx, time.Second)
	if err != nil {
		return nil, err
	}
	opened, err := l.connect(ctx, f.count)
	if err != nil {
		return nil, err
	}
	after, err := l.restingUsage(ctx, f.wait)
	if err != nil {
		return nil, err
	}
	sum.Add("handshakes/s", float64(opened.Opened)/(float64(opened.To-opened.From)/1e9), "/s")
	sum.Add("RSS per connection", float64(after.RSSBytes-before.RSSBytes)/float64(f.count), "B")
	if err := l.idleWindows(ctx, sum, f); err != nil {
		return nil, err
	}
	if err := l.server.Stop(); err != nil {
		return nil, err
	}
	for _, size := range c.rooms {
		if err := compareRoom(ctx, l, sum, c, size, light); err != nil {
			return nil, err
		}
	}
	return sum, l.close()
}

// compareRoom adds the light load and the highest rate of one room.
func compareRoom(ctx context.Context, l *lab, sum *report.Record, c chatFlags, size int, light float64) error {
	room := &chatRoom{lab: l, flags: c, size: size}
	room.flags.rates = floatList{light}
	room.flags.bound = 0
	if err := room.measure(ctx); err != nil {
		return err
	}
	calm := l.book.Records[len(l.book.Records)-1]
	sum.Add(fmt.Sprintf("p99 at %.0f chats/s, room %d", light, size), calm.Get("p99"), "ms")

	room.flags = c
	room.flags.rates = nil
	if err := l.start(ctx, size); err != nil {
		return err
	}
	defer l.server.Stop()
	room.newPlot()
	best, err := room.find(ctx)
	if err != nil {
		return err
	}
	sum.Add(fmt.Sprintf("deliveries/s, room %d", size), best.Get("deliveries/s"), "/s")
	sum.Add(fmt.Sprintf("its p99, room %d", size), best.Get("p99"), "ms")
	sum.Add(fmt.Sprintf("CPU per million, room %d", size), best.Get("CPU per million"), "s")
	return nil
}
