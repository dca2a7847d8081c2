package doctor

import (
	"strings"
	"testing"
)

func limitsFile(soft string) string {
	return "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            " + soft + "   99999999   files     \n"
}

func TestLimits(t *testing.T) {
	type files = map[string]string
	const conntrack = "proc/sys/net/netfilter/nf_conntrack_"
	for _, c := range []struct {
		what  string
		check func(*probe) Finding
		files files
		level Level
		says  []string
	}{
		{"open files", (*probe).openFiles, nil, OK, []string{"65536", "22772"}},
		{"open files, just enough", (*probe).openFiles, files{"proc/self/limits": limitsFile("22772")}, OK, nil},
		{"open files, one too few for leavers", (*probe).openFiles, files{"proc/self/limits": limitsFile("22771")}, Warn, []string{"LimitNOFILE=24576", "ulimit -n 24576"}},
		{"open files, one too few", (*probe).openFiles, files{"proc/self/limits": limitsFile("20255")}, Fail, []string{"19999 players"}},
		{"open files, Debian's default", (*probe).openFiles, files{"proc/self/limits": limitsFile("1024")}, Fail, []string{"960 players"}},
		{"open files, none at all", (*probe).openFiles, files{"proc/self/limits": limitsFile("10")}, Fail, []string{"0 players"}},
		{"open files, the kernel's own limit too", (*probe).openFiles, files{"proc/self/limits": limitsFile("1024"), "proc/sys/fs/nr_open": "4096"}, Fail, []string{"fs.nr_open=24576"}},
		{"open files, unlimited", (*probe).openFiles, files{"proc/self/limits": limitsFile("unlimited")}, OK, []string{"no limit"}},
		{"open files, not told", (*probe).openFiles, files{"proc/self/limits": "-"}, Skip, nil},
		{"open files, no such line", (*probe).openFiles, files{"proc/self/limits": "Max processes 1 1 x\n"}, Skip, nil},
		{"open files, rubbish", (*probe).openFiles, files{"proc/self/limits": limitsFile("many")}, Skip, nil},

		{"all files", (*probe).systemFiles, nil, OK, []string{"no limit"}},
		{"all files, enough", (*probe).systemFiles, files{"proc/sys/fs/file-nr": "1000 0 23772"}, OK, nil},
		{"all files, too few left", (*probe).systemFiles, files{"proc/sys/fs/file-nr": "1001 0 23772"}, Fail, []string{"fs.file-max=24576"}},
		{"all files, not told", (*probe).systemFiles, files{"proc/sys/fs/file-nr": "-"}, Skip, nil},
		{"all files, cut off", (*probe).systemFiles, files{"proc/sys/fs/file-nr": "1000"}, Skip, nil},

		{"conntrack", (*probe).conntrack, nil, OK, []string{"12 of at most 262144"}},
		{"conntrack, none", (*probe).conntrack, files{conntrack + "max": "-"}, OK, []string{"no firewall"}},
		{"conntrack, too few", (*probe).conntrack, files{conntrack + "max": "19999"}, Fail, []string{"nf_conntrack_max=45056"}},
		{"conntrack, full of others", (*probe).conntrack, files{conntrack + "max": "65536", conntrack + "count": "50000"}, Warn, []string{"nf_conntrack_max="}},
		{"conntrack, forgetful", (*probe).conntrack, files{conntrack + "tcp_timeout_established": "60"}, Warn, []string{"after 60 s", "timeout_established=86400"}},
		{"conntrack, count not told", (*probe).conntrack, files{conntrack + "count": "-"}, Skip, nil},

		{"TCP memory", (*probe).tcpMemory, nil, OK, []string{"1.5 GiB"}},
		{"TCP memory, little", (*probe).tcpMemory, files{"proc/sys/net/ipv4/tcp_mem": "1 2 79999"}, Warn, []string{"net.ipv4.tcp_mem='"}},
		{"TCP memory, next to none", (*probe).tcpMemory, files{"proc/sys/net/ipv4/tcp_mem": "1 2 19999"}, Fail, []string{"net.ipv4.tcp_mem='40000 60000 81920'"}},
		{"TCP memory, without end", (*probe).tcpMemory, files{"proc/sys/net/ipv4/tcp_mem": "1 2 9223372036854775807"}, OK, nil},
		{"TCP memory, not told", (*probe).tcpMemory, files{"proc/sys/net/ipv4/tcp_mem": "-"}, Skip, nil},

		{"backlog", (*probe).backlog, nil, OK, []string{"4096"}},
		{"backlog, that of old kernels", (*probe).backlog, files{"proc/sys/net/core/somaxconn": "128"}, Warn, []string{"net.core.somaxconn=4096"}},
		{"backlog, not told", (*probe).backlog, files{"proc/sys/net/core/somaxconn": "-"}, Skip, nil},

		{"ports", (*probe).localPorts, nil, OK, []string{"28232"}},
		{"ports, few", (*probe).localPorts, files{"proc/sys/net/ipv4/ip_local_port_range": "50000 60000"}, Warn, []string{"10001 players", "ip_local_port_range"}},
		{"ports, ours among them", (*probe).localPorts, files{"proc/sys/net/ipv4/ip_local_port_range": "1024 65000"}, Warn, []string{"8081", "ip_local_reserved_ports=8081"}},
		{"ports, ours reserved", (*probe).localPorts, files{"proc/sys/net/ipv4/ip_local_port_range": "1024 65000",
			"proc/sys/net/ipv4/ip_local_reserved_ports": "22,8000-8100,9000\n"}, OK, nil},
		{"ports, others reserved", (*probe).localPorts, files{"proc/sys/net/ipv4/ip_local_port_range": "1024 65000",
			"proc/sys/net/ipv4/ip_local_reserved_ports": "22,8000-8080,8082,rubbish\n"}, Warn, nil},
		{"ports, not told", (*probe).localPorts, files{"proc/sys/net/ipv4/ip_local_port_range": "-"}, Skip, nil},

		{"memory", (*probe).memory, nil, OK, []string{"1.4 GiB", "284 MiB"}},
		{"memory, little", (*probe).memory, files{"proc/meminfo": "MemAvailable: 200000 kB\n"}, Warn, []string{"195 MiB"}},
		{"memory, next to none", (*probe).memory, files{"proc/meminfo": "MemAvailable: 50000 kB\n"}, Fail, nil},
		{"memory, of the unit", (*probe).memory, files{"sys/fs/cgroup/system.slice/tavern.service/memory.max": "209715200"}, Warn, []string{"200 MiB is what the container or unit may use"}},
		{"memory, of the slice above", (*probe).memory, files{"sys/fs/cgroup/system.slice/memory.max": "104857600"}, Fail, []string{"100 MiB"}},
		{"memory, of the container", (*probe).memory, files{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "104857600"}, Fail, []string{"100 MiB"}},
		{"memory, old kernels' groups", (*probe).memory, files{"proc/self/cgroup": "1:memory:/x\n"}, OK, nil},
		{"memory, not told", (*probe).memory, files{"proc/meminfo": "MemFree: 3 kB\n"}, Skip, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			judged(t, c.check(machine(t, c.files)), c.level, c.says...)
		})
	}
}

