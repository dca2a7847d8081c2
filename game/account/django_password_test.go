package account

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A hash that Django 3.2 made of "correct horse", with 10 iterations.
const djangoHash = "pbkdf2_sha256$10$salt61$LRY7eqMQBysHp2amRWe+qDQKCmHMQEUpAyjtPkbUvoI="

func TestDjangoHashes(t *testing.T) {
	h := newHasher(t, cost{64, 2, 1})
	for _, c := range []struct {
		password string
		want     bool
	}{{"correct horse", true}, {"Correct horse", false}, {"", false}} {
		stored, err := parseHash(djangoHash)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.matches(stored, c.password); got != c.want || err != nil {
			t.Errorf("%q: got %v, %v; want %v", c.password, got, err, c.want)
		}
		if got := stored.String(); got != djangoHash {
			t.Errorf("written as %q", got)
		}
	}
}

func TestDamagedDjangoHashes(t *testing.T) {
	key := djangoHash[strings.LastIndex(djangoHash, "$")+1:]
	for what, stored := range map[string]string{
		"only the prefix":     djangoPrefix,
		"no iterations":       "pbkdf2_sha256$$salt$" + key,
		"zero iterations":     "pbkdf2_sha256$0$salt$" + key,
		"too many iterations": fmt.Sprintf("pbkdf2_sha256$%d$salt$%s", mostIterations+1, key),
		"huge iterations":     "pbkdf2_sha256$99999999999999999999$salt$" + key,
		"negative iterations": "pbkdf2_sha256$-1$salt$" + key,
		"leading zero":        "pbkdf2_sha256$010$salt$" + key,
		"plus":                "pbkdf2_sha256$+10$salt$" + key,
		"no salt":             "pbkdf2_sha256$10$$" + key,
		"long salt":           "pbkdf2_sha256$10$" + strings.Repeat("s", 257) + "$" + key,
		"no key":              "pbkdf2_sha256$10$salt$",
		"short key":           "pbkdf2_sha256$10$salt$" + key[:40],
		"not base64":          "pbkdf2_sha256$10$salt$" + strings.Repeat("!", 44),
		"line break":          "pbkdf2_sha256$10$salt$" + key[:10] + "\n" + key[10:],
		"one field more":      djangoHash + "$",
	} {
		t.Run(what, func(t *testing.T) {
			if h, err := parseHash(stored); !errors.Is(err, errHash) {
				t.Errorf("got %+v, %v", h, err)
			} else if strings.Contains(err.Error(), key[:20]) {
				t.Errorf("the error quotes the key: %v", err)
			}
		})
	}
}

func FuzzParseDjangoHash(f *testing.F) {
	f.Add(djangoHash)
	f.Add("pbkdf2_sha256$1$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseDjangoHash(s)
		if err != nil {
			return
		}
		if h.iterations == 0 || h.iterations > mostIterations {
			t.Errorf("%q was read, with %d iterations", s, h.iterations)
		}
		// The upgrade finds the row by this.
		if got := h.String(); got != s {
			t.Errorf("%q is written as %q", s, got)
		}
	})
}

// insertHash makes an account as an import would.
func insertHash(t testing.TB, path, name, stored string) {
	t.Helper()
	db := raw(t, path)
	defer db.Close()
	execute(t, db, "INSERT INTO accounts (name, name_key, password) VALUES (?, ?, ?)", name, nameKey(name), stored)
}

