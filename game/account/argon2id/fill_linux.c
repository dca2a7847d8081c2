//go:build cgo

#define _GNU_SOURCE
#include "fill_linux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WORDS = 128, SLICES = 4, ARGON2ID = 2, LOWEST_PRIORITY = 19, STACK_BYTES = 256 * 1024 };

static inline uint64_t rotate_right(uint64_t x, int n) { return x >> n | x << (64 - n); }

// blend is BLAKE2b's addition with a multiplication in it, so that hardware
// made for hashing gains less over a processor.
static inline uint64_t blend(uint64_t a, uint64_t b) {
	return a + b + 2 * (uint64_t)(uint32_t)a * (uint64_t)(uint32_t)b;
}

static inline void quarter(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d) {
	*a = blend(*a, *b);
	*d = rotate_right(*d ^ *a, 32);
	*c = blend(*c, *d);
	*b = rotate_right(*b ^ *c, 24);
	*a = blend(*a, *b);
	*d = rotate_right(*d ^ *a, 16);
	*c = blend(*c, *d);
	*b = rotate_right(*b ^ *c, 63);
}

// permute applies one BLAKE2b round without message words to 16 words: eight
// neighbouring pairs, stride words apart.
static inline void permute(uint64_t *w, int stride) {
	uint64_t v[16];
	for (int i = 0; i < 8; i++) {
		v[2 * i] = w[i * stride];
		v[2 * i + 1] = w[i * stride + 1];
	}
	quarter(&v[0], &v[4], &v[8], &v[12]);
	quarter(&v[1], &v[5], &v[9], &v[13]);
	quarter(&v[2], &v[6], &v[10], &v[14]);
	quarter(&v[3], &v[7], &v[11], &v[15]);
	quarter(&v[0], &v[5], &v[10], &v[15]);
	quarter(&v[1], &v[6], &v[11], &v[12]);
	quarter(&v[2], &v[7], &v[8], &v[13]);
	quarter(&v[3], &v[4], &v[9], &v[14]);
	for (int i = 0; i < 8; i++) {
		w[i * stride] = v[2 * i];
		w[i * stride + 1] = v[2 * i + 1];
	}
}

// compress sets out to G(x, y), or adds it to what out held. out may be x or y.
static void compress(uint64_t *out, const uint64_t *x, const uint64_t *y, int add) {
	uint64_t r[WORDS], z[WORDS];
	for (int i = 0; i < WORDS; i++)
		r[i] = x[i] ^ y[i];
	memcpy(z, r, sizeof z);
	for (int row = 0; row < 8; row++)
		permute(z + 16 * row, 2);
	for (int column = 0; column < 8; column++)
		permute(z + 2 * column, 16);
	if (add)
		for (int i = 0; i < WORDS; i++)
			out[i] ^= r[i] ^ z[i];
	else
		for (int i = 0; i < WORDS; i++)
			out[i] = r[i] ^ z[i];
}

static void next_addresses(uint64_t *addresses, uint64_t *input) {
	static const uint64_t zero[WORDS];
	input[6]++;
	compress(addresses, input, zero, 0);
	compress(addresses, addresses, zero, 0);
}

void fill(uint64_t *blocks, uint32_t count, uint32_t passes) {
	const uint32_t segment = count / SLICES;
	uint64_t addresses[WORDS], input[WORDS];

	for (uint32_t pass = 0; pass < passes; pass++) {
		for (uint32_t slice = 0; slice < SLICES; slice++) {
			// The first half of the first pass looks back at places that do not
			// depend on the password, so that memory timing tells nothing of it.
			const int independent = pass == 0 && slice < SLICES / 2;
			if (independent) {
				memset(input, 0, sizeof input);
				input[0] = pass;
				input[2] = slice;
				input[3] = count;
				input[4] = passes;
				input[5] = ARGON2ID;
			}
			uint32_t i = 0;
			if (pass == 0 && slice == 0) {
				i = 2; // the caller has set the first two
				next_addresses(addresses, input);
			}
			for (; i < segment; i++) {
				const uint32_t at = slice * segment + i;
				uint64_t *block = blocks + (size_t)at * WORDS;
				uint64_t *previous = blocks + (size_t)(at == 0 ? count - 1 : at - 1) * WORDS;
				uint64_t random = previous[0];
				if (independent) {
					if (i % WORDS == 0)
						next_addresses(addresses, input);
					random = addresses[i % WORDS];
				}
				// The window: all blocks finished in this pass and in the last three
				// slices, without the previous one.
				const uint32_t window = (pass == 0 ? slice * segment : 3 * segment) + i - 1;
				const uint32_t start = pass == 0 ? 0 : (slice + 1) % SLICES * segment;
				uint64_t back = random & 0xffffffff;
				back = back * back >> 32;
				back = back * window >> 32;
				const uint32_t other = ((uint64_t)start + window - 1 - back) % count;
				compress(block, previous, blocks + (size_t)other * WORDS, pass > 0);
			}
		}
	}
}

struct pipes {
	int orders, answers;
};

static void *serve(void *argument) {
	struct pipes p = *(struct pipes *)argument;
	free(argument);
	prctl(PR_SET_NAME, "argon2id");
	// On Linux this is the priority of the calling thread alone. A refusal
	// costs only precedence, so it is not an error.
	setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);

	// Orders and answers are far below PIPE_BUF and signals are blocked: a
	// read or write is whole or the end.
	struct order o;
	while (read(p.orders, &o, sizeof o) == sizeof o) {
		uint32_t key[8] = {0};
		size_t bytes = sizeof key;
		if (o.blocks != NULL) {
			fill(o.blocks, o.count, o.passes);
			bytes = 1;
		} else {
			stretch(key, &o.chain, o.passes, o.with_sha);
		}
		if (write(p.answers, key, bytes) != (ssize_t)bytes)
			break;
	}
	close(p.orders);
	close(p.answers);
	return NULL;
}

int start_filling(int orders, int answers) {
	struct pipes *p = malloc(sizeof *p);
	if (p == NULL)
		return ENOMEM;
	p->orders = orders;
	p->answers = answers;

	// Signals are for Go's threads: this one inherits a mask without any.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_t thread;
	const int failure = pthread_create(&thread, &attributes, serve, p);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure != 0)
		free(p);
	return failure;
}
