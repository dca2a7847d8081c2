package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// portNumber is the port of Addr, 0 when it has none.
func (p *probe) portNumber() int64 { return portOf(p.Addr) }

func portOf(addr string) int64 {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return 0
	}
	return int64(n)
}

func (p *probe) port(ctx context.Context) Finding {
	f := Finding{Check: "port", Level: OK, Found: p.Addr + " is free"}
	err := p.listen(ctx, p.Addr)
	if err == nil {
		return f
	}
	f.Level, f.Found, f.Means = Fail, p.Addr+": "+reason(err), "the server does not start"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		pid, name := p.holder(p.portNumber())
		who := "another program"
		if pid > 0 {
			who = fmt.Sprintf("%s (process %d)", name, pid)
		}
		if p.healthy(ctx, p.Addr) || p.pageOf(ctx, pid) {
			p.running, p.server = true, pid
			return Finding{Check: f.Check, Level: OK, Found: fmt.Sprintf("%s is open, and a server answers there: %s", p.Addr, who)}
		}
		f.Found = fmt.Sprintf("%s is used by %s", p.Addr, who)
		f.Do = takenAdvice(pid, p.portNumber(), "-addr")
	case errors.Is(err, syscall.EACCES):
		f.Do = "ports below 1024 are root's: setcap cap_net_bind_service=+ep ./server, or in the unit AmbientCapabilities=CAP_NET_BIND_SERVICE"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		f.Do = "this machine has no such address (ip addr lists those it has): use -addr :8081 for all"
	default:
		f.Do = "correct -addr: host:port, or :port for all addresses"
	}
	return f
}

// otherPorts are those besides the players': the operator's page, and the one at
// which the authority of certificates asks. A running server has them itself.
func (p *probe) otherPorts(ctx context.Context) (findings []Finding) {
	look := func(check, addr, flag, means string, level Level) {
		if addr == "" || p.running {
			return
		}
		f := Finding{Check: check, Level: OK, Found: addr + " is free"}
		if err := p.listen(ctx, addr); err != nil {
			f.Level, f.Found, f.Means, f.Do = level, addr+": "+reason(err), means, "choose another address with "+flag
			if errors.Is(err, syscall.EADDRINUSE) {
				port := portOf(addr)
				pid, name := p.holder(port)
				f.Found = addr + " is used by another program"
				if pid > 0 {
					f.Found = fmt.Sprintf("%s is used by %s (process %d)", addr, name, pid)
				}
				f.Do = takenAdvice(pid, port, flag)
			}
		}
		findings = append(findings, f)
	}
	if p.AdminAsked {
		look("operator's page", p.Admin, "-admin", "the server does not start", Fail)
	} else {
		look("operator's page", p.Admin, "-admin", "the server runs, but without the operator's page and its commands", Warn)
	}
	look("certificates' port", p.ACMEHTTP, "-acme-http", "the server does not start", Fail)
	return findings
}

// takenAdvice is what to do about a port that somebody else has; pid is 0 when one
// may not see who.
func takenAdvice(pid int, port int64, flag string) string {
	if pid == 0 {
		return fmt.Sprintf("see who it is (ss -tanp 'sport = :%d', as root) and stop it, or choose another port with %s", port, flag)
	}
	return "stop it, or choose another port with " + flag
}

// reason is an error without the operation and the address, which one knows.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err.Error()
}

// pageOf tells whether a process is a server of ours by its operator's page, for
// one that still waits for its certificate and so answers nobody at its port.
func (p *probe) pageOf(ctx context.Context, pid int) bool {
	if pid == 0 || p.Admin == "" {
		return false
	}
	other, _ := p.holder(portOf(p.Admin))
	return other == pid && p.healthy(ctx, p.Admin)
}

// healthy tells whether a server of ours answers at the address.
func healthy(ctx context.Context, addr string, domains []string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	hosts := []string{host}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		hosts = []string{"127.0.0.1", "::1"} // not localhost: small containers do not know it
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for _, host := range hosts {
		for _, scheme := range []string{"http", "https"} {
			if saysOK(ctx, scheme+"://"+net.JoinHostPort(host, port)+"/healthz", domains) {
				return true
			}
		}
	}
	return false
}

// saysOK tells whether a page is that of a server that is well.
func saysOK(ctx context.Context, url string, domains []string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	client := &http.Client{Transport: localTransport(domains)}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64))
	return err == nil && answer.StatusCode == http.StatusOK && strings.HasPrefix(string(body), "ok")
}

// holder finds the process that listens on a port: it is 0 when it belongs to
// somebody else and we may not look.
func (p *probe) holder(port int64) (pid int, name string) {
	sockets := map[string]bool{}
	for _, table := range []string{"proc/net/tcp", "proc/net/tcp6"} {
		text, err := os.ReadFile(p.path(table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
			const local, state, inode, listening = 1, 3, 9, "0A"
			fields := strings.Fields(line)
			if len(fields) <= inode || fields[state] != listening {
				continue
			}
			_, hex, _ := strings.Cut(fields[local], ":")
			if n, err := strconv.ParseInt(hex, 16, 64); err == nil && n == port {
				sockets["socket:["+fields[inode]+"]"] = true
			}
		}
	}
	if len(sockets) == 0 {
		return 0, ""
	}
	links, err := filepath.Glob(p.path("proc/[0-9]*/fd/*"))
	if err != nil {
		return 0, ""
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && sockets[to] {
			process := filepath.Dir(filepath.Dir(link))
			pid, err := strconv.Atoi(filepath.Base(process))
			if err != nil {
				continue
			}
			comm, _ := os.ReadFile(filepath.Join(process, "comm"))
			return pid, strings.TrimSpace(string(comm))
		}
	}
	return 0, ""
}