// While the server runs, its own limits count, and what it uses is not missing.
func TestLimitsOfTheRunningServer(t *testing.T) {
	p := machine(t, map[string]string{
		"proc/self/limits":                          limitsFile("100"),
		"proc/4711/limits":                          limitsFile("50000"),
		"proc/4711/cgroup":                          "0::/\n",
		"proc/sys/fs/file-nr":                       "20000 0 30000",
		"proc/meminfo":                              "MemAvailable: 1000 kB\n",
		"proc/sys/net/netfilter/nf_conntrack_count": "250000",
	})
	p.running, p.server = true, 4711
	judged(t, p.openFiles(), OK, "the limit of the running server is 50000")
	judged(t, p.systemFiles(), OK)
	judged(t, p.conntrack(), OK)
	judged(t, p.memory(), OK)
}

func TestWarnings(t *testing.T) {
	if got := machine(t, nil).warnings(); len(got) != 0 {
		t.Errorf("a healthy machine: %q", got)
	}
	p := machine(t, map[string]string{
		"proc/self/limits":                        limitsFile("1024"),
		"proc/sys/net/netfilter/nf_conntrack_max": "4096",
		"proc/sys/net/core/somaxconn":             "1", // a warning of the doctor's, but no limit in players
		"proc/sys/net/ipv4/tcp_mem":               "-",
	})
	got := p.warnings()
	if len(got) != 2 || !strings.HasPrefix(got[0], "open files: the limit here is 1024, 20000 players need 22772") || !strings.Contains(got[1], "nf_conntrack_max=") {
		t.Errorf("got %q", got)
	}
	for _, line := range got {
		if strings.Contains(line, "\n") {
			t.Errorf("more than a line: %q", line)
		}
	}
	p.MaxPlayers = 900
	if got := p.warnings(); len(got) != 0 {
		t.Errorf("for 900 players: %q", got)
	}
	for _, line := range Warnings(1) { // of this machine, whatever it is
		t.Log(line)
	}
}

func TestRoundUp(t *testing.T) {
	for n, want := range map[int64]int64{1: 1024, 1024: 1024, 1025: 2048, 22772: 24576, 100000: 106496} {
		if got := roundUp(n); got != want {
			t.Errorf("%d is rounded to %d, want %d", n, got, want)
		}
	}
}
