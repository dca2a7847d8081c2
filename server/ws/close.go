package ws

import (
	"encoding/binary"
	"unicode/utf8"
)

// Close codes, RFC 6455 section 7.4 and the registry it set up.
const (
	CloseNormal      = 1000
	CloseGoingAway   = 1001
	CloseProtocol    = 1002
	CloseUnsupported = 1003
	CloseNoStatus    = 1005 // never sent: the peer's close frame held no code
	CloseAbnormal    = 1006 // never sent: the connection ended without a close frame
	CloseInvalid     = 1007
	ClosePolicy      = 1008
	CloseTooBig      = 1009
	CloseExtension   = 1010
	CloseInternal    = 1011
	CloseRestart     = 1012
	CloseTryLater    = 1013
	CloseGateway     = 1014
	CloseTLS         = 1015 // never sent
)

// CloseCode is one row of the table of close codes.
type CloseCode struct {
	Code    int
	Name    string // the label in metrics and logs
	Meaning string // what it says of the session, for people
	Return  bool   // whether a client should connect again by itself
	Wire    bool   // whether it may stand in a close frame
}

// CloseCodes is the table: every code that a session can end with, but for those
// that applications define (3000-4999).
var CloseCodes = [...]CloseCode{
	{CloseNormal, "normal", "one side is done", false, true},
	{CloseGoingAway, "going_away", "the server stops, or the player left the page", true, true},
	{CloseProtocol, "protocol_error", "a frame broke RFC 6455", false, true},
	{CloseUnsupported, "unsupported", "a kind of message that is not accepted here", false, true},
	{CloseNoStatus, "no_status", "the peer closed and gave no code", false, false},
	{CloseAbnormal, "abnormal", "the connection ended without a close frame", true, false},
	{CloseInvalid, "invalid_payload", "text that is not UTF-8", false, true},
	{ClosePolicy, "policy", "a rule of this server was broken: flooding, silence, a kick", false, true},
	{CloseTooBig, "too_big", "a message over the size limit", false, true},
	{CloseExtension, "extension", "the client missed an extension that it needs", false, true},
	{CloseInternal, "internal", "a fault of the server in this session", true, true},
	{CloseRestart, "restart", "the server restarts", true, true},
	{CloseTryLater, "try_later", "too slow for what there is to hear, or no room: come back later", true, true},
	{CloseGateway, "bad_gateway", "a server behind this one failed", true, true},
	{CloseTLS, "tls", "the TLS handshake failed", false, false},
}

// closeIndex is the row of code in CloseCodes, or len(CloseCodes) when it has none.
func closeIndex(code int) int {
	for i := range CloseCodes {
		if CloseCodes[i].Code == code {
			return i
		}
	}
	return len(CloseCodes)
}

// ValidCloseCode tells whether code may stand in a close frame.
func ValidCloseCode(code int) bool {
	if code >= 3000 {
		return code <= 4999
	}
	i := closeIndex(code)
	return i < len(CloseCodes) && CloseCodes[i].Wire
}

// maxReasonBytes is what a close frame has room for behind the code.
const maxReasonBytes = maxControlBytes - 2

// appendClose appends a close frame. A code that must not be sent is a bug of
// the caller and goes out as 1011; a reason is cut at a rune to fit, and left out
// if it is not UTF-8.
func appendClose(dst []byte, code int, reason string) []byte {
	if !ValidCloseCode(code) {
		code = CloseInternal
	}
	if !utf8.ValidString(reason) {
		reason = ""
	}
	if len(reason) > maxReasonBytes {
		n := maxReasonBytes
		for !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	dst = appendHeader(dst, opClose, 2+len(reason))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// parseClose reads the payload of a close frame. An empty one means 1005.
func parseClose(payload []byte) (code int, reason []byte, fault *Fault) {
	if len(payload) == 0 {
		return CloseNoStatus, nil, nil
	}
	if len(payload) == 1 {
		return 0, nil, faultCloseLength
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !ValidCloseCode(code) {
		return 0, nil, faultCloseCode
	}
	reason = payload[2:]
	if !utf8.Valid(reason) {
		return 0, nil, faultCloseText
	}
	return code, reason, nil
}