// djangoHashOf makes a hash of so many iterations in Django's form.
func djangoHashOf(t testing.TB, password string, iterations uint32) string {
	t.Helper()
	h := hash{iterations: iterations, salt: []byte("salt")}
	var err error
	if h.key, err = newHasher(t, cost{8, 1, 1}).key(h, password, keyBytes); err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// Failed logins take the same time whether the name is unknown, has a hash of
// ours or one of Django's, of few iterations or of many. Without hasher.even they
// are far apart.
func TestEqualTimeWithDjango(t *testing.T) {
	path := databasePath(t)
	cfg := cheap(path)
	cfg.HashMemoryKiB, cfg.Workers = 1024, 1
	s := open(t, cfg)
	mustRegister(t, s, "ours", "secret")
	insertHash(t, path, "few", djangoHashOf(t, "secret", 1000))
	insertHash(t, path, "many", djangoHashOf(t, "secret", 8000))
	_, _ = login(s, "many", "wrong") // now it knows

	failEqually(t, s, "nobody", "ours", "few", "many")
}

// What is charged is exactly what is owed, and only while it is.
func TestFailedLoginsAreCharged(t *testing.T) {
	path := databasePath(t)
	var hashes atomic.Int64
	cfg := cheap(path)
	cfg.Workers = 1
	cfg.ObserveHash = func(time.Duration) { hashes.Add(1) } // before the answer
	s := open(t, cfg)
	mustRegister(t, s, "ours", "secret")
	count := func(name, password string) int64 {
		hashes.Store(0)
		if a, err := login(s, name, password); err == nil {
			s.Release(a.ID)
		}
		return hashes.Load()
	}
	for _, c := range []struct {
		name, password string
		want           int64
	}{{"nobody", "x", 1}, {"ours", "x", 1}, {"ours", "secret", 1}} {
		if got := count(c.name, c.password); got != c.want {
			t.Errorf("before: %s takes %d hashes, want %d", c.name, got, c.want)
		}
	}
	insertHash(t, path, "few", djangoHashOf(t, "secret", 5))
	insertHash(t, path, "many", djangoHashOf(t, "secret", 50))
	insertHash(t, path, "damaged", fmt.Sprintf("pbkdf2_sha256$%d$salt$x", mostIterations+1))
	shut(t, s)
	s = open(t, cfg)
	if got := s.iterations.Load(); got != 50 {
		t.Errorf("the store found %d iterations, want 50", got)
	}
	for _, c := range []struct {
		name, password string
		want           int64
	}{
		{"nobody", "x", 2}, {"ours", "x", 2}, {"ours", "secret", 1},
		{"few", "x", 3}, // its own, an argon2id, and the rest of many
		{"many", "x", 2},
	} {
		if got := count(c.name, c.password); got != c.want {
			t.Errorf("%s, %s takes %d hashes, want %d", c.name, c.password, got, c.want)
		}
	}
	mustLogin(t, s, "many", "secret") // and then it is hashed anew
	eventually(t, "many is ours", func() bool { return s.Stats().Rehashed == 1 })
	mustLogin(t, s, "few", "secret")
	eventually(t, "few is ours", func() bool { return s.Stats().Rehashed == 2 })
	shut(t, s)
	s = open(t, cfg)
	if got := s.iterations.Load(); got != 0 {
		t.Errorf("the store still charges %d iterations", got)
	}
	if got := count("nobody", "x"); got != 1 {
		t.Errorf("after: an unknown name takes %d hashes", got)
	}
}

// A server that runs takes in who is imported meanwhile.
func TestImportDjangoWhileTheStoreIsOpen(t *testing.T) {
	old := oldDatabase(t, "final", fixtureUser{"username": "alice", "password": "a", "hash": 20, "x": 5})
	path := databasePath(t)
	s := open(t, cheap(path))
	mustRegister(t, s, "bob", "b")
	if _, err := login(s, "alice", "a"); err != ErrWrong {
		t.Fatalf("before the import: %v", err)
	}
	mustImport(t, job(old, path))
	if _, err := login(s, "alice", "x"); err != ErrWrong {
		t.Error(err)
	}
	if got := s.iterations.Load(); got != 20 {
		t.Errorf("after a try the store charges %d iterations, want 20", got)
	}
	if a := mustLogin(t, s, "alice", "a"); a.X != 5 {
		t.Errorf("alice is %+v", a)
	}
	mustLogin(t, s, "bob", "b")
	mustRegister(t, s, "carol", "c")
}

func TestMendName(t *testing.T) {
	for name, want := range map[string]string{
		"alice":                  "alice",
		"bob@example.com":        "bob_example.com",
		"  two   spaces ":        "two spaces",
		"tab\there":              "tab_here",
		" \t ":                   "_",
		"   ":                    "",
		"":                       "",
		"a\xffb":                 "a_b",
		"e\u0301":                "é", // composed
		"[b]bold[/b]":            "_b_bold__b_",
		strings.Repeat("ж", 40):  strings.Repeat("ж", 32),
		strings.Repeat("a ", 40): strings.TrimSpace(strings.Repeat("a ", 16)),
		"zero\u200bwidth":        "zero_width",
	} {
		if got := mendName(name); got != want {
			t.Errorf("%q is mended to %q, want %q", name, got, want)
		}
	}
}

// Whatever a name is, what it is mended to can be registered, and so can the
// next ones when that is taken.
func FuzzFreeName(f *testing.F) {
	f.Add("alice")
	f.Add("bob@example.com")
	f.Add(strings.Repeat("a b", 20))
	f.Add("e\u0301\u0301\u200d\ufdfa\x00")
	f.Fuzz(func(t *testing.T, name string) {
		p := planner{report: &DjangoReport{}, taken: map[string]string{}}
		for range 12 {
			display, err := p.freeName(oldUser{name: name, id: 7})
			if err != nil || display == "" {
				t.Fatalf("%q: %q, %v", name, display, err)
			}
			if _, err := checkRegistration(display, "password"); err != nil {
				t.Errorf("%q: %q: %v", name, display, err)
			}
			p.admit(oldUser{name: name}, display)
		}
		if len(p.taken) != 12 {
			t.Errorf("%q: %d names", name, len(p.taken))
		}
	})
}
