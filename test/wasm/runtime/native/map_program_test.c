// SPDX-License-Identifier: Apache-2.0
/* What a program sees of maps: pointers into values, what it may touch, which element is reused. */
#include "map_support.h"

TEST(array_values, "an array's values are writable, and nothing between, before or behind them")
{
	struct rt_map *map = test_map(RT_MAP_ARRAY, 4, 12, 3, 0);

	for (u32 key = 0; key < 3; key++) {
		u8 *value = (u8 *)test_lookup(map, key);

		CHECK(test_writable(value, 12));
		CHECK(!test_readable(value, 13));
		CHECK(!test_readable(value - 1, 1));
	}
	CHECK(test_lookup(map, 3) == NULL);
	CHECK(test_lookup(map, 0xffffffff) == NULL);
}

TEST(mmapable_values, "an array shared with user space has its values 8-byte steps apart")
{
	struct rt_map *map = test_map(RT_MAP_ARRAY, 4, 12, 3, RT_MAP_MMAPABLE);

	CHECK((u8 *)test_lookup(map, 2) == map->values + 32);
	CHECK(test_writable(map->values + 16, 12));
	CHECK(!test_readable(map->values + 16, 13));
}

TEST(read_only_values, "a program may read a RDONLY_PROG map, not write it")
{
	u32 types[] = { RT_MAP_ARRAY, RT_MAP_HASH, RT_MAP_PERCPU_HASH, RT_MAP_LRU_HASH };

	for (u32 i = 0; i < 4; i++) {
		struct rt_map *map = test_map(types[i], 4, 8, 4, RT_MAP_RDONLY_PROG);
		u64 zeroes[64] = { 0 };
		u32 key = 1;

		CHECK(rt_map_update(map->handle, &key, zeroes, 0, 0) == 0);
		CHECK(test_readable(test_lookup(map, 1), 8));
		CHECK(!test_writable(test_lookup(map, 1), 1));
	}
}

TEST(hash_elements, "a hash's value is writable and its key readable; the rest is out of bounds")
{
	struct rt_map *map = test_map(RT_MAP_HASH, 4, 8, 4, 0);
	u8 *value;

	CHECK(test_update(map, 7, 70, RT_ANY) == 0);
	value = (u8 *)test_lookup(map, 7);
	CHECK(test_writable(value, 8));
	CHECK(!test_readable(value, 9));
	CHECK(test_readable(value - 8, 4) && !test_writable(value - 8, 4));
	CHECK(!test_readable(value - 8, 5));
}

TEST(closed_map_memory, "a closed map's memory is out of bounds")
{
	u32 types[] = { RT_MAP_ARRAY,  RT_MAP_PERCPU_ARRAY, RT_MAP_HASH,
			RT_MAP_PERCPU_HASH, RT_MAP_LRU_HASH, RT_MAP_LPM_TRIE };

	for (u32 i = 0; i < 6; i++) {
		bool trie = types[i] == RT_MAP_LPM_TRIE;
		struct rt_map *map =
			test_map(types[i], trie ? 8 : 4, 8, 4, trie ? RT_MAP_NO_PREALLOC : 0);
		void *value;

		CHECK(test_update(map, 1, 1, RT_ANY) == 0);
		value = test_lookup(map, 1);
		CHECK(test_writable(value, 8));
		test_map_close(map);
		CHECK(!test_readable(value, 1));
	}
}

TEST(freed_elements, "a deleted value stays readable, and the next new key takes its element")
{
	u32 flags[] = { 0, RT_MAP_NO_PREALLOC };

	for (u32 i = 0; i < 2; i++) {
		struct rt_map *map = test_map(RT_MAP_HASH, 4, 8, 8, flags[i]);
		u64 *value;

		CHECK(test_update(map, 1, 10, RT_ANY) == 0);
		value = test_lookup(map, 1);
		CHECK(test_remove(map, 1) == 0);
		CHECK(test_writable(value, 8) && *value == 10);
		CHECK(test_update(map, 2, 20, RT_ANY) == 0);
		CHECK(test_lookup(map, 2) == value && *value == 20);
	}
}

