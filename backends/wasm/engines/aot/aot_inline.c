// SPDX-License-Identifier: Apache-2.0
/*
 * What compiled programs need to know to do simple helpers themselves (emit_inline_helper.ts): where
 * the runtime keeps what these helpers read.
 */
#include "map_array.h"
#include "map_hash_find.h"
#include "map_percpu.h"
#include "ring.h"
#include "simulated_memory.h"
#include "task.h"
#include "world.h"

/* inline_places.ts reads these by position: addresses, then offsets within struct rt_task. */
struct places {
	u32 clock_ns;
	u32 tick_ns;
	u32 cpu;
	u32 spaces;
	u32 current_tasks;
	u32 task_blocks;
	u32 pid;
	u32 uid;
	u32 kernel_address;
	u32 cgroup_level;
	u32 cgroup_ids;
	u32 comm;
};

RT_EXPORT(aot_places) const struct places *aot_places(void)
{
	static struct places places;

	places = (struct places){
		.clock_ns = (u32)(uintptr_t)&rt_now_ns,
		.tick_ns = (u32)(uintptr_t)&rt_tick_ns,
		.cpu = (u32)(uintptr_t)&rt_cpu,
		.spaces = (u32)(uintptr_t)rt_spaces,
		.current_tasks = (u32)(uintptr_t)rt_current_tasks,
		.task_blocks = (u32)(uintptr_t)rt_task_blocks,
		.pid = offsetof(struct rt_task, pid),
		.uid = offsetof(struct rt_task, uid),
		.kernel_address = offsetof(struct rt_task, kernel_address),
		.cgroup_level = offsetof(struct rt_task, cgroup_level),
		.cgroup_ids = offsetof(struct rt_task, cgroup_ids),
		.comm = offsetof(struct rt_task, comm),
	};
	return &places;
}

_Static_assert(RT_SPACE_KERNEL == 1, "emit_inline_helper.ts compares with it");
_Static_assert(RT_PAGE_SHIFT == 12, "emit_inline_helper.ts shifts and masks with it");
_Static_assert(offsetof(struct rt_task, tid) == offsetof(struct rt_task, pid) + 4, "one load");
_Static_assert(offsetof(struct rt_task, gid) == offsetof(struct rt_task, uid) + 4, "one load");
_Static_assert(RT_COMM_SIZE == 16, "emit_inline_helper.ts copies two words");
_Static_assert(RT_CGROUP_LEVELS == 16, "emit_inline_helper.ts masks with it");
_Static_assert(RT_TASKS_PER_BLOCK == 64, "emit_inline_helper.ts shifts and masks with it");
_Static_assert(sizeof(struct rt_task) == 240, "emit_inline_helper.ts multiplies with it");

/* Where the values of an array lie that programs may look up. */
struct array_place {
	u32 address;
	u32 entries;
	u32 stride;	/* from a key's value to the next key's */
	u32 cpu_stride; /* from a CPU's value to the next CPU's; 0 where they share one */
};

/* NULL for a map of another type, and for one that programs only write. */
RT_EXPORT(aot_array_place) const struct array_place *aot_array_place(const struct rt_map *map)
{
	static struct array_place place;
	bool percpu = map->type == RT_MAP_PERCPU_ARRAY;

	if ((map->type != RT_MAP_ARRAY && !percpu) || map->flags & RT_MAP_WRONLY_PROG)
		return NULL;
	place = (struct array_place){
		.address = (u32)(uintptr_t)map->values,
		.entries = map->max_entries,
		.stride = map->stride,
		.cpu_stride = percpu ? rt_percpu_stride(map) : 0,
	};
	return &place;
}

/* Where the table of a hash lies whose keys are single words. */
struct hash_place {
	u32 buckets;
	u32 bucket_mask;
	u32 key_size;
	u32 value_offset;      /* from the element's start */
	u32 referenced_offset; /* of the LRU node's mark; 0 where there is none */
};

/* NULL for a map of another type or with other keys, and for one that programs only write. */
RT_EXPORT(aot_hash_place) const struct hash_place *aot_hash_place(const struct rt_map *map)
{
	static struct hash_place place;
	bool lru = map->type == RT_MAP_LRU_HASH;
	const struct rt_hash *hash = rt_hash_state(map);

	if ((map->type != RT_MAP_HASH && !lru) || map->flags & RT_MAP_WRONLY_PROG ||
	    (map->key_size != 4 && map->key_size != 8))
		return NULL;
	place = (struct hash_place){
		.buckets = (u32)(uintptr_t)hash->buckets,
		.bucket_mask = hash->bucket_count - 1,
		.key_size = hash->key_size,
		.value_offset = hash->value_offset,
		.referenced_offset =
			lru ? hash->node_offset + offsetof(struct rt_lru_node, referenced) : 0,
	};
	return &place;
}

_Static_assert(offsetof(struct rt_hash_element, next) == 0, "emit_map_lookup.ts follows it");
_Static_assert(RT_HASH_KEY_OFFSET == 8, "emit_map_lookup.ts compares there");
_Static_assert(RT_HASH_MULTIPLIER == 0x9e3779b97f4a7c15ull, "emit_map_lookup.ts multiplies with it");

/* Where a ring counts: its reader's position, then its producers' (struct rt_ring); NULL for other maps. */
RT_EXPORT(aot_ring_positions) const u64 *aot_ring_positions(const struct rt_map *map)
{
	struct rt_ring *ring = rt_ring_of(map);

	return ring == NULL ? NULL : &ring->consumer;
}

_Static_assert(offsetof(struct rt_ring, producer) == offsetof(struct rt_ring, consumer) + 8,
	       "emit_inline_helper.ts subtracts the one from the next");

/* Of the values that a lookup finds; 0 for maps whose lookups find something else. */
RT_EXPORT(aot_value_bytes) u32 aot_value_bytes(const struct rt_map *map)
{
	switch (map->type) {
	case RT_MAP_ARRAY:
	case RT_MAP_PERCPU_ARRAY:
	case RT_MAP_HASH:
	case RT_MAP_PERCPU_HASH:
	case RT_MAP_LRU_HASH:
	case RT_MAP_LRU_PERCPU_HASH:
	case RT_MAP_LPM_TRIE:
		return map->value_size;
	default:
		return 0;
	}
}
