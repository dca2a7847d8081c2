package argon2id

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// TestPBKDF2Vectors are those of RFC 7914, 11, cut to one block.
func TestPBKDF2Vectors(t *testing.T) {
	thread := start(t)
	for _, c := range []struct {
		password, salt string
		links          uint32
		want           string
	}{
		{"passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
		{"Password", "NaCl", 80000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"},
	} {
		key, err := thread.PBKDF2([]byte(c.password), []byte(c.salt), c.links)
		if got := hex.EncodeToString(key); got != c.want || err != nil {
			t.Errorf("%q, %q, %d: got %s, %v; want %s", c.password, c.salt, c.links, got, err, c.want)
		}
	}
}

func sameChain(t *testing.T, thread *Thread, password, salt []byte, links uint32) {
	t.Helper()
	got, err := thread.PBKDF2(password, salt, links)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pbkdf2.Key(sha256.New, string(password), salt, int(links), PBKDF2Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("password %q, salt %q, %d links: got %x, want %x", password, salt, links, got, want)
	}
}

func TestPBKDF2MatchesTheReference(t *testing.T) {
	thread := start(t)
	for _, length := range []int{0, 1, 31, 32, 63, 64, 65, 128, 256} {
		for _, links := range []uint32{1, 2, 3, 1000} {
			password := []byte(strings.Repeat("pässword", 40))[:length]
			sameChain(t, thread, password, []byte("salt"), links)
			sameChain(t, thread, []byte("password"), password, links)
		}
	}
	// Both kinds of order on one thread.
	same(t, thread, []byte("password"), []byte("somesalt"), 1, 64, 32)
	sameChain(t, thread, []byte("password"), []byte("somesalt"), 100)
	same(t, thread, []byte("password"), []byte("somesalt"), 1, 64, 32)
}

func FuzzPBKDF2(f *testing.F) {
	f.Add([]byte("password"), []byte("somesalt"), uint32(1))
	f.Add([]byte(""), []byte(""), uint32(3))
	thread := start(f)
	f.Fuzz(func(t *testing.T, password, salt []byte, links uint32) {
		sameChain(t, thread, password, salt, links%50+1)
	})
}

func BenchmarkPBKDF2(b *testing.B) {
	password, salt := []byte("password"), []byte("0123456789abcdef")
	const links = 260000 // of Django 3.2
	b.Run(fmt.Sprintf("links=%d/thread", links), func(b *testing.B) {
		thread := start(b)
		for b.Loop() {
			if _, err := thread.PBKDF2(password, salt, links); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(fmt.Sprintf("links=%d/crypto", links), func(b *testing.B) {
		for b.Loop() {
			if _, err := pbkdf2.Key(sha256.New, string(password), salt, links, PBKDF2Bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}
