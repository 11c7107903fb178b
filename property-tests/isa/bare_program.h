/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one bare eBPF program on the running kernel.
 *
 * The program becomes a local function of a wrapper that passes it memory and length as r1 and r2 and
 * saves all 64 bits of r0 in a map (BPF_PROG_TEST_RUN itself returns 32). The wrapper needs a frame: a
 * program that is too deep with it, and has no memory, runs without it, for 32 bits of r0.
 *
 * The verifier knows nothing about the contents of the memory, nor of the constants, which the program
 * reaches with LDDW instructions of source 2: descriptor 0, and the offset into the constants.
 *
 * Needs root. Leaves nothing behind.
 */
#ifndef BARE_PROGRAM_H
#define BARE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

struct bare_request {
	unsigned char *memory, *program, *constants;
	size_t memory_length, program_length, constants_length;
};

enum bare_kind {
	BARE_RAN,     /* the low `bits` of r0 */
	BARE_REFUSED, /* `error`, and the last line of the verifier's log */
	BARE_FAILED,  /* the machine's fault: `error`, and what failed */
};

struct bare_answer {
	enum bare_kind kind;
	int bits;
	uint64_t r0;
	int error;
	const char *text; /* valid until the next run */
};

struct bare_answer bare_run(const struct bare_request *request);

#endif
