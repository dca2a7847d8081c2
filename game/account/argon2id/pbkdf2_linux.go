//go:build linux && cgo

package argon2id

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"fmt"
)

// chain is what the thread works on: SHA-256 after the first block of the inner
// and of the outer hash of HMAC, which depend on the password alone, and the
// first link. Words, most significant byte first.
type chain struct {
	inner, outer, link [sha256.Size / 4]uint32
}

// firstLink begins the chain.
func firstLink(password, salt []byte) (c chain, err error) {
	key := password
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	if c.inner, err = keyed(key, 0x36); err != nil {
		return c, err
	}
	if c.outer, err = keyed(key, 0x5c); err != nil {
		return c, err
	}
	mac := hmac.New(sha256.New, password)
	mac.Write(salt)
	mac.Write([]byte{0, 0, 0, 1}) // the number of the block
	c.link = words(mac.Sum(nil))
	return c, nil
}

// keyed is the state of SHA-256 after a block of the key with a pad over it.
func keyed(key []byte, pad byte) (state [8]uint32, err error) {
	var block [sha256.BlockSize]byte
	copy(block[:], key)
	for i := range block {
		block[i] ^= pad
	}
	h := sha256.New()
	h.Write(block[:])
	written, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	// "sha\x03", the state, and what is left over of the input and its length.
	const magic = 4
	if err == nil && len(written) < magic+sha256.Size {
		err = fmt.Errorf("%d bytes", len(written))
	}
	if err != nil {
		return state, fmt.Errorf("argon2id: state of SHA-256: %w", err)
	}
	return words(written[magic:]), nil
}

func words(b []byte) (w [8]uint32) {
	for i := range w {
		w[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return w
}
