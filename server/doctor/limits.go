package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// busyBytes is what the kernel holds for a player in a busy room, idleBytes
	// what it must hold for one at all: a page.
	busyBytes, idleBytes = 16 << 10, 4 << 10

	// serverBytes is what a server takes before anybody comes, playerBytes what
	// one player adds to it and to the kernel.
	serverBytes, playerBytes = 128 << 20, 8 << 10

	goodBacklog = 1024
)

// ownFiles is how many of so many open files a server keeps free of players, for its
// database, pages, and handshakes under way. See spareFiles of server/ws.
func ownFiles(files int64) int64 { return min(max(files/16, 64), 256) }

func (p *probe) path(path string) string { return filepath.Join(p.Root, path) }

// parseNumber reads a number of the kernel's, of which some are beyond int64.
func parseNumber(s string) (int64, error) {
	if s == "unlimited" || s == "max" {
		return math.MaxInt64, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if errors.Is(err, strconv.ErrRange) && !strings.HasPrefix(s, "-") {
		return math.MaxInt64, nil
	}
	return n, err
}

// connections is how many there may be at a time: somewhat more than players, as
// those who are saying goodbye still have theirs.
func (p *probe) connections() int64 { return int64(p.MaxPlayers) + int64(p.MaxPlayers)/8 + 16 }

// roundUp is a number that one likes to type.
func roundUp(n int64) int64 {
	unit := int64(1024)
	for unit*16 < n {
		unit *= 2
	}
	return (n + unit - 1) / unit * unit
}

func (p *probe) openFiles() Finding {
	const check = "open files"
	file, whose := "proc/self/limits", "the limit here"
	if p.server > 0 {
		file, whose = fmt.Sprintf("proc/%d/limits", p.server), "the limit of the running server"
	}
	if p.running && p.server == 0 {
		whose = "the limit here (that of the running server only root and its own user see)"
	}
	text, err := os.ReadFile(p.path(file))
	if err != nil {
		return unseen(check, err)
	}
	limit := int64(-1)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				if limit, err = parseNumber(fields[0]); err != nil {
					return unseen(check, err)
				}
			}
		}
	}
	if limit < 0 {
		return unseen(check, errors.New("no such line in "+file))
	}
	need := p.connections() + ownFiles(p.connections())
	f := Finding{Check: check, Level: OK, Found: fmt.Sprintf("%s is %d, %d players need %d", whose, limit, p.MaxPlayers, need)}
	if limit == math.MaxInt64 {
		f.Found = "there is no limit"
	}
	f.Do = fmt.Sprintf("systemd: LimitNOFILE=%[1]d in the unit; shell: ulimit -n %[1]d before the start", roundUp(need))
	if most, err := p.number("proc/sys/fs/nr_open", 0); err == nil && most < need {
		f.Do = fmt.Sprintf("sysctl -w fs.nr_open=%d; then ", roundUp(need)) + f.Do
	}
	switch {
	case limit < int64(p.MaxPlayers)+ownFiles(limit):
		f.Level = Fail
		f.Means = fmt.Sprintf("nobody gets in any more after about %d players", max(0, limit-ownFiles(limit)))
	case limit < need:
		f.Level = Warn
		f.Means = "when all come back at once after a fall, some have to wait for those who are saying goodbye"
	default:
		f.Do = ""
	}
	return f
}

func (p *probe) systemFiles() Finding {
	const check = "open files, all programs"
	used, err := p.number("proc/sys/fs/file-nr", 0)
	if err != nil {
		return unseen(check, err)
	}
	most, err := p.number("proc/sys/fs/file-nr", 2)
	if err != nil {
		return unseen(check, err)
	}
	need := p.connections() + ownFiles(p.connections())
	f := Finding{Check: check, Level: OK, Found: fmt.Sprintf("%d of %d are open", used, most)}
	if most == math.MaxInt64 {
		f.Found = fmt.Sprintf("%d are open, there is no limit", used)
	}
	if !p.running && most-used < need || most < need {
		f.Level = Fail
		f.Means = fmt.Sprintf("the machine runs out of them before there are %d players, and other programs fail too", p.MaxPlayers)
		f.Do = fmt.Sprintf("sysctl -w fs.file-max=%d", roundUp(used+need))
	}
	return f
}

func (p *probe) conntrack() Finding {
	const check = "connection tracking"
	most, err := p.number("proc/sys/net/netfilter/nf_conntrack_max", 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Finding{Check: check, Level: OK, Found: "no firewall of this machine counts connections"}
	}
	if err != nil {
		return unseen(check, err)
	}
	used, err := p.number("proc/sys/net/netfilter/nf_conntrack_count", 0)
	if err != nil {
		return unseen(check, err)
	}
	need := p.connections()
	f := Finding{Check: check, Level: OK, Found: fmt.Sprintf("the firewall tracks %d of at most %d connections", used, most)}
	f.Do = fmt.Sprintf("sysctl -w net.netfilter.nf_conntrack_max=%d", roundUp(2*need+used))
	switch {
	case most < int64(p.MaxPlayers):
		f.Level = Fail
		f.Means = fmt.Sprintf("the kernel drops newcomers without a word after %d connections", most)
	case !p.running && most-used < need || most < need:
		f.Level = Warn
		f.Means = "with what else is tracked, the kernel may drop newcomers on a full evening"
	default:
		f.Do = ""
	}
	if seconds, err := p.number("proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established", 0); err == nil && seconds < 300 && f.Level == OK {
		f.Level = Warn
		f.Found = fmt.Sprintf("the firewall forgets a silent connection after %d s", seconds)
		f.Means = "players who listen quietly are cut off"
		f.Do = "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400"
	}
	return f
}

