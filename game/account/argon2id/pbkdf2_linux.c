//go:build cgo

#include "pbkdf2_linux.h"

#include <string.h>

enum { STATE = 8, BLOCK = 16, ROUNDS = 64 };

// What follows a digest in the second and last block of either hash of HMAC
// (FIPS 180-4, 5.1.1): a bit, zeros, and the length of the whole in bits.
static const uint32_t END_OF_MESSAGE = 0x80000000, MESSAGE_BITS = (BLOCK + STATE) * 32;

// The first 32 bits of the fractional parts of the cube roots of the first 64
// primes (FIPS 180-4, 4.2.2).
static const uint32_t round_constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate_right(uint32_t x, int n) { return x >> n | x << (32 - n); }

// digest continues SHA-256 (FIPS 180-4, 6.2.2) from a state over one block.
static void digest(uint32_t *out, const uint32_t *state, const uint32_t *block) {
	uint32_t w[ROUNDS];
	memcpy(w, block, BLOCK * sizeof *w);
	for (int t = BLOCK; t < ROUNDS; t++) {
		const uint32_t x = w[t - 15], y = w[t - 2];
		w[t] = w[t - 16] + w[t - 7] + (rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3) +
		       (rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10);
	}
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	for (int t = 0; t < ROUNDS; t++) {
		const uint32_t more = h + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
				      ((e & f) ^ (~e & g)) + round_constants[t] + w[t];
		const uint32_t less = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
				      ((a & b) ^ (a & c) ^ (b & c));
		h = g;
		g = f;
		f = e;
		e = d + more;
		d = c;
		c = b;
		b = a;
		a = more + less;
	}
	out[0] = state[0] + a;
	out[1] = state[1] + b;
	out[2] = state[2] + c;
	out[3] = state[3] + d;
	out[4] = state[4] + e;
	out[5] = state[5] + f;
	out[6] = state[6] + g;
	out[7] = state[7] + h;
}

static void stretch_plain(uint32_t *key, const struct chain *c, uint32_t links) {
	uint32_t block[BLOCK] = {0};
	memcpy(block, c->link, sizeof c->link);
	block[STATE] = END_OF_MESSAGE;
	block[BLOCK - 1] = MESSAGE_BITS;

	memcpy(key, c->link, sizeof c->link);
	for (uint32_t n = 1; n < links; n++) {
		digest(block, c->inner, block);
		digest(block, c->outer, block);
		for (int i = 0; i < STATE; i++)
			key[i] ^= block[i];
	}
}

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

// With the processor's instructions for SHA-256 the same takes a quarter of the
// time. They want the state in two registers, words abef and cdgh from the top.
struct halves {
	__m128i abef, cdgh;
};

#define WITH_SHA __attribute__((target("sha,sse4.1")))

WITH_SHA static inline struct halves halves_of(const uint32_t *s) {
	return (struct halves){_mm_set_epi32(s[0], s[1], s[4], s[5]), _mm_set_epi32(s[2], s[3], s[6], s[7])};
}

WITH_SHA static inline __m128i reversed(__m128i v) { return _mm_shuffle_epi32(v, _MM_SHUFFLE(0, 1, 2, 3)); }

// digest_sha continues from a state over a block of which *front and *back are
// the first half, and puts the digest there.
WITH_SHA static inline void digest_sha(__m128i *front, __m128i *back, struct halves state) {
	__m128i w[4] = {*front, *back, _mm_set_epi32(0, 0, 0, (int)END_OF_MESSAGE), _mm_set_epi32(MESSAGE_BITS, 0, 0, 0)};
	struct halves now = state;
#pragma GCC unroll 16
	for (int i = 0; i < ROUNDS / 4; i++) { // each two times two rounds
		__m128i *oldest = &w[i % 4];
		const __m128i next = w[(i + 1) % 4], later = w[(i + 2) % 4], newest = w[(i + 3) % 4];
		const __m128i due = _mm_add_epi32(*oldest, _mm_loadu_si128((const __m128i *)(round_constants + 4 * i)));
		now.cdgh = _mm_sha256rnds2_epu32(now.cdgh, now.abef, due);
		now.abef = _mm_sha256rnds2_epu32(now.abef, now.cdgh, _mm_unpackhi_epi64(due, due));
		*oldest = _mm_sha256msg2_epu32(
			_mm_add_epi32(_mm_sha256msg1_epu32(*oldest, next), _mm_alignr_epi8(newest, later, 4)), newest);
	}
	now.abef = _mm_add_epi32(now.abef, state.abef);
	now.cdgh = _mm_add_epi32(now.cdgh, state.cdgh);
	*front = reversed(_mm_unpackhi_epi64(now.cdgh, now.abef));
	*back = reversed(_mm_unpacklo_epi64(now.cdgh, now.abef));
}

WITH_SHA static void stretch_sha(uint32_t *key, const struct chain *c, uint32_t links) {
	const struct halves inner = halves_of(c->inner), outer = halves_of(c->outer);
	__m128i front = _mm_loadu_si128((const __m128i *)c->link);
	__m128i back = _mm_loadu_si128((const __m128i *)(c->link + 4));
	__m128i front_sum = front, back_sum = back;
	for (uint32_t n = 1; n < links; n++) {
		digest_sha(&front, &back, inner);
		digest_sha(&front, &back, outer);
		front_sum = _mm_xor_si128(front_sum, front);
		back_sum = _mm_xor_si128(back_sum, back);
	}
	_mm_storeu_si128((__m128i *)key, front_sum);
	_mm_storeu_si128((__m128i *)(key + 4), back_sum);
}

int stretches_with_sha(void) {
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1))
		return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

#else

int stretches_with_sha(void) { return 0; }

static void stretch_sha(uint32_t *key, const struct chain *c, uint32_t links) { stretch_plain(key, c, links); }

#endif

void stretch(uint32_t *key, const struct chain *c, uint32_t links, int with_sha) {
	if (with_sha)
		stretch_sha(key, c, links);
	else
		stretch_plain(key, c, links);
}
