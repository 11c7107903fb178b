// SPDX-License-Identifier: Apache-2.0
/* Random calls on every type, from programs on all CPUs and from user space: nothing leaks. */
#include "map_support.h"

#define STEPS 5000
#define KEYS 64

static u8 key_bytes[512];
static u8 other_key[512];
static u8 value_bytes[8192];
static u8 batch_keys[KEYS * 64];
static u8 batch_values[KEYS * 1024];

static void draw_key(const struct rt_map *map)
{
	u32 number = test_random(KEYS);

	memset(key_bytes, 0, sizeof(key_bytes));
	if (map->type == RT_MAP_LPM_TRIE) {
		u32 length = test_random(map->key_size * 8 - 32 + 2);

		memcpy(key_bytes, &length, 4);
		for (u32 i = 4; i < map->key_size; i++)
			key_bytes[i] = test_random(2) ? 0xff : 0;
		return;
	}
	memcpy(key_bytes, &number, map->key_size < 4 ? map->key_size : 4);
}

static void call_as_program(struct rt_map *map)
{
	const struct rt_map_ops *ops = map->ops;
	u64 flags = test_random(4) == 0 ? test_random(6) : 0;
	u8 *found;

	switch (test_random(6)) {
	case 0:
	case 1:
		if (ops->update != NULL)
			ops->update(map, key_bytes, value_bytes, flags);
		if (ops->push != NULL)
			ops->push(map, value_bytes, flags);
		break;
	case 2:
		if (ops->remove != NULL)
			ops->remove(map, key_bytes);
		if (ops->pop != NULL)
			ops->pop(map, value_bytes);
		break;
	default:
		found = ops->lookup == NULL || map->inner != NULL ? NULL : ops->lookup(map, key_bytes);
		if (found != NULL) {
			CHECK(test_writable(found, map->value_size));
			memset(found, (int)flags, map->value_size);
		}
	}
}

static void call_as_user(struct rt_map *map)
{
	u32 flags = test_random(4) == 0 ? test_random(6) : 0;
	u32 count = test_random(KEYS);

	switch (test_random(9)) {
	case 0:
		rt_map_lookup(map->handle, key_bytes, value_bytes, 0, 0);
		break;
	case 1:
	case 2:
		rt_map_update(map->handle, key_bytes, value_bytes, flags, 0);
		break;
	case 3:
		rt_map_delete(map->handle, key_bytes);
		break;
	case 4:
		rt_map_take(map->handle, key_bytes, value_bytes, 0, 0);
		break;
	case 5:
		rt_map_next_key(map->handle, flags ? key_bytes : NULL, other_key);
		break;
	case 6:
		rt_map_lookup_batch(map->handle, NULL, other_key, batch_keys, batch_values, &count, 0);
		break;
	case 7:
		rt_map_take_batch(map->handle, NULL, other_key, batch_keys, batch_values, &count, 0);
		break;
	default:
		rt_map_update_batch(map->handle, batch_keys, batch_values, &count, 0);
	}
}

static void stress(u32 type, u32 key_size, u32 value_size, u32 max_entries, u32 flags)
{
	u32 before = rt_memory_used();
	struct rt_map *map = test_map(type, key_size, value_size, max_entries, flags);

	for (u32 step = 0; step < STEPS; step++) {
		rt_cpu = test_random(rt_cpu_count);
		draw_key(map);
		memset(value_bytes, (int)step, sizeof(value_bytes));
		if (test_random(2))
			call_as_program(map);
		else
			call_as_user(map);
	}
	test_map_close(map);
	CHECK(rt_memory_used() == before);
}

TEST(stress_maps, "random calls on maps of every type break and leak nothing")
{
	/* The first map pays for the table of handles, which stays. */
	test_map_close(test_map(RT_MAP_ARRAY, 4, 8, 1, 0));
	for (u32 key_size = 1; key_size <= 20; key_size += key_size < 4 ? 1 : 4) {
		stress(RT_MAP_HASH, key_size, 8, 20, 0);
		stress(RT_MAP_HASH, key_size, 5, 20, RT_MAP_NO_PREALLOC);
		stress(RT_MAP_PERCPU_HASH, key_size, 12, 20, 0);
		stress(RT_MAP_LRU_HASH, key_size, 24, 20, 0);
		stress(RT_MAP_LRU_HASH, key_size, 1, 20, RT_MAP_NO_COMMON_LRU);
		stress(RT_MAP_LRU_PERCPU_HASH, key_size, 8, 20, 0);
		stress(RT_MAP_LPM_TRIE, key_size + 4, 8, 40, RT_MAP_NO_PREALLOC);
	}
	stress(RT_MAP_ARRAY, 4, 3, 20, 0);
	stress(RT_MAP_ARRAY, 4, 16, 20, RT_MAP_MMAPABLE);
	stress(RT_MAP_PERCPU_ARRAY, 4, 12, 20, 0);
	stress(RT_MAP_QUEUE, 0, 7, 5, 0);
	stress(RT_MAP_STACK, 0, 8, 5, 0);
	stress(RT_MAP_BLOOM_FILTER, 0, 9, 50, 0);
	stress(RT_MAP_PROG_ARRAY, 4, 4, 5, 0);
	stress(RT_MAP_PERF_EVENT_ARRAY, 4, 4, 5, 0);
}
