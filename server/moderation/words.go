package moderation

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tavern/codec"
	"tavern/game/account"
)

const (
	// maxReasonBytes bounds a reason: more would not fit into a close frame.
	maxReasonBytes = 200
	// maxSpan bounds mutes and bans that end: a hundred years.
	maxSpan = 100 * 365 * 24 * time.Hour
)

// cleaned is text without control characters and double spaces, of at most n bytes.
func cleaned(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > n {
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	return text
}

// because appends a reason, if there is one.
func because(sentence, reason string) string {
	if reason == "" {
		return sentence
	}
	return sentence + ": " + reason
}

// banSentence tells a player why it may not come in. Until when comes first, as
// a close frame may cut the end.
func banSentence(b account.Ban) string {
	return because("You are banned "+untilWords(b.Until), b.Reason)
}

func untilWords(t time.Time) string {
	if t.IsZero() {
		return "for good"
	}
	return "until " + t.UTC().Format("2006-01-02 15:04 UTC")
}

// spanWords says a duration in the two largest units that it has.
func spanWords(d time.Duration) string {
	units := []struct {
		name string
		of   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}
	var parts []string
	for _, u := range units {
		n := d / u.of
		d -= n * u.of
		if n == 0 {
			if len(parts) > 0 {
				break // only neighbouring units
			}
			continue
		}
		s := strconv.FormatInt(int64(n), 10) + " " + u.name
		if n != 1 {
			s += "s"
		}
		if parts = append(parts, s); len(parts) == 2 {
			break
		}
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " and ")
}

// ParseSpan reads a duration as people type it: Go's notation, also with d for
// days and w for weeks ("90m", "1d12h", "2w"). The error is a Refusal.
func ParseSpan(s string) (time.Duration, error) {
	bad := refuse(Invalid, "%q is no duration: say for example 30m, 12h, 7d or 2w", s)
	var total time.Duration
	rest := s
	for _, u := range []struct {
		letter string
		of     time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		digits, after, ok := strings.Cut(rest, u.letter)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || time.Duration(n) > maxSpan/u.of {
			return 0, bad
		}
		total, rest = total+time.Duration(n)*u.of, after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return 0, bad
		}
		total += d
	}
	if total <= 0 || total > maxSpan {
		return 0, bad
	}
	return total, nil
}

// Bounds of a banned network: one more could only be a slip of the pen.
const (
	leastBits4 = 8
	leastBits6 = 19
	bitsOfHost = 64 // of IPv6: what one subscriber is given (RFC 6177)
)

// ParseNetwork reads an address or a CIDR. A single IPv6 address means its /64.
// The error is a Refusal.
func ParseNetwork(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		addr, err := netip.ParseAddr(s)
		if err != nil {
			return p, refuse(Invalid, "%q is no address and no network", s)
		}
		return networkOf(addr), nil
	}
	if addr := p.Addr(); addr.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(addr.Unmap(), p.Bits()-96)
	}
	least := leastBits6
	if p.Addr().Is4() {
		least = leastBits4
	}
	if p.Bits() < least {
		return p, refuse(Invalid, "%s is too large: a network of at least %d bits can be banned", p, least)
	}
	return p.Masked(), nil
}

// networkOf is what is banned to ban an address.
func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = bitsOfHost
	}
	p, _ := addr.Prefix(bits) // fails for the zero Addr only, whose prefix is invalid
	return p
}

// networkWords is a network as people write it: a single IPv4 address bare.
func networkWords(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// word takes the first word from text: up to a space, or in quotation marks.
func word(text string) (w, rest string) {
	text = strings.TrimLeft(text, " ")
	for _, marks := range []string{`""`, "“”", "„“", "''"} {
		open, size := utf8.DecodeRuneInString(marks)
		if !strings.HasPrefix(text, string(open)) {
			continue
		}
		if quoted, behind, ok := strings.Cut(text[size:], marks[size:]); ok {
			return strings.TrimSpace(quoted), strings.TrimLeft(behind, " ")
		}
	}
	w, rest, _ = strings.Cut(text, " ")
	return w, strings.TrimLeft(rest, " ")
}

// people counts in words.
func people(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// maxAnnouncementBytes bounds an announcement like every other chat.
const maxAnnouncementBytes = codec.MaxTextBytes
