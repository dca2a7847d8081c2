package ws

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// errProxyHeader is all that there is to say about a header that is none: the
// peer is a trusted proxy, whose operator has to look.
var errProxyHeader = errors.New("ws: no PROXY protocol header")

const (
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	maxProxyV1     = 107 // bytes of a line, as the protocol bounds it
	maxProxyV2     = 536 // bytes behind the fixed part that we are ready to skip
)

// readProxyHeader reads a PROXY protocol header, version 1 or 2, and not a byte
// behind it. The zero AddrPort means that the proxy speaks for itself, as health
// checks do, or for a client of no address that we know.
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	var buf [maxProxyV2]byte
	// The shortest of version 1 is as long as 15 bytes: "PROXY UNKNOWN\r\n".
	head := buf[:12]
	if _, err := io.ReadFull(r, head); err != nil {
		return netip.AddrPort{}, err
	}
	switch {
	case string(head) == proxySignature:
		return readProxyV2(r, &buf)
	case strings.HasPrefix(string(head), "PROXY "):
		return readProxyV1(r, head)
	}
	return netip.AddrPort{}, errProxyHeader
}

// readProxyV1 reads the rest of a line, byte by byte: what follows is the client's.
func readProxyV1(r io.Reader, line []byte) (netip.AddrPort, error) {
	for !strings.HasSuffix(string(line), "\r\n") {
		if len(line) == maxProxyV1 {
			return netip.AddrPort{}, errProxyHeader
		}
		line = line[:len(line)+1]
		if _, err := io.ReadFull(r, line[len(line)-1:]); err != nil {
			return netip.AddrPort{}, err
		}
	}
	fields := strings.Split(strings.TrimSuffix(string(line), "\r\n"), " ")
	if fields[1] == "UNKNOWN" {
		return netip.AddrPort{}, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return netip.AddrPort{}, errProxyHeader
	}
	addr, err := netip.ParseAddr(fields[2])
	port, portErr := strconv.ParseUint(fields[4], 10, 16)
	if err != nil || portErr != nil || addr.Is4() != (fields[1] == "TCP4") {
		return netip.AddrPort{}, errProxyHeader
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}

// readProxyV2 reads what follows the signature.
func readProxyV2(r io.Reader, buf *[maxProxyV2]byte) (netip.AddrPort, error) {
	if _, err := io.ReadFull(r, buf[:4]); err != nil {
		return netip.AddrPort{}, err
	}
	version, family := buf[0], buf[1]
	length := int(binary.BigEndian.Uint16(buf[2:4]))
	if version>>4 != 2 || version&15 > 1 || length > len(buf) {
		return netip.AddrPort{}, errProxyHeader
	}
	body := buf[:length]
	if _, err := io.ReadFull(r, body); err != nil {
		return netip.AddrPort{}, err
	}
	if version&15 == 0 { // LOCAL: the proxy itself
		return netip.AddrPort{}, nil
	}
	var addr netip.Addr
	var port []byte
	switch {
	case family == 0x11 && length >= 12:
		addr, port = netip.AddrFrom4([4]byte(body)), body[8:]
	case family == 0x21 && length >= 36:
		addr, port = netip.AddrFrom16([16]byte(body)), body[32:]
	case family>>4 == 1 || family>>4 == 2: // too short, or not a stream
		return netip.AddrPort{}, errProxyHeader
	default:
		return netip.AddrPort{}, nil
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(port)), nil
}
