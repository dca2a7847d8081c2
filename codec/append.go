package codec

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// The Append functions add one packet as compact JSON in raw UTF-8 to dst and
// return the grown slice, as append does. They cannot fail, and allocate only
// when dst has no room. A string costs at most six bytes for each of its own.

// AppendOk appends the answer to a Register or Login that succeeded.
func AppendOk(dst []byte) []byte {
	return append(dst, `{"a":"Ok"}`...)
}

// AppendDeny appends a refusal; the client shows the reason to its player.
func AppendDeny(dst []byte, reason string) []byte {
	dst = append(dst, `{"a":"Deny","p0":"`...)
	dst = appendEscaped(dst, reason)
	return append(dst, `"}`...)
}

// AppendChat appends what sender said, as players hear it.
func AppendChat(dst []byte, sender, text string) []byte {
	dst = append(dst, `{"a":"Chat","p0":"`...)
	dst = appendEscaped(dst, sender)
	dst = append(dst, `","p1":"`...)
	dst = appendEscaped(dst, text)
	return append(dst, `"}`...)
}

// AppendGuestChat appends what a guest said, as guests hear it: without a sender.
func AppendGuestChat(dst []byte, text string) []byte {
	dst = append(dst, `{"a":"Chat","p0":"`...)
	dst = appendEscaped(dst, text)
	return append(dst, `"}`...)
}

// AppendGuestChatFrom appends what a player said, as guests hear it: the
// sender's name stands in the text.
func AppendGuestChatFrom(dst []byte, sender, text string) []byte {
	dst = append(dst, `{"a":"Chat","p0":"`...)
	dst = appendEscaped(dst, sender)
	dst = append(dst, `: `...)
	dst = appendEscaped(dst, text)
	return append(dst, `"}`...)
}

// AppendDisconnect appends that the actor with this id left the game.
func AppendDisconnect(dst []byte, id int64) []byte {
	dst = append(dst, `{"a":"Disconnect","p0":`...)
	dst = strconv.AppendInt(dst, id, 10)
	return append(dst, '}')
}

// AppendDespawn appends that the actor with this id is out of sight but still
// in the game.
func AppendDespawn(dst []byte, id int64) []byte {
	dst = append(dst, `{"a":"Despawn","p0":`...)
	dst = strconv.AppendInt(dst, id, 10)
	return append(dst, '}')
}

// AppendTextFrame appends packet as one WebSocket text frame (RFC 6455 section
// 5.2): FIN set, not masked, the length in its shortest form.
func AppendTextFrame(dst, packet []byte) []byte {
	const finText = 0x81
	switch n := len(packet); {
	case n <= 125:
		dst = append(dst, finText, byte(n))
	case n <= 0xffff:
		dst = append(dst, finText, 126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, finText, 127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	return append(dst, packet...)
}

// appendEscaped appends s as the inside of a JSON string. Only quotes,
// backslashes and C0 controls are escaped, for Godot 3 shows escaped surrogate
// pairs as garbage; each byte that is not UTF-8 becomes U+FFFD.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	done := 0 // s[:done] is appended
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[done:i]...)
				dst = utf8.AppendRune(dst, utf8.RuneError)
				done = i + 1
			}
			i += n
			continue
		}
		if stringBytes[c] != stop {
			i++
			continue
		}
		dst = append(dst, s[done:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
		i++
		done = i
	}
	return append(dst, s[done:]...)
}
