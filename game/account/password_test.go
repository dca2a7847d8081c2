package account

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"tavern/game/account/argon2id"
)

// A hash from the reference implementation's tests:
// "password" with salt "somesalt".
const referenceHash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

func newHasher(t testing.TB, c cost) *hasher {
	t.Helper()
	thread, err := argon2id.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(thread.Stop)
	return &hasher{thread, c, func(time.Duration) {}}
}

func TestHashes(t *testing.T) {
	h := newHasher(t, cost{64, 2, 1})
	made, err := h.hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	other, err := h.hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	if made.String() == other.String() {
		t.Error("two hashes of one password are the same: the salt is no salt")
	}
	if !strings.HasPrefix(made.String(), "$argon2id$v=19$m=64,t=2,p=1$") {
		t.Errorf("PHC string %q", made)
	}
	for _, c := range []struct {
		what, stored, password string
		want                   bool
	}{
		{"right", made.String(), "secret", true},
		{"wrong", made.String(), "Secret", false},
		{"longer", made.String(), "secret\x00", false},
		{"empty", made.String(), "", false},
		{"of another implementation", referenceHash, "password", true},
		{"of another implementation, wrong", referenceHash, "passwort", false},
		{"nobody's", nobody(h.cost).String(), "", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			stored, err := parseHash(c.stored)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := h.matches(stored, c.password); got != c.want || err != nil {
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestHashWithSeveralLanes(t *testing.T) {
	h := newHasher(t, cost{64, 1, 1})
	several := nobody(cost{64, 1, 2})
	var err error
	if several.key, err = h.key(several, "secret", keyBytes); err != nil {
		t.Fatal(err)
	}
	if ok, err := h.matches(several, "secret"); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestDamagedHashes(t *testing.T) {
	for what, stored := range map[string]string{
		"empty":             "",
		"plain text":        "hunter2",
		"other function":    strings.Replace(referenceHash, "argon2id", "argon2i", 1),
		"other version":     strings.Replace(referenceHash, "v=19", "v=16", 1),
		"cut off":           referenceHash[:len(referenceHash)-30],
		"no key":            referenceHash[:strings.LastIndex(referenceHash, "$")],
		"empty key":         referenceHash[:strings.LastIndex(referenceHash, "$")+1],
		"one field more":    referenceHash + "$",
		"not base64":        referenceHash[:len(referenceHash)-1] + "!",
		"no memory":         strings.Replace(referenceHash, "m=256", "m=0", 1),
		"too much memory":   strings.Replace(referenceHash, "m=256", "m=4294967295", 1),
		"too big a number":  strings.Replace(referenceHash, "m=256", "m=99999999999999999999", 1),
		"negative":          strings.Replace(referenceHash, "m=256", "m=-256", 1),
		"no passes":         strings.Replace(referenceHash, "t=2", "t=0", 1),
		"too many passes":   strings.Replace(referenceHash, "t=2", "t=4294967295", 1),
		"no lanes":          strings.Replace(referenceHash, "p=1", "p=0", 1),
		"too many lanes":    strings.Replace(referenceHash, "p=1", "p=256", 1),
		"parameters swap":   strings.Replace(referenceHash, "m=256,t=2", "t=2,m=256", 1),
		"one parameter off": strings.Replace(referenceHash, ",p=1", "", 1),
		"short salt":        strings.Replace(referenceHash, "c29tZXNhbHQ", "c29t", 1),
	} {
		t.Run(what, func(t *testing.T) {
			h, err := parseHash(stored)
			if !errors.Is(err, errHash) {
				t.Fatalf("got %+v, %v", h, err)
			}
			if len(stored) > 40 && strings.Contains(err.Error(), stored[len(stored)-20:]) {
				t.Errorf("the error quotes the key: %v", err)
			}
		})
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(referenceHash)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Add(nobody(cost{19456, 2, 1}).String())
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err != nil {
			return
		}
		if err := h.check(); err != nil {
			t.Errorf("%q was read, at a cost that is refused: %v", s, err)
		}
		again, err := parseHash(h.String())
		if err != nil || !reflect.DeepEqual(h, again) {
			t.Errorf("%q: %+v is written and read as %+v, %v", s, h, again, err)
		}
	})
}
