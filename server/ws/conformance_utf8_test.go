package ws

import (
	"fmt"
	"testing"
	"unicode/utf8"
)

// The cases of UTF-8 decoders' ordeals: what is text, and what only looks like it.
var (
	texts = []string{
		"κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff",
		"\U00010000", "\U0010ffff", "\ufeffmark", "\ufdd0",
	}
	noTexts = []string{
		// One byte or a run of them that cannot begin anything.
		"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80\xbf\x80\xbf\x80",
		// Starts without what must follow.
		"\xc2 \xc3 ", "\xe1 \xe2 ", "\xf1 \xf2 ", "\xf8 \xf9 ", "\xfc \xfd ",
		// The last byte is missing.
		"\xdf", "\xe0\xa0", "\xef\xbf", "\xf0\x90\x80", "\xf4\x8f\xbf", "\xdf\xef\xbf\xf4\x8f\xbf",
		// Bytes that there are not.
		"\xfe", "\xff", "\xfe\xfe\xff\xff", "\xc0", "\xc1", "\xf5",
		// Forms that are too long, of ASCII, of NUL, and of the greatest that should be shorter.
		"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf",
		"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf",
		"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
		// Past the end.
		"\xf4\x90\x80\x80", "\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf",
		// Surrogates, alone and in pairs.
		"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf",
		"\xed\xa0\x80\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf",
		"κόσμε\xed\xa0\x80edited",
	}
)

func init() {
	for plane := rune(0); plane <= 16; plane++ {
		texts = append(texts, string([]rune{plane<<16 | 0xfffe, plane<<16 | 0xffff}))
	}
	for _, s := range texts {
		octets := frame(text, "")
		for i := range len(s) {
			octets = append(octets, frame(more, s[i:i+1])...)
		}
		echo := []string{describe(opText, []byte(s)), "close 1000", "end"}
		conformance = append(conformance,
			exchange{fmt.Sprintf("8.1 text %+q", s), join(frame(fin|text, s), bye), echo, 1000},
			exchange{fmt.Sprintf("8.1 text %+q, a frame per byte", s), join(octets, frame(fin|more, ""), bye), echo, 1000},
			exchange{fmt.Sprintf("5.5.1 reason %+q", s), closeFrame(1000, s), []string{"close 1000", "end"}, 1000},
		)
	}
	for _, s := range noTexts {
		conformance = append(conformance,
			exchange{fmt.Sprintf("8.1 not text: %q", s), frame(fin|text, s), invalid, 1007},
			exchange{fmt.Sprintf("8.1 not text behind some: %q", s), join(frame(text, "κόσμε"), frame(fin|more, s), frame(fin|text, "a")), invalid, 1007},
			exchange{fmt.Sprintf("5.5.1 no reason: %q", s), closeFrame(1000, s), invalid, 1007},
			exchange{fmt.Sprintf("8.1 binary all the same: %q", s), join(frame(blob, s[:1]), frame(fin|more, s[1:]), bye), []string{describe(opBinary, []byte(s)), "close 1000", "end"}, 1000},
		)
	}
}

// TestTexts holds the lists above against the standard library.
func TestTexts(t *testing.T) {
	for _, s := range texts {
		if !utf8.ValidString(s) {
			t.Errorf("%q is not text", s)
		}
	}
	for _, s := range noTexts {
		if utf8.ValidString(s) {
			t.Errorf("%q is text", s)
		}
	}
}
