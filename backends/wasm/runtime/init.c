// SPDX-License-Identifier: Apache-2.0
/* The first call into a fresh instance. */
#include "init.h"

#include "memory.h"
#include "shadow.h"
#include "simulated_memory.h"
#include "task.h"
#include "world.h"

s32 rt_machine_init(u8 *start, u8 *end, u32 cpus, u64 seed)
{
	u32 shadow_size = (u32)((uintptr_t)end / 8);
	u32 room = (u32)(end - start);

	if (cpus == 0 || cpus > RT_CPUS_MAX)
		return -EINVAL;
	if (room < shadow_size + RT_PAGE_SIZE)
		return -ENOMEM;
	rt_shadow_init(start, (u32)(uintptr_t)end);
	rt_memory_init(start + shadow_size, room - shadow_size);
	rt_world_init(cpus, seed);
	if (rt_simulated_memory_init() != 0)
		return -ENOMEM;
	return rt_tasks_init(cpus);
}

#ifdef __wasm__
extern u8 __heap_base; /* from the linker: the first byte after data and stack */
#define WASM_PAGE_SIZE 65536u
#define WASM_PAGES_MAX 32768u /* 2 GiB: an address, or -errno, fits an s32 */

/*
 * Takes `memory_bytes` (rounded up to 64 KiB) of linear memory, for good: views that JavaScript makes
 * afterwards stay valid. Returns 0, -EINVAL, or -ENOMEM where the engine refuses to grow that far.
 */
RT_EXPORT(rt_init) s32 rt_init(u32 memory_bytes, u32 cpus, u32 seed_low, u32 seed_high)
{
	u8 *start = (u8 *)(((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15);
	u32 pages = (u32)__builtin_wasm_memory_size(0);
	u32 wanted = memory_bytes / WASM_PAGE_SIZE + (memory_bytes % WASM_PAGE_SIZE != 0);

	if (wanted > WASM_PAGES_MAX)
		return -EINVAL;
	if (wanted > pages && __builtin_wasm_memory_grow(0, wanted - pages) == (size_t)-1)
		return -ENOMEM;
	pages = (u32)__builtin_wasm_memory_size(0);
	return rt_machine_init(start, (u8 *)(uintptr_t)(pages * WASM_PAGE_SIZE), cpus,
			       (u64)seed_high << 32 | seed_low);
}
#endif
