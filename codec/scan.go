package codec

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// kind is what sort of JSON value a member has.
type kind uint8

const (
	absent kind = iota
	text        // a string; start and end lie inside its quotes
	number      // start and end hold its literal
	other       // true, false, null, an object or an array
)

// value is one scanned JSON value, as a place in the packet's bytes: nothing is
// copied before the whole packet is known to be good. MaxPacketBytes keeps the
// places small.
type value struct {
	kind       kind
	escaped    bool // text: holds a backslash
	unclean    bool // text: may hold a character that chat text must not
	start, end int32
	size       int32 // text: length in bytes once unescaped
}

// What a byte means to a scanner inside a string.
const (
	plain   = iota
	suspect // DEL, or the first byte of what may be a C1, bidi or line control
	stop    // ends the string, begins an escape, or may not stand there
)

var stringBytes = func() (class [256]uint8) {
	for c := range 0x20 {
		class[c] = stop
	}
	class['"'], class['\\'] = stop, stop
	class[0x7f], class[0xc2], class[0xe2] = suspect, suspect, suspect
	return class
}()

// scanner walks over one JSON text that is known to be valid UTF-8. Its methods
// begin at data[i] and leave i just behind what they read; after an error i
// means nothing.
type scanner struct {
	data []byte
	i    int
}

// peek returns the next byte that is no white space, or 0 at the end, which no
// caller looks for, so that a literal 0 byte is refused as well.
func (s *scanner) peek() byte {
	for s.i < len(s.data) {
		switch c := s.data[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// take steps over the next byte that is no white space if it is c.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.i++
	return true
}

// atEnd tells whether nothing but white space is left.
func (s *scanner) atEnd() bool {
	s.peek()
	return s.i == len(s.data)
}

// value scans one value of any kind that stands in depth objects and arrays.
func (s *scanner) value(depth int) (value, *Error) {
	switch c := s.peek(); {
	case c == '"':
		return s.text()
	case c == '-' || isDigit(c):
		return s.number()
	case c == '{':
		return value{kind: other}, s.object(depth, nil)
	case c == '[':
		return value{kind: other}, s.array(depth)
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return value{}, ErrNotJSON
}

// object scans an object that stands in depth others and hands its members to
// m, unless m is nil.
func (s *scanner) object(depth int, m *members) *Error {
	if depth++; depth > MaxDepth {
		return ErrTooDeep
	}
	s.i++ // the brace that the caller saw
	if s.take('}') {
		return nil
	}
	for {
		if s.peek() != '"' {
			return ErrNotJSON
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		if !s.take(':') {
			return ErrNotJSON
		}
		v, err := s.value(depth)
		if err != nil {
			return err
		}
		if m != nil {
			m.set(s.data[key.start:key.end], v)
		}
		if s.take(',') {
			continue
		}
		if s.take('}') {
			return nil
		}
		return ErrNotJSON
	}
}

// array scans an array that stands in depth objects and arrays.
func (s *scanner) array(depth int) *Error {
	if depth++; depth > MaxDepth {
		return ErrTooDeep
	}
	s.i++ // the bracket that the caller saw
	if s.take(']') {
		return nil
	}
	for {
		if _, err := s.value(depth); err != nil {
			return err
		}
		if s.take(',') {
			continue
		}
		if s.take(']') {
			return nil
		}
		return ErrNotJSON
	}
}

// literal scans true, false or null.
func (s *scanner) literal(word string) (value, *Error) {
	end := s.i + len(word)
	if end > len(s.data) || string(s.data[s.i:end]) != word {
		return value{}, ErrNotJSON
	}
	s.i = end
	return value{kind: other}, nil
}

// text scans a string from its opening quote on.
func (s *scanner) text() (value, *Error) {
	i := s.i + 1
	v := value{kind: text, start: int32(i)}
	i += asciiRun(s.data[i:])
	shrinks := 0 // by so many bytes when unescaped
	for ; i < len(s.data); i++ {
		switch class := stringBytes[s.data[i]]; {
		case class == plain:
		case class == suspect:
			v.unclean = true
		case s.data[i] == '"':
			v.end = int32(i)
			v.size = v.end - v.start - int32(shrinks)
			s.i = i + 1
			return v, nil
		case s.data[i] == '\\':
			r, n := unescape(s.data[i:])
			if n == 0 {
				return value{}, ErrNotJSON
			}
			v.escaped, v.unclean = true, true
			shrinks += n - utf8.RuneLen(r)
			i += n - 1
		default:
			return value{}, ErrNotJSON
		}
	}
	return value{}, ErrNotJSON
}

// asciiRun is how many bytes at the start of b are surely plain, told eight at a
// time: long texts are mostly that.
func asciiRun(b []byte) int {
	const each, top = 0x0101010101010101, 0x8080808080808080
	for n := 0; ; n += 8 {
		if n+8 > len(b) {
			return n
		}
		x := binary.LittleEndian.Uint64(b[n:])
		// The lowest byte that is not plain ASCII sets its top bit here: below
		// 0x20 and a match with the quote or the backslash borrow, DEL carries.
		odd := x | (x + each) | (x - 0x20*each) | (x ^ '"'*each - each) | (x ^ '\\'*each - each)
		if odd&top != 0 {
			return n
		}
	}
}

// number scans a number: its grammar only, not its range.
func (s *scanner) number() (value, *Error) {
	start := s.i
	if s.data[s.i] == '-' {
		s.i++
	}
	if s.i < len(s.data) && s.data[s.i] == '0' {
		s.i++ // no digit may follow a leading zero
	} else if !s.digits() {
		return value{}, ErrNotJSON
	}
	if s.i < len(s.data) && s.data[s.i] == '.' {
		s.i++
		if !s.digits() {
			return value{}, ErrNotJSON
		}
	}
	if s.i < len(s.data) && s.data[s.i]|0x20 == 'e' {
		s.i++
		if s.i < len(s.data) && (s.data[s.i] == '+' || s.data[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return value{}, ErrNotJSON
		}
	}
	return value{kind: number, start: int32(start), end: int32(s.i), size: int32(s.i - start)}, nil
}

// digits steps over digits and tells whether there was one.
func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.data) && isDigit(s.data[s.i]) {
		s.i++
	}
	return s.i > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// unescape reads the escape that b begins with and returns its character and
// its length in bytes, 0 if it is none of JSON's. A surrogate pair is one
// escape of twelve bytes; half a pair is U+FFFD.
func unescape(b []byte) (rune, int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch c := b[1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, ok := hex4(b[2:])
		if !ok {
			return 0, 0
		}
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			if low, ok := hex4(b[8:]); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return pair, 12
				}
			}
		}
		return utf8.RuneError, 6
	}
	return 0, 0
}

// hex4 reads the four hexadecimal digits that b begins with.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
