#ifndef PBKDF2_LINUX_H
#define PBKDF2_LINUX_H

#include <stdint.h>

// chain is PBKDF2 with HMAC-SHA-256 after its first link: the states of
// SHA-256 after the inner and the outer block of the key, and the link.
struct chain {
	uint32_t inner[8];
	uint32_t outer[8];
	uint32_t link[8];
};

// stretch sets key to the sum of so many links, at least one: a block of
// PBKDF2 (RFC 8018, 5.2).
void stretch(uint32_t *key, const struct chain *c, uint32_t links, int with_sha);

// stretches_with_sha tells whether this processor has instructions for SHA-256
// that stretch can use.
int stretches_with_sha(void);

#endif
