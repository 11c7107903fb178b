/* SPDX-License-Identifier: Apache-2.0 */
/* Set-up of the shadow; its everyday calls stand in runtime.h. */
#ifndef TAPIO_SHADOW_H
#define TAPIO_SHADOW_H

#include "bytes.h"

/* `shadow` has one zeroed byte for every 8 bytes of [0, memory_size). */
void rt_shadow_init(u8 *shadow, u32 memory_size);

/* rt_shadow_set for what is made and unmade per event: RT_ACCESS_WRITE and RT_ACCESS_NONE. */
static inline void rt_shadow_open(const void *start, u32 size)
{
	u8 *granules = rt_shadow + ((uintptr_t)start >> 3);

	rt_bytes_fill(granules, 8, size >> 3);
	if (size & 7)
		granules[size >> 3] = (u8)(size & 7);
}

static inline void rt_shadow_close(const void *start, u32 size)
{
	rt_bytes_fill(rt_shadow + ((uintptr_t)start >> 3), 0, (size + 7) >> 3);
}

#endif