TEST(replaced_elements, "an update replaces a preallocated hash's element by its CPU's spare one")
{
	struct rt_map *map = test_map(RT_MAP_HASH, 4, 8, 1, 0);
	u64 *first, *second;

	CHECK(test_update(map, 1, 10, RT_ANY) == 0);
	first = test_lookup(map, 1);
	CHECK(test_update(map, 1, 11, RT_ANY) == 0);
	second = test_lookup(map, 1);
	CHECK(second != first && *second == 11 && *first == 10);
	CHECK(test_update(map, 1, 12, RT_ANY) == 0);
	CHECK(test_lookup(map, 1) == first && *first == 12);
	rt_cpu = 3;
	CHECK(test_update(map, 1, 13, RT_ANY) == 0);
	CHECK(test_lookup(map, 1) != second && test_lookup(map, 1) != first);
}

TEST(all_elements_reachable, "a CPU takes the elements of all others before a hash is full")
{
	u32 types[] = { RT_MAP_HASH, RT_MAP_PERCPU_HASH };

	for (u32 i = 0; i < 2; i++) {
		struct rt_map *map = test_map(types[i], 4, 8, 10, 0);

		rt_cpu = 2;
		for (u32 key = 0; key < 10; key++)
			CHECK(test_update(map, key, key, RT_NOEXIST) == 0);
		CHECK(test_update(map, 10, 0, RT_ANY) == -E2BIG);
		rt_cpu = 1;
		CHECK(test_remove(map, 4) == 0);
		rt_cpu = 3;
		CHECK(test_update(map, 10, 0, RT_ANY) == 0);
	}
}

TEST(percpu_slots, "a program's value of a per-CPU map is its CPU's; a new key is zero elsewhere")
{
	u32 types[] = { RT_MAP_PERCPU_HASH, RT_MAP_LRU_PERCPU_HASH, RT_MAP_PERCPU_ARRAY };

	for (u32 i = 0; i < 3; i++) {
		struct rt_map *map = test_map(types[i], 4, 8, 4, 0);
		u64 all[4];
		u32 key = 1;

		rt_cpu = 2;
		CHECK(test_update(map, 1, 5, RT_ANY) == 0);
		rt_cpu = 0;
		CHECK(*test_lookup(map, 1) == 0);
		CHECK(test_update(map, 1, 6, RT_ANY) == 0);
		CHECK(rt_map_lookup(map->handle, &key, all, 0, 0) == 0);
		CHECK(all[0] == 6 && all[1] == 0 && all[2] == 5 && all[3] == 0);
		CHECK(*(u64 *)map->ops->lookup_percpu(map, &key, 2) == 5);
		CHECK(map->ops->lookup_percpu(map, &key, 4) == NULL);
		CHECK(test_writable(map->ops->lookup_percpu(map, &key, 3), 8));
		CHECK(!test_readable(map->ops->lookup_percpu(map, &key, 3), 9));
	}
}

TEST(reused_percpu_slots, "a per-CPU element that is reused shows nothing of its last key")
{
	struct rt_map *map = test_map(RT_MAP_PERCPU_HASH, 4, 8, 1, 0);
	u64 all[4] = { 1, 2, 3, 4 };
	u32 key = 1;

	CHECK(rt_map_update(map->handle, &key, all, 0, 0) == 0);
	CHECK(test_remove(map, 1) == 0);
	CHECK(test_update(map, 2, 9, RT_ANY) == 0);
	key = 2;
	CHECK(rt_map_lookup(map->handle, &key, all, 0, 0) == 0);
	CHECK(all[0] == 9 && all[1] == 0 && all[2] == 0 && all[3] == 0);
}

TEST(trie_values, "a trie hands out values in place, and keeps them a while after deletion")
{
	struct rt_map *map = test_map(RT_MAP_LPM_TRIE, 8, 8, 100, RT_MAP_NO_PREALLOC);
	u64 key = 32; /* 0.0.0.0/32 */
	u64 *value;

	CHECK(test_update(map, key, 1, RT_ANY) == 0);
	value = test_lookup(map, key);
	CHECK(test_writable(value, 8));
	*value = 2;
	CHECK(*test_lookup(map, key) == 2);
	CHECK(test_remove(map, key) == 0);
	for (u64 i = 0; i < 100; i++)
		CHECK(test_update(map, i << 32 | 32, 100 + i, RT_ANY) == 0);
	CHECK(*value == 2);
}

