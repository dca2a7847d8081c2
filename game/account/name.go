package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

const (
	maxNameCharacters = 32
	maxPasswordBytes  = 256

	// maxNameBytes bounds the work on a name before its characters are
	// counted: 32 characters may be sent decomposed.
	maxNameBytes = 512
)

// checkRegistration gives the name as it is kept, or says what is wrong.
func checkRegistration(name, password string) (display string, err error) {
	switch {
	case name == "" || password == "":
		return "", ErrEmpty
	case len(password) > maxPasswordBytes:
		return "", ErrPasswordLength
	case len(name) > maxNameBytes:
		return "", ErrNameLength
	case !utf8.ValidString(name):
		return "", ErrNameCharacters
	}
	display = norm.NFC.String(name)
	if utf8.RuneCountInString(display) > maxNameCharacters {
		return "", ErrNameLength
	}
	before := ' '
	for _, r := range display {
		if !nameCharacter(r) {
			return "", ErrNameCharacters
		}
		if r == ' ' && before == ' ' {
			return "", ErrNameSpaces
		}
		before = r
	}
	if before == ' ' {
		return "", ErrNameSpaces
	}
	return display, nil
}

// checkLogin refuses what no account can have, without a look at any. It does
// not judge a name by the rule for new ones: an older account may break it.
func checkLogin(name, password string) error {
	switch {
	case name == "" || password == "":
		return ErrEmpty
	case len(name) > maxNameBytes || len(password) > maxPasswordBytes || !utf8.ValidString(name):
		return ErrWrong
	}
	return nil
}

func nameCharacter(r rune) bool {
	switch r {
	case ' ', '_', '-', '.':
		return true
	}
	// A few letters are by definition invisible: a name of them would be empty.
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// nameKey is equal for names that people would take for the same one: case,
// width and ligatures do not count. It is stored, so a change of it (also by a
// newer Unicode in golang.org/x/text) needs a migration.
func nameKey(name string) string {
	key := norm.NFKC.String(name)
	// Folding may leave NFKC, and composing may make something to fold again;
	// the second round settles it.
	for range 2 {
		key = norm.NFKC.String(strings.Map(foldCherokee, cases.Fold().String(key)))
	}
	return key
}

// foldCherokee folds the one script that cases.Fold leaves alone. Its capitals
// are the older letters, so by Unicode it folds to those.
func foldCherokee(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}
