#ifndef FILL_LINUX_H
#define FILL_LINUX_H

#include <stdint.h>

// order is what a filling thread reads from its pipe: fill count blocks of
// 128 words in so many passes. The blocks belong to the thread until it answers.
struct order {
	uint64_t *blocks;
	uint32_t count;
	uint32_t passes;
};

// start_filling starts a thread that reads orders and answers each with one
// byte. It takes both descriptors over: when orders ends it closes them and
// ends too. Returns 0 or an errno; then the descriptors are still the caller's.
int start_filling(int orders, int answers);

// fill runs the memory-hard part of argon2id (RFC 9106, 3.2 steps 5 and 6)
// over one lane whose first two blocks are set. count is a multiple of four
// and at least eight, passes at least one.
void fill(uint64_t *blocks, uint32_t count, uint32_t passes);

#endif
