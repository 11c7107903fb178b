// SPDX-License-Identifier: Apache-2.0
/* Which bytes of linear memory a program may touch; the encoding is described in runtime.h. */
#include "shadow.h"

#include "bytes.h"

u8 *rt_shadow;
u32 rt_memory_size;

void rt_shadow_init(u8 *shadow, u32 memory_size)
{
	rt_shadow = shadow;
	rt_memory_size = memory_size;
}

void rt_shadow_set(const void *start, u32 size, enum rt_access access)
{
	u32 granule = (u32)((uintptr_t)start >> 3);
	u8 read_only = access == RT_ACCESS_READ ? RT_SHADOW_READ_ONLY : 0;

	if ((uintptr_t)start & 7)
		__builtin_trap(); /* a bug of the runtime: objects start on a granule */
	if (access == RT_ACCESS_NONE) {
		rt_bytes_fill(rt_shadow + granule, 0, (size + 7) >> 3);
		return;
	}
	rt_bytes_fill(rt_shadow + granule, 8 | read_only, size >> 3);
	if (size & 7)
		rt_shadow[granule + (size >> 3)] = (u8)(size & 7) | read_only;
}

bool rt_shadow_allows(u64 address, u32 size, bool write)
{
	u64 end = address + size; /* cannot overflow: address is checked against 4 GiB first */
	u32 granule, last;
	u8 refused = write ? RT_SHADOW_READ_ONLY : 0;

	if (address >= rt_memory_size || end > rt_memory_size)
		return false;
	granule = (u32)(address >> 3);
	last = (u32)((end - 1) >> 3);
	for (; granule < last; granule++) {
		u8 state = rt_shadow[granule];
		if ((state & 15) != 8 || state & refused)
			return false;
	}
	return (rt_shadow[last] & 15) > ((end - 1) & 7) && !(rt_shadow[last] & refused);
}

RT_EXPORT(rt_shadow_address) u8 *rt_shadow_address(void)
{
	return rt_shadow;
}
