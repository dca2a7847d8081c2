package doctor

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// today is when the tests happen.
var today = time.Date(2026, 6, 1, 20, 0, 0, 0, time.UTC)

// healthyFiles are those of a machine on which nothing stops a big evening.
var healthyFiles = map[string]string{
	"proc/self/limits":                                            "Limit  Soft Limit  Hard Limit  Units\nMax processes   100  100  processes\nMax open files            65536                65536                files     \n",
	"proc/sys/fs/nr_open":                                         "1048576\n",
	"proc/sys/fs/file-nr":                                         "1500\t0\t9223372036854775807\n",
	"proc/sys/net/core/somaxconn":                                 "4096\n",
	"proc/sys/net/ipv4/ip_local_port_range":                       "32768\t60999\n",
	"proc/sys/net/ipv4/tcp_mem":                                   "200000\t300000\t400000\n",
	"proc/sys/net/netfilter/nf_conntrack_max":                     "262144\n",
	"proc/sys/net/netfilter/nf_conntrack_count":                   "12\n",
	"proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established": "432000\n",
	"proc/meminfo":                                                "MemTotal:        2000000 kB\nMemFree:  1000 kB\nMemAvailable:    1500000 kB\n",
	"proc/self/cgroup":                                            "0::/system.slice/tavern.service\n",
	"sys/fs/cgroup/system.slice/memory.max":                       "max\n",
}

// machine is a probe of a made-up machine with these files instead of healthy
// ones; "-" takes one away.
func machine(t testing.TB, files map[string]string) *probe {
	t.Helper()
	all := maps.Clone(healthyFiles)
	maps.Copy(all, files)
	root := t.TempDir()
	for name, content := range all {
		if content == "-" {
			continue
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &probe{
		Config:  Config{Addr: ":8081", DB: filepath.Join(root, "tavern.db"), MaxPlayers: 20000, Root: root},
		now:     func() time.Time { return today },
		listen:  func(context.Context, string) error { return nil },
		healthy: func(context.Context, string) bool { return false },
		disk:    func(string) (disk, error) { return disk{free: 1 << 40, inodes: -1, kind: "ext4"}, nil },
		synced:  func() (bool, error) { return true, nil },
	}
}

// judged fails the test unless the finding is of this level, says these words,
// and is whole: whoever is warned is told what it means and what to do.
func judged(t testing.TB, f Finding, level Level, says ...string) {
	t.Helper()
	if f.Level != level {
		t.Errorf("%s, want %s: %+v", f.Level, level, f)
	}
	all := strings.Join([]string{f.Found, f.Means, f.Do}, "\n")
	for _, word := range says {
		if !strings.Contains(all, word) {
			t.Errorf("nothing of %q in %+v", word, f)
		}
	}
	troubled := level == Warn || level == Fail
	if f.Check == "" || f.Found == "" || troubled != (f.Means != "") || troubled != (f.Do != "") {
		t.Errorf("not a whole finding: %+v", f)
	}
}
