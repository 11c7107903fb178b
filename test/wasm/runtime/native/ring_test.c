// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include "held.h"
#include "helpers.h"
#include "map_types.h"
#include "ring.h"

#define RING_SIZE 8192u
#define RESERVED_MAX 16

s32 rt_ring_open(u32 map_handle, u32 capacity);
u32 rt_ring_fill(struct rt_ring *ring, u32 room);
void rt_ring_release(struct rt_ring *ring);
s32 rt_map_close(u32 handle);

struct reserved {
	u8 *record;
	u32 size;
	u8 fill;
};

static struct rt_map *ring_map(void)
{
	struct rt_map_spec spec = { .type = RT_MAP_RINGBUF,
				    .max_entries = RING_SIZE,
				    .lock_offset = -1,
				    .timer_offset = -1 };
	s32 handle = rt_map_create(&spec);

	CHECK(handle > 0);
	return rt_map_from_handle((u32)handle);
}

static void end_one(struct reserved *reserved, u32 *count)
{
	u32 index = test_random(*count);
	u64 record = rt_address(reserved[index].record);

	memset(reserved[index].record, reserved[index].fill, reserved[index].size);
	if (test_random(3) == 0)
		rt_helper_ringbuf_discard(record, test_random(3), 0, 0, 0);
	else
		rt_helper_ringbuf_submit(record, test_random(3), 0, 0, 0);
	reserved[index] = reserved[--*count];
}

/* Delivered records are whole, and fills arrive in the order of reservation (they count up). */
static void read_some(struct rt_ring *ring, u8 *last_fill)
{
	u32 count = rt_ring_fill(ring, 1 + test_random(20));
	const u32 *offsets = (const u32 *)(uintptr_t)ring->offsets;
	const u32 *lengths = (const u32 *)(uintptr_t)ring->lengths;

	for (u32 i = 0; i < count; i++) {
		const u8 *record = (const u8 *)(uintptr_t)offsets[i];

		for (u32 byte = 0; byte < lengths[i]; byte++)
			CHECK(record[byte] == record[0]);
		CHECK((u8)(record[0] - *last_fill) < 128);
		*last_fill = record[0];
	}
	rt_ring_release(ring);
}

TEST(ring_keeps_records, "the ring keeps records whole and in order over 300,000 random steps")
{
	struct rt_map *map = ring_map();
	struct rt_ring *ring = (struct rt_ring *)(uintptr_t)rt_ring_open(map->handle, 16);
	struct reserved reserved[RESERVED_MAX];
	u32 count = 0;
	u8 fill = 0, last_fill = 0;

	for (u32 step = 0; step < 300000; step++) {
		u32 size = 1 + (test_random(10) == 0 ? test_random(3000) : test_random(60));

		if (count < RESERVED_MAX && test_random(2) == 0) {
			u8 *record = rt_pointer(
				rt_helper_ringbuf_reserve(rt_address(map), size, 0, 0, 0));

			if (record != NULL) {
				memset(record, 0xff, size); /* all of it is ours */
				reserved[count++] = (struct reserved){ record, size, ++fill };
			}
		} else if (count != 0 && test_random(4) != 0) {
			end_one(reserved, &count);
		} else {
			read_some(ring, &last_fill);
		}
		CHECK(rt_ring_available(ring) < RING_SIZE);
	}
}

TEST(abandoned_records, "an abandoned run's records are discarded, an outer run's stay reserved")
{
	struct rt_map *map = ring_map();
	struct rt_ring *ring = (struct rt_ring *)(uintptr_t)rt_ring_open(map->handle, 16);
	u32 outermost = rt_held_enter();
	u64 outer = rt_helper_ringbuf_reserve(rt_address(map), 8, 0, 0, 0);
	u32 inner_run = rt_held_enter();

	rt_helper_ringbuf_reserve(rt_address(map), 8, 0, 0, 0);
	rt_helper_ringbuf_reserve(rt_address(map), 8, 0, 0, 0);
	/* What the outer run holds is not the inner one's to give back. */
	CHECK_FAULT(RT_FAULT_REFERENCE, rt_helper_ringbuf_submit(outer, 0, 0, 0, 0));
	rt_held_abandon(inner_run);
	CHECK(rt_ring_fill(ring, 16) == 0);
	rt_helper_ringbuf_submit(outer, 0, 0, 0, 0);
	rt_held_leave(outermost);
	CHECK(rt_ring_fill(ring, 16) == 1);
	rt_ring_release(ring);
	CHECK(rt_ring_available(ring) == 0);
}

TEST(too_many_records, "the 257th record held at once faults and leaves the ring usable")
{
	struct rt_map *map = ring_map();
	u32 entered = rt_held_enter();

	for (u32 i = 0; i < RT_REFERENCES_MAX; i++)
		CHECK(rt_helper_ringbuf_reserve(rt_address(map), 0, 0, 0, 0) != 0);
	CHECK_FAULT(RT_FAULT_REFERENCE, rt_helper_ringbuf_reserve(rt_address(map), 0, 0, 0, 0));
	rt_held_abandon(entered);
	CHECK(rt_helper_ringbuf_output(rt_address(map), 0, 0, 0, 0) == 0);
}

TEST(map_outlives_its_handle, "a ring that is being read outlives the close of its map")
{
	struct rt_map *map = ring_map();
	u32 handle = map->handle;
	struct rt_ring *ring = (struct rt_ring *)(uintptr_t)rt_ring_open(handle, 16);

	CHECK(rt_map_close(handle) == 0);
	CHECK(rt_ring_open(handle, 16) == -EBADF);
	CHECK(rt_ring_fill(ring, 16) == 0);
	rt_ring_close(ring);
}
