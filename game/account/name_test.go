package account

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestRegistrationRule(t *testing.T) {
	for _, c := range []struct {
		what, name, password string
		display              string // "" where refused
		want                 error
	}{
		{"plain", "alice", "p", "alice", nil},
		{"one character", "x", "p", "x", nil},
		{"every mark", "a_b-c.d e 9", "p", "a_b-c.d e 9", nil},
		{"letters of many scripts", "Łukasz Ωμέγα 山田", "p", "Łukasz Ωμέγα 山田", nil},
		{"digits of another script", "٣٤٥", "p", "٣٤٥", nil},
		{"composed", "Rene\u0301", "p", "René", nil},
		{"32 characters", strings.Repeat("ж", 32), "p", strings.Repeat("ж", 32), nil},
		{"32 characters sent decomposed", strings.Repeat("e\u0302\u0301", 32), "p", strings.Repeat("ế", 32), nil},
		{"longest password", "alice", strings.Repeat("x", 256), "alice", nil},
		{"password of any bytes", "alice", "\x00\xff", "alice", nil},

		{"no name", "", "p", "", ErrEmpty},
		{"no password", "alice", "", "", ErrEmpty},
		{"neither", "", "", "", ErrEmpty},
		{"33 characters", strings.Repeat("x", 33), "p", "", ErrNameLength},
		{"a very long name", strings.Repeat("x", 1<<20), "p", "", ErrNameLength},
		{"password of 257 bytes", "alice", strings.Repeat("x", 257), "", ErrPasswordLength},
		{"only a space", " ", "p", "", ErrNameSpaces},
		{"space before", " alice", "p", "", ErrNameSpaces},
		{"space after", "alice ", "p", "", ErrNameSpaces},
		{"two spaces", "al  ice", "p", "", ErrNameSpaces},
		{"other space", "al\u00a0ice", "p", "", ErrNameCharacters},
		{"tab", "al\tice", "p", "", ErrNameCharacters},
		{"NUL", "al\x00ice", "p", "", ErrNameCharacters},
		{"markup", "[b]alice", "p", "", ErrNameCharacters},
		{"at sign", "alice@home", "p", "", ErrNameCharacters},
		{"emoji", "alice😀", "p", "", ErrNameCharacters},
		{"right-to-left override", "alice\u202e", "p", "", ErrNameCharacters},
		{"zero width joiner", "al\u200dice", "p", "", ErrNameCharacters},
		{"a letter that cannot be seen", "\u3164", "p", "", ErrNameCharacters},
		{"marks without a composed form", "a\u0337\u0336", "p", "", ErrNameCharacters},
		{"not UTF-8", "al\xffice", "p", "", ErrNameCharacters},
	} {
		t.Run(c.what, func(t *testing.T) {
			display, err := checkRegistration(c.name, c.password)
			if display != c.display || err != c.want {
				t.Errorf("got %q, %v; want %q, %v", display, err, c.display, c.want)
			}
		})
	}
}

func TestNamesThatAreTheSame(t *testing.T) {
	for _, c := range []struct {
		what, a, b string
		same       bool
	}{
		{"case", "Alice", "aLICE", true},
		{"Greek final sigma", "Οδυσσευς", "ΟΔΥΣΣΕΥΣ", true},
		{"sharp s", "Strauß", "STRAUSS", true},
		{"width", "ａｌｉｃｅ", "alice", true},
		{"ligature", "ﬁnn", "FINN", true},
		{"composition", "Rene\u0301", "RENÉ", true},
		{"accent", "rene", "rené", false},
		{"space", "al ice", "alice", false},
		{"mark", "al_ice", "al-ice", false},
		{"dotless i", "ılse", "ilse", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := nameKey(c.a) == nameKey(c.b); got != c.same {
				t.Errorf("%q (%q) and %q (%q): same is %v", c.a, nameKey(c.a), c.b, nameKey(c.b), got)
			}
		})
	}
}

// Over all characters that a name may have: a key is its own key, and is the
// same in every case and form.
func TestKeyOfEveryCharacter(t *testing.T) {
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !nameCharacter(r) {
			continue
		}
		key := nameKey(string(r))
		if again := nameKey(key); again != key {
			t.Errorf("%U: key %+q has key %+q", r, key, again)
		}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if got := nameKey(string(other)); got != key {
				t.Errorf("%U: key %+q, but in another case, %U, %+q", r, key, other, got)
			}
		}
		if got := nameKey(norm.NFD.String(string(r))); got != key {
			t.Errorf("%U: key %+q, but decomposed %+q", r, key, got)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, name := range []string{"alice", "Ǆ\u0323\u0307", "\u1e9b\u0323", "a\u0345\u0301", "\ufdfa", " ", "\xff"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if display, err := checkRegistration(name, "p"); err == nil {
			if n := utf8.RuneCountInString(display); n < 1 || n > 32 || !utf8.ValidString(display) {
				t.Errorf("%q was taken as %q", name, display)
			}
			if nameKey(name) != nameKey(display) {
				t.Errorf("%q registers under %q and logs in under %q", name, nameKey(display), nameKey(name))
			}
			if again, err := checkRegistration(display, "p"); err != nil || again != display {
				t.Errorf("%q: what is kept is refused: %q, %v", display, again, err)
			}
		}
		if !utf8.ValidString(name) || len(name) > maxNameBytes {
			return
		}
		if key := nameKey(name); nameKey(key) != key {
			t.Errorf("%+q: key %+q has key %+q", name, key, nameKey(key))
		}
	})
}
