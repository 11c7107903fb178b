// SPDX-License-Identifier: Apache-2.0
#include "map_percpu.h"

void rt_percpu_open(const struct rt_map *map, u8 *slots)
{
	for (u32 cpu = 0; cpu < rt_cpu_count; cpu++)
		rt_shadow_set(rt_percpu_slot(map, slots, cpu), map->value_size, rt_map_access(map));
}

void rt_percpu_copy_out(const struct rt_map *map, void *value, u8 *slots)
{
	u32 size = rt_round_up8(map->value_size);

	for (u32 cpu = 0; cpu < rt_cpu_count; cpu++)
		memcpy((u8 *)value + (size_t)size * cpu, rt_percpu_slot(map, slots, cpu), size);
}

void rt_percpu_set(const struct rt_map *map, u8 *slots, const void *value, bool all_cpus)
{
	u32 size = rt_round_up8(map->value_size);

	if (!all_cpus) {
		rt_map_copy_value(map, rt_percpu_slot(map, slots, rt_cpu), value);
		return;
	}
	for (u32 cpu = 0; cpu < rt_cpu_count; cpu++)
		memcpy(rt_percpu_slot(map, slots, cpu), (const u8 *)value + (size_t)size * cpu, size);
}

void rt_percpu_set_first(const struct rt_map *map, u8 *slots, const void *value, bool all_cpus)
{
	if (!all_cpus)
		memset(slots, 0, rt_percpu_bytes(map));
	rt_percpu_set(map, slots, value, all_cpus);
}
