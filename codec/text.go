package codec

import (
	"strings"
	"unicode/utf8"
)

// cut copies two values out of data with one allocation and returns them as two
// strings, the second one cleaned if clean is set.
func cut(data []byte, a, b value, clean bool) (string, string) {
	var both strings.Builder
	both.Grow(int(a.size + b.size))
	a.write(&both, data, false)
	middle := both.Len()
	b.write(&both, data, clean)
	s := both.String()
	return s[:middle], s[middle:]
}

// write writes the text or the number that v stands for: unescaped, and cleaned
// if clean is set. It writes at most v.size bytes.
func (v value) write(to *strings.Builder, data []byte, clean bool) {
	rest := data[v.start:v.end]
	if !v.escaped && !(clean && v.unclean) {
		to.Write(rest)
		return
	}
	for {
		run := 0
		for run < len(rest) && stringBytes[rest[run]] == plain {
			run++
		}
		to.Write(rest[:run])
		if rest = rest[run:]; len(rest) == 0 {
			return
		}
		var r rune
		r, rest = nextRune(rest)
		if clean {
			if r = cleaned(r); r < 0 {
				continue
			}
		}
		to.WriteRune(r)
	}
}

// nextRune cuts the first character, escaped or not, off the inside of a scanned
// string. Of an empty one it returns 0.
func nextRune(b []byte) (rune, []byte) {
	if len(b) == 0 {
		return 0, nil
	}
	if b[0] == '\\' {
		r, n := unescape(b)
		return r, b[n:]
	}
	r, n := utf8.DecodeRune(b)
	return r, b[n:]
}

// cleaned is what chat text has in the place of r: a space for a character that
// would begin a new line or column, nothing (-1) for any other control
// character and for those that turn the direction of what follows, which would
// let one player's words reach beyond their own line; otherwise r.
func cleaned(r rune) rune {
	switch {
	case '\t' <= r && r <= '\r', r == 0x85, r == 0x2028, r == 0x2029:
		return ' '
	case r < 0x20, 0x7f <= r && r <= 0x9f: // C0, DEL, C1
		return -1
	case 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069: // embeddings, overrides, isolates
		return -1
	}
	return r
}