TEST(lru_keeps_used, "an LRU hash of two keeps the key that a program looked up")
{
	struct rt_map *map = test_map(RT_MAP_LRU_HASH, 4, 8, 2, 0);

	CHECK(test_update(map, 1, 1, RT_ANY) == 0);
	CHECK(test_update(map, 2, 2, RT_ANY) == 0);
	CHECK(test_lookup(map, 1) != NULL);
	CHECK(test_update(map, 3, 3, RT_ANY) == 0);
	CHECK(test_has(map, 1) && !test_has(map, 2) && test_has(map, 3));
}

TEST(lru_ignores_system_calls, "an LRU hash of two does not count a system call's lookup as use")
{
	struct rt_map *map = test_map(RT_MAP_LRU_HASH, 4, 8, 2, 0);

	CHECK(test_update(map, 1, 1, RT_ANY) == 0);
	CHECK(test_update(map, 2, 2, RT_ANY) == 0);
	CHECK(test_has(map, 1));
	CHECK(test_update(map, 3, 3, RT_ANY) == 0);
	CHECK(!test_has(map, 1) && test_has(map, 2) && test_has(map, 3));
}

TEST(map_pointers, "only the address of a living map is a map")
{
	struct rt_map *map = test_map(RT_MAP_HASH, 4, 64, 4, 0);
	u64 address = (uintptr_t)map;
	u8 *forged;

	CHECK(rt_map_from_pointer(address) == map);
	CHECK_FAULT(RT_FAULT_ARGUMENT, rt_map_from_pointer(0));
	CHECK_FAULT(RT_FAULT_ARGUMENT, rt_map_from_pointer(address + 8));
	CHECK_FAULT(RT_FAULT_ARGUMENT, rt_map_from_pointer(address | 1ull << 32));
	CHECK_FAULT(RT_FAULT_ARGUMENT, rt_map_from_pointer(~15ull));
	CHECK(test_update(map, 1, 0, RT_ANY) == 0);
	forged = (u8 *)test_lookup(map, 1) + ((uintptr_t)test_lookup(map, 1) % 16 ? 8 : 0);
	memcpy(forged, map, 16);
	CHECK_FAULT(RT_FAULT_ARGUMENT, rt_map_from_pointer((uintptr_t)forged));
	test_map_close(map);
	CHECK_FAULT(RT_FAULT_ARGUMENT, rt_map_from_pointer(address));
}

TEST(inner_maps, "a lookup in a map of maps gives the inner map, also after it was closed")
{
	struct rt_map *inner = test_map(RT_MAP_ARRAY, 4, 8, 1, 0);
	u32 types[] = { RT_MAP_ARRAY_OF_MAPS, RT_MAP_HASH_OF_MAPS };

	for (u32 i = 0; i < 2; i++) {
		struct rt_map_spec spec = { types[i], 4, 4, 2, 0, 0, inner->handle, -1, -1, 0, 0 };
		struct rt_map *outer = rt_map_from_handle((u32)rt_map_create(&spec));
		struct rt_map *stored = test_map(RT_MAP_ARRAY, 4, 8, 1, 0);
		u32 key = 1;

		CHECK(outer->ops->lookup(outer, &key) == NULL);
		CHECK(rt_map_update(outer->handle, &key, &stored->handle, 0, 0) == 0);
		test_map_close(stored);
		CHECK(outer->ops->lookup(outer, &key) == stored);
		CHECK(rt_map_from_pointer((uintptr_t)stored) == stored);
		CHECK(rt_map_delete(outer->handle, &key) == 0);
		CHECK_FAULT(RT_FAULT_ARGUMENT, rt_map_from_pointer((uintptr_t)stored));
		CHECK(outer->ops->update == NULL && outer->ops->remove == NULL);
	}
}
