package ws

import (
	"crypto/sha1"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// refusal is a reason not to upgrade.
type refusal struct {
	label  string // in metrics
	status int
	text   string
	header [2]string // one more header field of the answer
	index  int       // in refusals
}

const (
	maxRefusals       = 16 // room in the counters for len(refusals)
	retryAfterSeconds = 5
)

var (
	refuseStopping   = newRefusal("stopping", http.StatusServiceUnavailable, "The server is not running.", "Retry-After", strconv.Itoa(retryAfterSeconds))
	refuseFull       = newRefusal("full", http.StatusServiceUnavailable, "The server is full.", "Retry-After", strconv.Itoa(retryAfterSeconds))
	refuseMethod     = newRefusal("method", http.StatusMethodNotAllowed, "A WebSocket handshake is a GET request.", "Allow", http.MethodGet)
	refuseHTTP       = newRefusal("http_version", http.StatusBadRequest, "A WebSocket handshake needs HTTP/1.1.", "", "")
	refuseUpgrade    = newRefusal("upgrade", http.StatusBadRequest, "The header Upgrade: websocket is missing.", "", "")
	refuseConnection = newRefusal("connection", http.StatusBadRequest, "The header Connection: Upgrade is missing.", "", "")
	refuseVersion    = newRefusal("version", http.StatusUpgradeRequired, "Only version 13 of WebSocket is spoken here.", "Sec-WebSocket-Version", "13")
	refuseNoVersion  = newRefusal("no_version", http.StatusBadRequest, "The header Sec-WebSocket-Version is missing.", "Sec-WebSocket-Version", "13")
	refuseKey        = newRefusal("key", http.StatusBadRequest, "The header Sec-WebSocket-Key must be there once and hold 16 bytes in base64.", "", "")
	refuseBody       = newRefusal("body", http.StatusBadRequest, "A WebSocket handshake has no body.", "", "")
	refuseOrigin     = newRefusal("origin", http.StatusForbidden, "Pages of this origin may not connect.", "", "")
	refuseTransport  = newRefusal("transport", http.StatusInternalServerError, "This connection cannot be upgraded.", "", "")
	refuseWrite      = newRefusal("gone", 0, "", "", "") // the peer left before it had its answer
)

// refusals is the fixed set, in the order of its declaration.
var refusals []*refusal

func newRefusal(label string, status int, text, name, value string) *refusal {
	r := &refusal{label, status, text, [2]string{name, value}, len(refusals)}
	refusals = append(refusals, r)
	return r
}

// ServeHTTP answers a handshake (RFC 6455 section 4.2) and makes the connection
// a session, or refuses it with a status and a sentence that says why.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.Upgrade(w, r, s.clientAddr(r)) }

// Upgrade is ServeHTTP for callers who count connections by address: they say
// whose it is if a proxy stands between (as of Config.ClientAddr), and hear whether
// a session was opened, in which case Handler.Closed follows some time.
func (s *Server) Upgrade(w http.ResponseWriter, r *http.Request, addr netip.Addr) bool {
	if !s.gate.enter() {
		s.refuse(w, refuseStopping)
		return false
	}
	defer s.gate.leave()
	key, no := handshakeKey(r)
	if no == nil && !s.cfg.CheckOrigin(r) {
		no = refuseOrigin
	}
	if no != nil {
		s.refuse(w, no)
		return false
	}
	protocol := s.subprotocol(r)
	if !s.takeSlot() {
		s.refuse(w, refuseFull)
		return false
	}
	if no = s.upgrade(w, key, protocol, addr, addr.IsValid()); no != nil {
		s.freeSlot()
		s.refuse(w, no)
		return false
	}
	return true
}

// refuse counts the refusal and says it, if the connection can still be spoken to.
func (s *Server) refuse(w http.ResponseWriter, no *refusal) {
	s.counters.refused[no.index].Add(1)
	if no.status == 0 {
		return
	}
	// Nobody who was refused keeps a descriptor.
	w.Header().Set("Connection", "close")
	if no.header[0] != "" {
		w.Header().Set(no.header[0], no.header[1])
	}
	if no.status == http.StatusUpgradeRequired { // which must say to what
		w.Header().Add("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
	}
	http.Error(w, no.text, no.status)
}

// upgrade takes the connection from net/http and hands it to the engine. After
// it has returned nil the slot belongs to the session.
//
// The order matters. The session is set and enlisted before the engine knows the
// connection, as it may have events at once, and its descriptor be another's soon
// after; and the bytes that net/http had read are fed before the poller can bring
// later ones.
func (s *Server) upgrade(w http.ResponseWriter, key string, protocol uint8, addr netip.Addr, proxied bool) *refusal {
	std, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return refuseTransport
	}
	var tcp *net.TCPConn
	front, fronted := std.(*frontConn)
	switch c := std.(type) {
	case *frontConn:
		tcp = c.tcp
		proxied = proxied || c.proxied
	case *plainConn:
		tcp = c.TCPConn
	case *net.TCPConn:
		tcp = c
	default: // a wrapped connection: nbio would read past the wrapper
		s.log.Error("the listener's connections are not *net.TCPConn: see ws.Listen")
		_ = std.Close()
		return refuseWrite
	}
	if !addr.IsValid() {
		addr = std.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
	}
	_ = tcp.SetWriteDeadline(time.Now().Add(s.cfg.HandshakeTimeout))
	if _, err = std.Write(s.appendSwitching(make([]byte, 0, 256), key, protocol)); err != nil {
		_ = tcp.Close()
		return refuseWrite
	}
	c, err := adopt(tcp)
	if err != nil { // out of descriptors: adopting needs one more for a moment
		_, _ = std.Write(appendClose(nil, CloseTryLater, "server is full"))
		_ = std.Close()
		return refuseFull.unspoken()
	}
	forgetAddrs(c)

	sess := &Session{srv: s, conn: &earlyConn{conn: nbConn{c}}, protocol: protocol, proxied: proxied, addr: addr.As16()}
	if fronted && front.tls != nil {
		sess.records = newRecords(front.tls)
	}
	sess.heard.Store(s.Clock())
	c.SetSession(sess)
	sess.open()
	if n := buffered.Reader.Buffered(); n > 0 {
		data, _ := buffered.Reader.Peek(n)
		sess.feed(data)
	}
	if sess.records != nil { // llib may have more
		sess.feedSealed(nil, make([]byte, 4<<10))
	}
	// Hands over to the poller, which loads the state before anything else.
	sess.state.Or(0)

	fd := c.Hash()
	s.enlist(sess, fd)
	_, err = s.engine.AddConn(c)
	sess.attach()
	if err != nil {
		s.log.Error("nbio refuses a connection", slog.Any("error", err))
		s.release(sess, fd)
	}
	return nil
}

// appendSwitching appends the answer 101.
func (s *Server) appendSwitching(dst []byte, key string, protocol uint8) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	dst = base64.StdEncoding.AppendEncode(dst, sum[:])
	if protocol != 0 {
		dst = append(append(dst, "\r\nSec-WebSocket-Protocol: "...), s.cfg.Subprotocols[protocol-1]...)
	}
	return append(dst, "\r\n\r\n"...)
}

