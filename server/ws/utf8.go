package ws

import "encoding/binary"

// utf8Check follows a text through any number of pieces and tells at the first
// byte that no text can hold in that place. The zero value is the start.
//
//	need == 0   between two characters
//	need > 0    so many bytes of a character are missing, and the next of them
//	            lies in lo..hi
//
// Narrowing lo..hi behind some lead bytes is what keeps out over-long forms,
// surrogates and what lies above U+10FFFF (RFC 3629 section 4).
type utf8Check struct {
	need, lo, hi uint8
}

// complete tells whether the text may end here.
func (u *utf8Check) complete() bool { return u.need == 0 }

// write takes the next piece and tells whether the text can still be UTF-8.
func (u *utf8Check) write(b []byte) bool {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if u.need > 0 {
			if c < u.lo || c > u.hi {
				return false
			}
			u.need--
			u.lo, u.hi = 0x80, 0xbf
			continue
		}
		if c < 0x80 {
			// Mostly there is more of the same.
			for len(b)-i > 8 && binary.LittleEndian.Uint64(b[i+1:])&0x8080808080808080 == 0 {
				i += 8
			}
			continue
		}
		u.lo, u.hi = 0x80, 0xbf
		switch {
		case c < 0xc2:
			return false // a continuation byte, or an over-long form
		case c < 0xe0:
			u.need = 1
		case c < 0xf0:
			u.need = 2
			if c == 0xe0 {
				u.lo = 0xa0 // below: over-long
			} else if c == 0xed {
				u.hi = 0x9f // above: surrogates
			}
		case c < 0xf5:
			u.need = 3
			if c == 0xf0 {
				u.lo = 0x90 // below: over-long
			} else if c == 0xf4 {
				u.hi = 0x8f // above: past U+10FFFF
			}
		default:
			return false
		}
	}
	return true
}
