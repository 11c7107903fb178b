/* SPDX-License-Identifier: Apache-2.0 */
/* Set-up and accounting of the allocator; its everyday calls stand in runtime.h. */
#ifndef TAPIO_MEMORY_H
#define TAPIO_MEMORY_H

#include "runtime.h"

/* Hands [start, start + size) to the allocator. `start` is 16-byte aligned, the memory zeroed. */
void rt_memory_init(void *start, u32 size);

/* Bytes that allocations hold, block headers included; and the most they ever held. */
u32 rt_memory_used(void);
u32 rt_memory_used_max(void);

#endif
