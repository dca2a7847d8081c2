package ws

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

// addrIsNot refuses one address.
func addrIsNot(a string) func(netip.Addr) bool {
	return func(addr netip.Addr) bool { return addr.Unmap() != netip.MustParseAddr(a) }
}

const v2 = proxySignature

// proxyHeaders are headers, good and bad.
var proxyHeaders = []struct {
	name, header string
	want         string // address and port; "" for none
	ok           bool
}{
	{"v1 TCP4", "PROXY TCP4 192.0.2.1 198.51.100.1 5555 443\r\n", "192.0.2.1:5555", true},
	{"v1 TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 5555 443\r\n", "[2001:db8::1]:5555", true},
	{"v1 unknown", "PROXY UNKNOWN\r\n", "", true},
	{"v1 unknown with addresses", "PROXY UNKNOWN 1 2 3 4\r\n", "", true},
	{"v1 the longest", "PROXY UNKNOWN " + strings.Repeat("f", 107-16) + "\r\n", "", true},
	{"v1 too long", "PROXY UNKNOWN " + strings.Repeat("f", 108-16) + "\r\n", "", false},
	{"v1 mixed families", "PROXY TCP4 2001:db8::1 2001:db8::2 5555 443\r\n", "", false},
	{"v1 no address", "PROXY TCP4 localhost 198.51.100.1 5555 443\r\n", "", false},
	{"v1 no port", "PROXY TCP4 192.0.2.1 198.51.100.1 55555555 443\r\n", "", false},
	{"v1 fields missing", "PROXY TCP4 192.0.2.1\r\n", "", false},
	{"v1 another protocol", "PROXY UDP4 192.0.2.1 198.51.100.1 5555 443\r\n", "", false},
	{"v2 TCP4", v2 + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\x15\xb3\x01\xbb", "192.0.2.1:5555", true},
	{"v2 TCP4 with more", v2 + "\x21\x11\x00\x0f\xc0\x00\x02\x01\xc6\x33\x64\x01\x15\xb3\x01\xbb\x04\x00\x00", "192.0.2.1:5555", true},
	{"v2 TCP6", v2 + "\x21\x21\x00\x24\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01" + strings.Repeat("\x00", 16) + "\x15\xb3\x01\xbb", "[2001:db8::1]:5555", true},
	{"v2 local", v2 + "\x20\x00\x00\x00", "", true},
	{"v2 unspecified", v2 + "\x21\x00\x00\x00", "", true},
	{"v2 unix", v2 + "\x21\x31\x00\x02xx", "", true},
	{"v2 too short", v2 + "\x21\x11\x00\x04\xc0\x00\x02\x01", "", false},
	{"v2 datagrams", v2 + "\x21\x12\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\x15\xb3\x01\xbb", "", false},
	{"v2 another version", v2 + "\x31\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\x15\xb3\x01\xbb", "", false},
	{"v2 another command", v2 + "\x22\x11\x00\x00", "", false},
	{"v2 too long", v2 + "\x21\x11\xff\xff", "", false},
	{"HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", false},
	{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaa", "", false},
}

// TestProxyHeader reads headers, however they are cut, and not a byte behind.
func TestProxyHeader(t *testing.T) {
	for _, c := range proxyHeaders {
		t.Run(c.name, func(t *testing.T) {
			for _, cut := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader} {
				rest := strings.NewReader(c.header + "rest")
				got, err := readProxyHeader(cut(rest))
				if (err == nil) != c.ok {
					t.Fatalf("%v", err)
				}
				if !c.ok {
					continue
				}
				if got.IsValid() != (c.want != "") || got.IsValid() && got.String() != c.want {
					t.Errorf("%v, want %q", got, c.want)
				}
				if left, _ := io.ReadAll(rest); string(left) != "rest" {
					t.Errorf("%q is left", left)
				}
			}
			if c.ok {
				for n := range len(c.header) {
					if _, err := readProxyHeader(strings.NewReader(c.header[:n])); err == nil {
						t.Errorf("the first %d bytes are taken for a header", n)
					}
				}
			}
		})
	}
}

// FuzzProxyHeader: no stream makes it panic, or read what it should not.
func FuzzProxyHeader(f *testing.F) {
	for _, c := range proxyHeaders {
		f.Add([]byte(c.header))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		got, err := readProxyHeader(r)
		if taken := len(data) - r.Len(); taken > 16+maxProxyV2 {
			t.Errorf("%d bytes are taken", taken)
		}
		if err != nil && got.IsValid() {
			t.Errorf("%v with %v", got, err)
		}
	})
}
