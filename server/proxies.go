package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"tavern/server/ws"
)

// peerConfig is the part of the settings that says who may stand between players
// and server, and from which pages they may come.
type peerConfig struct {
	trusted       prefixes
	proxyProtocol onOff
	origins       originList
	metrics       prefixes
}

func (c *peerConfig) flags(fs *flag.FlagSet) {
	fs.Var(&c.trusted, "trusted-proxies", "`networks` of proxies before this server, like 10.0.0.0/8,::1: what their X-Forwarded-For says is believed, so that limits see the player")
	fs.Var(&c.proxyProtocol, "proxy-protocol", "`on|off`; on: every connection from -trusted-proxies begins with a PROXY protocol header, version 1 or 2")
	c.metrics = prefixes{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	fs.Var(&c.metrics, "metrics", "`networks` that may read /metrics on the game's port, like 10.0.0.0/8 or 0.0.0.0/0,::/0; empty = none. At -admin it is in any case")
	fs.Var(&c.origins, "origins", "`origins` of pages that may connect beside this server's own, like https://example.org,https://*.example.org, or *; clients that are no browsers send none and may always")
}

func (c *peerConfig) check() error {
	if c.proxyProtocol && len(c.trusted) == 0 {
		return errors.New("-proxy-protocol: needs -trusted-proxies, as anybody could claim to be anybody")
	}
	return nil
}

// prefixes is a list of networks.
type prefixes []netip.Prefix

func (p *prefixes) String() string {
	parts := make([]string, len(*p))
	for i, n := range *p {
		parts[i] = n.String()
	}
	return strings.Join(parts, ",")
}

// Set takes networks and single addresses. See flag.Value.
func (p *prefixes) Set(s string) error {
	*p = nil
	for _, part := range list(s) {
		n, err := netip.ParsePrefix(part)
		if err != nil {
			addr, addrErr := netip.ParseAddr(part)
			if addrErr != nil || addr.Zone() != "" {
				return fmt.Errorf("%q is no network like 10.0.0.0/8 and no address", part)
			}
			n = netip.PrefixFrom(addr, addr.BitLen())
		}
		if n.Addr().Is4In6() {
			return fmt.Errorf("%q: write it as an IPv4 network", part)
		}
		*p = append(*p, n.Masked())
	}
	return nil
}

// has tells whether addr is in one of the networks.
func (p prefixes) has(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, n := range p {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// list splits at commas and blanks.
func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// client is who a request is from: its peer, or behind trusted proxies the
// rightmost address that none of them has. What stands left of it anybody may
// have written.
func (p prefixes) client(r *http.Request) (addr netip.Addr, proxied bool, err error) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false, err
	}
	addr = peer.Addr().Unmap()
	if !p.has(addr) {
		return addr, false, nil
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := hopAddr(strings.TrimSpace(hops[i]))
		if !ok {
			break // the last proxy that we know is all that is sure
		}
		if addr = hop; !p.has(hop) {
			break
		}
	}
	return addr, true, nil
}

// hopAddr reads an address of X-Forwarded-For, to which some add a port.
func hopAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		withPort, portErr := netip.ParseAddrPort(s)
		if portErr != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// originList is the -origins flag.
type originList []originRule

// originRule allows one origin, or all below a name.
type originRule struct {
	any            bool
	scheme, host   string // lower case, host with its port
	everySubdomain bool   // host is what follows the asterisk, with the dot
}

func (o *originList) String() string {
	parts := make([]string, len(*o))
	for i, r := range *o {
		switch {
		case r.any:
			parts[i] = "*"
		case r.everySubdomain:
			parts[i] = r.scheme + "://*" + r.host
		default:
			parts[i] = r.scheme + "://" + r.host
		}
	}
	return strings.Join(parts, ",")
}

// Set takes origins. See flag.Value.
func (o *originList) Set(s string) error {
	*o = nil
	for _, part := range list(s) {
		if part == "*" {
			*o = append(*o, originRule{any: true})
			continue
		}
		scheme, host, ok := strings.Cut(strings.ToLower(strings.TrimSuffix(part, "/")), "://")
		rule := originRule{scheme: scheme, host: host}
		if rest, wild := strings.CutPrefix(host, "*."); wild {
			rule.host, rule.everySubdomain = "."+rest, true
		}
		if !ok || scheme != "http" && scheme != "https" || strings.Trim(rule.host, ".") == "" || strings.ContainsAny(rule.host, "*/?#@") {
			return fmt.Errorf("%q is no origin like https://example.org or https://*.example.org, nor *", part)
		}
		*o = append(*o, rule)
	}
	return nil
}

// allow is ws.Config.CheckOrigin.
func (o originList) allow(r *http.Request) bool {
	if ws.SameOrigin(r) {
		return true
	}
	origins := r.Header["Origin"]
	if len(origins) != 1 {
		return false
	}
	u, err := url.Parse(strings.ToLower(origins[0]))
	for _, rule := range o {
		switch {
		case rule.any:
			return true
		case err != nil || u.Scheme != rule.scheme:
		case rule.everySubdomain && strings.HasSuffix(u.Host, rule.host) && len(u.Host) > len(rule.host):
			return true
		case !rule.everySubdomain && u.Host == rule.host:
			return true
		}
	}
	return false
}