// handshakeKey checks the request against RFC 6455 section 4.2.1 and returns its key.
func handshakeKey(r *http.Request) (string, *refusal) {
	switch {
	case r.Method != http.MethodGet:
		return "", refuseMethod
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return "", refuseHTTP
	case !hasToken(r.Header, "Upgrade", "websocket"):
		return "", refuseUpgrade
	case !hasToken(r.Header, "Connection", "upgrade"):
		return "", refuseConnection
	}
	switch versions := r.Header["Sec-Websocket-Version"]; {
	case len(versions) == 0:
		return "", refuseNoVersion
	case len(versions) > 1 || strings.TrimSpace(versions[0]) != "13":
		return "", refuseVersion
	}
	keys := r.Header["Sec-Websocket-Key"]
	if len(keys) != 1 {
		return "", refuseKey
	}
	key := strings.TrimSpace(keys[0])
	var nonce [18]byte
	if len(key) != 24 {
		return "", refuseKey
	}
	if n, err := base64.StdEncoding.Decode(nonce[:], []byte(key)); err != nil || n != 16 {
		return "", refuseKey
	}
	// Its bytes would be taken for frames.
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return "", refuseBody
	}
	return key, nil
}

// hasToken tells whether the header field name lists token. Case does not matter.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h[name] {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(part, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// subprotocol selects the first of the client's subprotocols that is on offer.
func (s *Server) subprotocol(r *http.Request) uint8 {
	if len(s.cfg.Subprotocols) == 0 {
		return 0
	}
	for _, line := range r.Header["Sec-Websocket-Protocol"] {
		for part := range strings.SplitSeq(line, ",") {
			if i := slices.Index(s.cfg.Subprotocols, strings.Trim(part, " \t")); i >= 0 {
				return uint8(i + 1)
			}
		}
	}
	return 0
}

func (s *Server) clientAddr(r *http.Request) netip.Addr {
	if s.cfg.ClientAddr == nil {
		return netip.Addr{}
	}
	return s.cfg.ClientAddr(r)
}

// SameOrigin allows requests without an Origin, which are not a browser's, and
// those of pages that came from the host that they connect to.
func SameOrigin(r *http.Request) bool {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// unspoken is r for a connection that is no longer net/http's.
func (r *refusal) unspoken() *refusal {
	mute := *r
	mute.status = 0
	return &mute
}
