//go:build linux && cgo

package argon2id

// #cgo CFLAGS: -O3
// #include "fill_linux.h"
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Thread computes keys one after another on an operating system thread of its
// own. One goroutine at a time may use it.
//
// The thread is C's, and it and Go talk through two pipes: orders go in, a
// byte comes back. While the thread works, the caller is parked like a reader
// of any socket: it holds neither a processor of Go's scheduler nor a thread.
// No Go code ever runs at the low priority, where the kernel could halt it
// with a lock or a processor in its hands that the game loop waits for.
type Thread struct {
	orders, answers *os.File
	memory          []byte // the last key's, kept for the next one; not Go's heap
}

// Start makes a Thread. Its caller must Stop it.
func Start() (*Thread, error) {
	var orders, answers [2]int // each: read end, write end
	if err := unix.Pipe2(orders[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("argon2id: pipe: %w", err)
	}
	if err := unix.Pipe2(answers[:], unix.O_CLOEXEC); err != nil {
		closeAll(orders[:])
		return nil, fmt.Errorf("argon2id: pipe: %w", err)
	}
	// Only the ends on this side are made non-blocking, which lets the
	// runtime's poller have them.
	if err := errors.Join(unix.SetNonblock(orders[1], true), unix.SetNonblock(answers[0], true)); err != nil {
		closeAll(orders[:], answers[:])
		return nil, fmt.Errorf("argon2id: pipe: %w", err)
	}
	if errno := C.start_filling(C.int(orders[0]), C.int(answers[1])); errno != 0 {
		closeAll(orders[:], answers[:])
		return nil, fmt.Errorf("argon2id: thread: %w", syscall.Errno(errno))
	}
	return &Thread{
		orders:  os.NewFile(uintptr(orders[1]), "argon2id orders"),
		answers: os.NewFile(uintptr(answers[0]), "argon2id answers"),
	}, nil
}

func closeAll(descriptors ...[]int) {
	for _, d := range descriptors {
		for _, fd := range d {
			_ = unix.Close(fd)
		}
	}
}

// Key is the argon2id key of a password with one lane: passes at least 1,
// keyBytes at least 4. The working memory is kept until Release. It fails
// when there is no memory, or after Stop.
func (t *Thread) Key(password, salt []byte, passes, memoryKiB, keyBytes uint32) ([]byte, error) {
	count := blockCount(memoryKiB)
	if len(t.memory) != int(count)*blockBytes {
		t.Release()
		// Not on Go's heap: C's thread works on it after this call's cgo rules
		// would have ended, and the collector need not hear of it.
		memory, err := unix.Mmap(-1, 0, int(count)*blockBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return nil, fmt.Errorf("argon2id: %d KiB of memory: %w", memoryKiB, err)
		}
		// Huge pages: the work is 19 MiB of random reads, and 4,864 page faults
		// cost half as much as the work. Where there are none, small ones do.
		_ = unix.Madvise(memory, unix.MADV_HUGEPAGE)
		t.memory = memory
	}
	blocks := unsafe.Slice((*uint64)(unsafe.Pointer(&t.memory[0])), int(count)*blockWords)
	firstBlocks(blocks, password, salt, passes, memoryKiB, keyBytes)

	if err := t.order(C.struct_order{
		blocks: (*C.uint64_t)(unsafe.Pointer(&blocks[0])),
		count:  C.uint32_t(count),
		passes: C.uint32_t(passes),
	}); err != nil {
		t.Release() // nobody works on it
		return nil, err
	}
	var answer [1]byte
	if _, err := t.answers.Read(answer[:]); err != nil {
		// The thread may still be at work on the memory: leave it alone.
		t.memory = nil
		return nil, fmt.Errorf("argon2id: answer: %w", err)
	}
	return lastKey(blocks, keyBytes), nil
}

// withSHA is 1 where the processor has instructions for SHA-256.
var withSHA = C.stretches_with_sha()

// PBKDF2 is the key of a password of PBKDF2Bytes: links at least 1. It takes no
// working memory. It fails after Stop.
func (t *Thread) PBKDF2(password, salt []byte, links uint32) ([]byte, error) {
	c, err := firstLink(password, salt)
	if err != nil {
		return nil, err
	}
	order := C.struct_order{passes: C.uint32_t(links), with_sha: withSHA}
	order.chain = *(*C.struct_chain)(unsafe.Pointer(&c)) // the same words in the same order
	if err := t.order(order); err != nil {
		return nil, err
	}
	var answer [PBKDF2Bytes / 4]uint32
	if _, err := io.ReadFull(t.answers, unsafe.Slice((*byte)(unsafe.Pointer(&answer)), PBKDF2Bytes)); err != nil {
		return nil, fmt.Errorf("argon2id: answer: %w", err)
	}
	key := make([]byte, 0, PBKDF2Bytes)
	for _, word := range answer {
		key = binary.BigEndian.AppendUint32(key, word)
	}
	return key, nil
}

func (t *Thread) order(o C.struct_order) error {
	if _, err := t.orders.Write(unsafe.Slice((*byte)(unsafe.Pointer(&o)), unsafe.Sizeof(o))); err != nil {
		return fmt.Errorf("argon2id: order: %w", err)
	}
	return nil
}

// Release gives the working memory back to the system. For a caller that has
// nothing to compute for a while.
func (t *Thread) Release() {
	if t.memory != nil {
		_ = unix.Munmap(t.memory)
		t.memory = nil
	}
}

// Stop ends the thread and returns when it has ended. A second call does nothing.
func (t *Thread) Stop() {
	_ = t.orders.Close()
	_, _ = io.Copy(io.Discard, t.answers) // its end is the thread's
	_ = t.answers.Close()
	t.Release()
}
