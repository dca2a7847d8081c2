package argon2id

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

func start(t testing.TB) *Thread {
	t.Helper()
	thread, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(thread.Stop)
	return thread
}

// same fails the test unless the thread and golang.org/x/crypto agree.
func same(t *testing.T, thread *Thread, password, salt []byte, passes, memoryKiB, keyBytes uint32) {
	t.Helper()
	got, err := thread.Key(password, salt, passes, memoryKiB, keyBytes)
	if err != nil {
		t.Fatal(err)
	}
	if want := argon2.IDKey(password, salt, passes, memoryKiB, 1, keyBytes); !bytes.Equal(got, want) {
		t.Errorf("password %q, salt %q, t=%d, m=%d, %d bytes: got %x, want %x",
			password, salt, passes, memoryKiB, keyBytes, got, want)
	}
}

func TestKeyMatchesTheReference(t *testing.T) {
	thread := start(t)
	long := []byte(strings.Repeat("x", 300))
	for _, memory := range []uint32{0, 1, 8, 9, 11, 12, 63, 64, 1000, 1023, 4096} {
		for passes := uint32(1); passes <= 4; passes++ {
			same(t, thread, []byte("correct horse"), []byte("0123456789abcdef"), passes, memory, 32)
		}
	}
	for _, keyBytes := range []uint32{4, 16, 31, 32, 63, 64, 65, 96, 97, 128, 200} {
		same(t, thread, []byte("password"), []byte("somesalt"), 1, 64, keyBytes)
	}
	for _, password := range [][]byte{nil, {0}, long, []byte("пароль")} {
		same(t, thread, password, long, 2, 64, 32)
		same(t, thread, password, nil, 2, 64, 32)
	}
}

func TestKeyWithTheDefaultOfAccounts(t *testing.T) {
	thread := start(t)
	same(t, thread, []byte("password"), []byte("0123456789abcdef"), 2, 19456, 32)
	thread.Release()
	same(t, thread, []byte("password"), []byte("0123456789abcdef"), 2, 19456, 32)
}

func FuzzKey(f *testing.F) {
	f.Add([]byte("password"), []byte("somesalt"), uint32(1), uint32(64), uint32(32))
	f.Add([]byte(""), []byte(""), uint32(3), uint32(9), uint32(65))
	thread := start(f)
	f.Fuzz(func(t *testing.T, password, salt []byte, passes, memoryKiB, keyBytes uint32) {
		same(t, thread, password, salt, passes%4+1, memoryKiB%256, keyBytes%200+4)
	})
}

func BenchmarkKey(b *testing.B) {
	password, salt := []byte("password"), []byte("0123456789abcdef")
	for _, memory := range []uint32{64, 19456} {
		b.Run(fmt.Sprintf("m=%d/thread", memory), func(b *testing.B) {
			thread := start(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := thread.Key(password, salt, 2, memory, 32); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("m=%d/released", memory), func(b *testing.B) {
			thread := start(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := thread.Key(password, salt, 2, memory, 32); err != nil {
					b.Fatal(err)
				}
				thread.Release()
			}
		})
		b.Run(fmt.Sprintf("m=%d/xcrypto", memory), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				argon2.IDKey(password, salt, 2, memory, 1, 32)
			}
		})
	}
}
