// SPDX-License-Identifier: Apache-2.0
/* bpf_for_each_map_elem: callbacks that look, stop, delete and iterate again. */
#include "map_support.h"

static struct rt_map *walked;
static u32 visits;
static u64 keys_seen; /* bit by key */
static u32 stop_after;

static u64 visit(const u64 *arguments)
{
	u32 key;

	CHECK(arguments[0] == (uintptr_t)walked && arguments[3] == 77);
	CHECK(test_readable((void *)(uintptr_t)arguments[1], 4));
	CHECK(!test_writable((void *)(uintptr_t)arguments[1], 4));
	CHECK(test_writable((void *)(uintptr_t)arguments[2], 8));
	memcpy(&key, (void *)(uintptr_t)arguments[1], 4);
	CHECK(*(u64 *)(uintptr_t)arguments[2] == key * 10ull);
	keys_seen |= 1ull << key;
	return ++visits == stop_after;
}

static u64 walk(void *result)
{
	*(s64 *)result = walked->ops->for_each(walked, test_callback(visit), 77, 0);
	return 0;
}

TEST(for_each_visits, "for_each visits every element once, on the CPU's slot, and can stop")
{
	u32 types[] = { RT_MAP_ARRAY,	    RT_MAP_PERCPU_ARRAY, RT_MAP_HASH,
			RT_MAP_PERCPU_HASH, RT_MAP_LRU_HASH,	 RT_MAP_LRU_PERCPU_HASH };

	for (u32 i = 0; i < 6; i++) {
		s64 result = 0;

		walked = test_map(types[i], 4, 8, 16, 0);
		rt_cpu = 2;
		/* An LRU map of 16 keeps what one CPU inserts up to here. */
		for (u32 key = 0; key < 16; key++)
			CHECK(test_update(walked, key, key * 10, RT_ANY) == 0);
		visits = stop_after = 0;
		keys_seen = 0;
		test_run_program(walk, &result);
		CHECK(result == 16 && visits == 16 && keys_seen == 0xffff);
		visits = 0;
		stop_after = 3;
		test_run_program(walk, &result);
		CHECK(result == 3 && visits == 3);
		CHECK(walked->ops->for_each(walked, 0, 0, 1) == -EINVAL);
	}
}

static u64 delete_current(const u64 *arguments)
{
	CHECK(walked->ops->remove(walked, (void *)(uintptr_t)arguments[1]) == 0);
	visits++;
	return 0;
}

static u64 delete_all(void *result)
{
	*(s64 *)result = walked->ops->for_each(walked, test_callback(delete_current), 0, 0);
	return 0;
}

TEST(for_each_deletes, "a for_each callback may delete its element, and empties the map")
{
	u32 flags[] = { 0, RT_MAP_NO_PREALLOC };

	for (u32 i = 0; i < 2; i++) {
		s64 result = 0;

		walked = test_map(RT_MAP_HASH, 4, 8, 50, flags[i]);
		for (u32 key = 0; key < 50; key++)
			CHECK(test_update(walked, key, 0, RT_ANY) == 0);
		visits = 0;
		test_run_program(delete_all, &result);
		CHECK(result == 50 && visits == 50);
		for (u32 key = 0; key < 50; key++)
			CHECK(!test_has(walked, key));
	}
}

static u64 key_address;

static u64 faulty(const u64 *arguments)
{
	key_address = arguments[1];
	CHECK(test_readable((void *)(uintptr_t)key_address, 4));
	rt_fault(RT_FAULT_LOAD, 0, 1);
}

static u64 walk_and_fault(void *result)
{
	(void)result;
	walked->ops->for_each(walked, test_callback(faulty), 0, 0);
	return 0;
}

void rt_run_unwind(u32 depth);

static void fault_once(void)
{
	CHECK_FAULT(RT_FAULT_LOAD, test_run_program(walk_and_fault, NULL));
	rt_run_unwind(0);
}

TEST(for_each_faults, "a fault inside a callback gives the callback's key back")
{
	void *first;

	walked = test_map(RT_MAP_ARRAY, 4, 8, 4, 0);
	fault_once();
	first = (void *)(uintptr_t)key_address;
	CHECK(first != NULL && !test_readable(first, 1));
	for (u32 i = 0; i < 10; i++)
		fault_once();
}
