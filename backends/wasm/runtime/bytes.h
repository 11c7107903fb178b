/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying and filling of a few bytes. Engines of WebAssembly run memory.copy and memory.fill as calls
 * that cost more than ten nanoseconds, whatever the size; loops are faster up to some dozen words, if
 * the compiler is kept from turning them back into those instructions.
 */
#ifndef TAPIO_BYTES_H
#define TAPIO_BYTES_H

#include "runtime.h"

#define RT_BYTES_SMALL 128u
#define RT_KEEP_LOOP() __asm__ volatile("" ::: "memory")

/* The areas must not overlap, but may be the same. */
static inline void rt_bytes_copy(void *to, const void *from, u32 size)
{
	u8 *target = to;
	const u8 *source = from;

	if (size > RT_BYTES_SMALL) {
		memcpy(target, source, size);
		return;
	}
	for (; size >= 8; size -= 8, target += 8, source += 8) {
		memcpy(target, source, 8);
		RT_KEEP_LOOP();
	}
	for (; size != 0; size--) {
		*target++ = *source++;
		RT_KEEP_LOOP();
	}
}

/* As memmove; single words, which is what programs read most, without a call. */
static inline void rt_bytes_move(void *to, const void *from, u32 size)
{
	switch (size) {
	case 4:
		memcpy(to, from, 4);
		break;
	case 8:
		memcpy(to, from, 8);
		break;
	default:
		memmove(to, from, size);
	}
}

static inline void rt_bytes_fill(u8 *to, u8 value, u32 size)
{
	if (size > RT_BYTES_SMALL) {
		memset(to, value, size);
		return;
	}
	for (; size >= 8; size -= 8, to += 8) {
		const u64 word = value * 0x0101010101010101ull;

		memcpy(to, &word, 8);
		RT_KEEP_LOOP();
	}
	for (; size != 0; size--) {
		*to++ = value;
		RT_KEEP_LOOP();
	}
}

#endif
