//go:build !linux || !cgo

package argon2id

import (
	"crypto/pbkdf2"
	"crypto/sha256"

	"golang.org/x/crypto/argon2"
)

// Thread computes keys one after another. One goroutine at a time may use it.
// Here, other than on Linux, it is no thread of its own.
type Thread struct{}

// Start makes a Thread. Its caller must Stop it.
func Start() (*Thread, error) { return &Thread{}, nil }

// Key is the argon2id key of a password with one lane: passes at least 1,
// keyBytes at least 4.
func (t *Thread) Key(password, salt []byte, passes, memoryKiB, keyBytes uint32) ([]byte, error) {
	return argon2.IDKey(password, salt, passes, memoryKiB, 1, keyBytes), nil
}

// PBKDF2 is the key of a password of PBKDF2Bytes: links at least 1.
func (t *Thread) PBKDF2(password, salt []byte, links uint32) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(password), salt, int(links), PBKDF2Bytes)
}

// Release does nothing here: the working memory is Go's.
func (t *Thread) Release() {}

// Stop ends the thread.
func (t *Thread) Stop() {}
