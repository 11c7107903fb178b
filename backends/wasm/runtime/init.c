// SPDX-License-Identifier: Apache-2.0
/* The first call into a fresh instance. */
#include "memory.h"
#include "shadow.h"
#include "simulated_memory.h"
#include "task.h"
#include "world.h"

#ifdef __wasm__
extern u8 __heap_base; /* from the linker: the first byte after data and stack */
#define WASM_PAGE_SIZE 65536u

/*
 * Takes `memory_bytes` (rounded up to 64 KiB) of linear memory, for good: views that JavaScript makes
 * afterwards stay valid. Returns 0, -EINVAL, or -ENOMEM where the engine refuses to grow that far.
 */
RT_EXPORT(rt_init) s32 rt_init(u32 memory_bytes, u32 cpus, u32 seed_low, u32 seed_high)
{
	u32 start = ((u32)&__heap_base + 15) & ~15u;
	u32 pages = (u32)__builtin_wasm_memory_size(0);
	u32 wanted = memory_bytes / WASM_PAGE_SIZE + (memory_bytes % WASM_PAGE_SIZE != 0);
	u32 size, shadow_size;

	if (cpus == 0 || cpus > RT_CPUS_MAX || wanted > 32768)
		return -EINVAL;
	if (wanted > pages && __builtin_wasm_memory_grow(0, wanted - pages) == (size_t)-1)
		return -ENOMEM;
	size = (u32)__builtin_wasm_memory_size(0) * WASM_PAGE_SIZE;
	shadow_size = size / 8;
	if (size - start < shadow_size + RT_PAGE_SIZE)
		return -ENOMEM;

	rt_shadow_init((u8 *)start, size);
	rt_memory_init((u8 *)start + shadow_size, size - start - shadow_size);
	rt_world_init(cpus, (u64)seed_high << 32 | seed_low);
	if (rt_simulated_memory_init() != 0)
		return -ENOMEM;
	return rt_tasks_init(cpus);
}
#endif
