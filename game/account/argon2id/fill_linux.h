#ifndef FILL_LINUX_H
#define FILL_LINUX_H

#include <stdint.h>

#include "pbkdf2_linux.h"

// order is what a filling thread reads from its pipe: fill count blocks of
// 128 words in so many passes. The blocks belong to the thread until it
// answers. Without blocks it is to stretch the chain by so many passes.
struct order {
	uint64_t *blocks;
	uint32_t count;
	uint32_t passes;
	int with_sha; // if the processor can; no matter without a chain
	struct chain chain;
};

// start_filling starts a thread that reads orders and answers each: a filled
// memory with one byte, a chain with its key. It takes both descriptors over:
// when orders ends it closes them and ends too. Returns 0 or an errno; then the
// descriptors are still the caller's.
int start_filling(int orders, int answers);

// fill runs the memory-hard part of argon2id (RFC 9106, 3.2 steps 5 and 6)
// over one lane whose first two blocks are set. count is a multiple of four
// and at least eight, passes at least one.
void fill(uint64_t *blocks, uint32_t count, uint32_t passes);

#endif
