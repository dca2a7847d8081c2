// Package argon2id computes argon2id keys (RFC 9106) where they disturb the
// game least: on Linux the memory-hard part runs in C on a thread of its own,
// at the lowest priority and outside Go's scheduler.
//
// golang.org/x/crypto/argon2 computes the same keys, and is what this package
// is tested against and what it uses elsewhere than on Linux. It is not enough
// for a game server: it forks a goroutine for every segment, so a lowered
// thread priority does not reach the work, a hash keeps one of the scheduler's
// few processors for a whole time slice, and every call makes garbage of its
// working memory.
//
// The package knows nothing of accounts, nor of how a key is written down.
package argon2id

import (
	"encoding/binary"

	"golang.org/x/crypto/blake2b"
)

const (
	// Version is the version of argon2 that this package computes.
	Version = 0x13
	// MinMemoryKiB is the least working memory there is; less counts as this.
	MinMemoryKiB = 8

	kind       = 2 // argon2id
	blockWords = 128
	blockBytes = blockWords * 8
	syncPoints = 4
)

// blockCount is how many blocks a single lane fills with so much memory.
func blockCount(memoryKiB uint32) uint32 {
	return max(memoryKiB, MinMemoryKiB) / syncPoints * syncPoints
}

// firstBlocks sets the first two blocks of the only lane (RFC 9106, 3.2 steps
// 1 to 4). memoryKiB enters the hash as it was asked for, not rounded.
func firstBlocks(blocks []uint64, password, salt []byte, passes, memoryKiB, keyBytes uint32) {
	seed := make([]byte, 0, 128+len(password)+len(salt))
	for _, v := range []uint32{1, keyBytes, memoryKiB, passes, Version, kind} {
		seed = binary.LittleEndian.AppendUint32(seed, v)
	}
	seed = appendSized(seed, password)
	seed = appendSized(seed, salt)
	seed = appendSized(seed, nil) // secret
	seed = appendSized(seed, nil) // associated data
	hash := blake2b.Sum512(seed)
	clear(seed)

	var block [blockBytes]byte
	for i := range uint32(2) {
		input := binary.LittleEndian.AppendUint32(hash[:blake2b.Size:blake2b.Size], i)
		input = binary.LittleEndian.AppendUint32(input, 0) // the lane
		longHash(block[:], input)
		for word := range blockWords {
			blocks[int(i)*blockWords+word] = binary.LittleEndian.Uint64(block[word*8:])
		}
	}
}

func appendSized(dst, b []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(b)))
	return append(dst, b...)
}

// lastKey is the key in a filled lane (RFC 9106, 3.2 steps 7 and 8).
func lastKey(blocks []uint64, keyBytes uint32) []byte {
	var block [blockBytes]byte
	for word, v := range blocks[len(blocks)-blockWords:] {
		binary.LittleEndian.PutUint64(block[word*8:], v)
	}
	key := make([]byte, keyBytes)
	longHash(key, block[:])
	return key
}

// longHash is H' of RFC 9106, 3.3: a BLAKE2b of any length, a chain of hashes
// of which each gives its first half and the last one all of it.
func longHash(out, input []byte) {
	sized := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(input)), uint32(len(out)))
	sized = append(sized, input...)
	if len(out) <= blake2b.Size {
		shortHash(out, sized)
		return
	}
	link := blake2b.Sum512(sized)
	for {
		out = out[copy(out, link[:blake2b.Size/2]):]
		if len(out) <= blake2b.Size {
			shortHash(out, link[:])
			return
		}
		link = blake2b.Sum512(link[:])
	}
}

func shortHash(out, input []byte) {
	h, err := blake2b.New(len(out), nil)
	if err != nil {
		panic("argon2id: " + err.Error()) // a length that no caller of this package can pass
	}
	h.Write(input)
	h.Sum(out[:0])
}