func (p *probe) tcpMemory() Finding {
	const check = "TCP memory"
	most, err := p.number("proc/sys/net/ipv4/tcp_mem", 2)
	if err != nil {
		return unseen(check, err)
	}
	page := int64(os.Getpagesize())
	players := int64(p.MaxPlayers)
	held := most * page
	if most > math.MaxInt64/page {
		held = math.MaxInt64
	}
	f := Finding{Check: check, Level: OK, Found: fmt.Sprintf("the kernel gives connections up to %s, %s for each player", size(held), size(held/max(1, players)))}
	want := players * busyBytes / page
	f.Do = fmt.Sprintf("sysctl -w net.ipv4.tcp_mem='%d %d %d'", want/2, want*3/4, roundUp(want))
	switch {
	case held < players*idleBytes:
		f.Level = Fail
		f.Means = "the kernel throws data away long before all are there: everybody lags"
	case held < players*busyBytes:
		f.Level = Warn
		f.Means = "in a full and busy room the kernel shrinks everybody's buffers: the room lags"
	default:
		f.Do = ""
	}
	return f
}

func (p *probe) backlog() Finding {
	const check = "queue of newcomers"
	most, err := p.number("proc/sys/net/core/somaxconn", 0)
	if err != nil {
		return unseen(check, err)
	}
	f := Finding{Check: check, Level: OK, Found: fmt.Sprintf("%d may wait to be let in (somaxconn)", most)}
	if most < goodBacklog {
		f.Level = Warn
		f.Means = "after a restart all come back in the same second, and many wait one to seven seconds longer"
		f.Do = "sysctl -w net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096, and restart the server"
	}
	return f
}

func (p *probe) localPorts() Finding {
	const check = "local ports"
	low, err := p.number("proc/sys/net/ipv4/ip_local_port_range", 0)
	if err != nil {
		return unseen(check, err)
	}
	high, err := p.number("proc/sys/net/ipv4/ip_local_port_range", 1)
	if err != nil {
		return unseen(check, err)
	}
	count := high - low + 1
	f := Finding{Check: check, Level: OK, Found: fmt.Sprintf("%d to %d, %d of them", low, high, count)}
	port := p.portNumber()
	switch {
	case port >= low && port <= high && !p.reserved(port):
		f.Level = Warn
		f.Found += fmt.Sprintf(", and the server's %d among them", port)
		f.Means = "while the server restarts any other program may get its port by chance"
		f.Do = fmt.Sprintf("sysctl -w net.ipv4.ip_local_reserved_ports=%d", port)
	case count < int64(p.MaxPlayers):
		f.Level = Warn
		f.Means = fmt.Sprintf("a proxy in front of the server (Caddy, nginx) on this machine gets no more than %d players through; without one it does not matter", count)
		f.Do = "sysctl -w net.ipv4.ip_local_port_range='10240 65535'"
	}
	return f
}

// reserved tells whether the kernel keeps a port from programs that want any.
func (p *probe) reserved(port int64) bool {
	fields, err := p.read("proc/sys/net/ipv4/ip_local_reserved_ports")
	if err != nil || len(fields) == 0 {
		return false
	}
	for span := range strings.SplitSeq(fields[0], ",") {
		from, to, isRange := strings.Cut(span, "-")
		if !isRange {
			to = from
		}
		low, errLow := parseNumber(from)
		high, errHigh := parseNumber(to)
		if errLow == nil && errHigh == nil && low <= port && port <= high {
			return true
		}
	}
	return false
}

func (p *probe) memory() Finding {
	const check = "memory"
	text, err := os.ReadFile(p.path("proc/meminfo"))
	if err != nil {
		return unseen(check, err)
	}
	available := int64(-1)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				kib, err := parseNumber(fields[0])
				if err != nil {
					return unseen(check, err)
				}
				available = kib << 10
			}
		}
	}
	if available < 0 {
		return unseen(check, errors.New("proc/meminfo does not say what is available"))
	}
	found := size(available) + " are available"
	if limit := p.groupLimit(); limit < available {
		available, found = limit, size(limit)+" is what the container or unit may use"
	}
	need := int64(serverBytes) + int64(p.MaxPlayers)*playerBytes
	f := Finding{Check: check, Level: OK, Found: fmt.Sprintf("%s, %d players need about %s", found, p.MaxPlayers, size(need))}
	switch {
	case p.running: // what it uses is not available, and needed no more
	case available < serverBytes:
		f.Level = Fail
		f.Means = "the kernel may kill the server before the first player is there"
	case available < need:
		f.Level = Warn
		f.Means = "when the room is full and busy, the kernel may kill the server"
	}
	if f.Level != OK {
		f.Do = "stop what else runs here, take a bigger machine, or lower -max-players"
	}
	return f
}

// groupLimit is the least memory limit of the control groups above us.
func (p *probe) groupLimit() int64 {
	least := int64(math.MaxInt64)
	who := "self"
	if p.server > 0 {
		who = strconv.Itoa(p.server)
	}
	text, err := os.ReadFile(p.path("proc/" + who + "/cgroup"))
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(text)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for group = filepath.Clean("/" + group); ; group = filepath.Dir(group) {
			if limit, err := p.number(filepath.Join("sys/fs/cgroup", group, "memory.max"), 0); err == nil {
				least = min(least, limit)
			}
			if group == "/" {
				break
			}
		}
	}
	return least
}
