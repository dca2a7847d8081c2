package moderation

import (
	"testing"
	"time"
)

func TestWord(t *testing.T) {
	for _, c := range []struct{ name, text, word, rest string }{
		{"nothing", "", "", ""},
		{"spaces", "   ", "", ""},
		{"one", " bob ", "bob", ""},
		{"two", "bob  is rude ", "bob", "is rude "},
		{"quoted", `"Red Baron" is rude`, "Red Baron", "is rude"},
		{"quoted without a space behind", `"Red Baron"now`, "Red Baron", "now"},
		{"a phone's quotes", "“Red Baron” x", "Red Baron", "x"},
		{"German quotes", "„Red Baron“ x", "Red Baron", "x"},
		{"single quotes", "'Red Baron' x", "Red Baron", "x"},
		{"not closed", `"Red Baron`, `"Red`, "Baron"},
		{"empty quotes", `"" x`, "", "x"},
		{"other letters", "Зоя спам", "Зоя", "спам"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if word, rest := word(c.text); word != c.word || rest != c.rest {
				t.Errorf("%q, %q, want %q, %q", word, rest, c.word, c.rest)
			}
		})
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30m": 30 * time.Minute, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "45s": 45 * time.Second,
		"7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "1w1d1h": 193 * time.Hour, "36500d": maxSpan,
		"": 0, "0": 0, "0d": 0, "d": 0, "7": 0, "-7d": 0, "1d-1h": 0, "36501d": 0, "99999999999999w": 0, "1d1w": 0,
		"forever": 0, "1e9h": 0, "7 d": 0, "4294967295w": 0,
	} {
		got, err := ParseSpan(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
		if err != nil {
			refused(t, err, Invalid, "is no duration")
		}
	}
}

func TestSpanWords(t *testing.T) {
	for span, want := range map[time.Duration]string{
		0: "0 seconds", time.Second: "1 second", 61 * time.Second: "1 minute and 1 second", time.Hour: "1 hour",
		48 * time.Hour: "2 days", 25*time.Hour + 30*time.Minute: "1 day and 1 hour", 24*time.Hour + 5*time.Minute: "1 day",
	} {
		if got := spanWords(span); got != want {
			t.Errorf("%v is %q, want %q", span, got, want)
		}
	}
}

func TestParseNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "192.0.2.1/32": "192.0.2.1", "192.0.2.99/24": "192.0.2.0/24", "::ffff:192.0.2.1": "192.0.2.1",
		"::ffff:192.0.2.1/120": "192.0.2.0/24", "2001:db8::1": "2001:db8::/64", "2001:db8::1/128": "2001:db8::1",
		"2001:db8:1:2:3::/48": "2001:db8:1::/48", "fe80::1%eth0": "fe80::/64", "10.0.0.0/8": "10.0.0.0/8",
		"": "", "bob": "", "192.0.2.256": "", "192.0.2.1/33": "", "0.0.0.0/0": "", "10.0.0.0/7": "", "::/0": "", "2000::/3": "",
	} {
		p, err := ParseNetwork(text)
		if (err == nil) != (want != "") || err == nil && networkWords(p) != want {
			t.Errorf("%q: %v, %v, want %q", text, p, err, want)
		}
		if err == nil && p != p.Masked() {
			t.Errorf("%q: %v is not masked", text, p)
		}
	}
}

func TestCleaned(t *testing.T) {
	for text, want := range map[string]string{
		" a \n b\t\u00a0c\x00 ": "a b c", "\xff": "\uFFFD", "0123456789": "01234567", "ééééé": "éééé", "1234567é": "1234567",
	} {
		if got := cleaned(text, 8); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
