// SPDX-License-Identifier: Apache-2.0
#include "ring.h"

#include "bytes.h"
#include "shadow.h"

RT_IMPORT(wake) void host_wake(struct rt_ring *ring);

_Static_assert(offsetof(struct rt_ring, wakeups) == 32, "ring.ts reads by offset");
_Static_assert(offsetof(struct rt_ring, capacity) == 64, "ring.ts reads by offset");

/* The kernel's struct has its own page and one for either position in front of the data. */
#define PAGES_BEFORE_DATA 3u

static u32 record_span(u32 length)
{
	return rt_round_up8((length & ~(RT_RING_BUSY | RT_RING_DISCARD)) + RT_RING_HEADER_SIZE);
}

static struct rt_ring_header *header_at(struct rt_ring *ring, u64 position)
{
	return (struct rt_ring_header *)(rt_ring_data(ring) + ((u32)position & ring->mask));
}

static struct rt_ring *ring_of_header(const struct rt_ring_header *header)
{
	uintptr_t page = (uintptr_t)header & ~(uintptr_t)(RT_PAGE_SIZE - 1);
	uintptr_t data = page - (header->page_offset - PAGES_BEFORE_DATA) * RT_PAGE_SIZE;

	return (struct rt_ring *)data - 1;
}

/* ---- life ----------------------------------------------------------------------------------- */

struct rt_ring *rt_ring_create(u32 size)
{
	struct rt_ring *ring;
	u8 *block, *data;

	if (size > rt_memory_size / 2)
		return NULL;
	block = rt_alloc(2 * size + RT_PAGE_SIZE + (u32)sizeof(*ring));
	if (block == NULL)
		return NULL;
	data = (u8 *)(((uintptr_t)block + sizeof(*ring) + RT_PAGE_SIZE - 1) &
		      ~(uintptr_t)(RT_PAGE_SIZE - 1));
	ring = (struct rt_ring *)data - 1;
	ring->mask = size - 1;
	ring->block = (u32)(uintptr_t)block;
	return ring;
}

void rt_ring_destroy(struct rt_ring *ring)
{
	rt_free((void *)(uintptr_t)ring->block);
}

/* ---- producers ------------------------------------------------------------------------------ */

/*
 * Space counts as used from the oldest record that is not committed, even where the reader has freed
 * what lies before it, and the ring is never filled to its last byte.
 */
static struct rt_ring_header *claim(struct rt_ring *ring, u64 size)
{
	struct rt_ring_header *header;
	u64 position = ring->producer;
	u64 next;

	if (size > RT_RING_RECORD_MAX)
		return NULL;
	next = position + record_span((u32)size);
	while (ring->pending < position) {
		header = header_at(ring, ring->pending);
		if (header->length & RT_RING_BUSY)
			break;
		ring->pending += record_span(header->length);
	}
	if (next - ring->consumer > ring->mask || next - ring->pending > ring->mask)
		return NULL;

	header = header_at(ring, position);
	header->length = (u32)size | RT_RING_BUSY;
	header->page_offset = PAGES_BEFORE_DATA + ((u32)position & ring->mask) / RT_PAGE_SIZE;
	ring->producer = next;
	return header;
}

void *rt_ring_reserve(struct rt_ring *ring, u64 size)
{
	struct rt_ring_header *header = claim(ring, size);

	if (header == NULL)
		return NULL;
	rt_shadow_open(header + 1, (u32)size);
	return header + 1;
}

static void signal_data(struct rt_ring *ring)
{
	ring->wakeups++;
	ring->signaled = 1;
	if (ring->waiting) {
		ring->waiting = 0;
		host_wake(ring);
	}
}

static void finish(struct rt_ring *ring, struct rt_ring_header *header, u64 flags, bool discard)
{
	/* A reader that stands right here has seen everything before: it may be asleep. */
	bool caught_up = ((u32)ring->consumer & ring->mask) ==
			 (u32)((u8 *)header - rt_ring_data(ring));

	header->length ^= RT_RING_BUSY | (discard ? RT_RING_DISCARD : 0);
	if (flags & RT_RING_FORCE_WAKEUP || (caught_up && !(flags & RT_RING_NO_WAKEUP)))
		signal_data(ring);
}

void rt_ring_commit(void *record, u64 flags, bool discard)
{
	struct rt_ring_header *header = (struct rt_ring_header *)record - 1;

	rt_shadow_close(record, header->length & ~RT_RING_BUSY);
	finish(ring_of_header(header), header, flags, discard);
}

bool rt_ring_output(struct rt_ring *ring, const void *data, u32 size, u64 flags)
{
	struct rt_ring_header *header = claim(ring, size);

	if (header == NULL)
		return false;
	rt_bytes_copy(header + 1, data, size);
	finish(ring, header, flags, false);
	return true;
}

u64 rt_ring_available(const struct rt_ring *ring)
{
	return ring->producer - ring->consumer;
}

/* ---- the reader ----------------------------------------------------------------------------- */

s32 rt_ring_reader_attach(struct rt_ring *ring, struct rt_map *map, u32 capacity)
{
	u32 *arrays;

	if (capacity == 0)
		return -EINVAL;
	if (ring->offsets != 0)
		return -EBUSY;
	arrays = capacity > rt_memory_size / 8 ? NULL : rt_alloc(capacity * 8);
	if (arrays == NULL)
		return -ENOMEM;
	rt_map_get(map);
	ring->map = (u32)(uintptr_t)map;
	ring->offsets = (u32)(uintptr_t)arrays;
	ring->lengths = (u32)(uintptr_t)(arrays + capacity);
	ring->capacity = capacity;
	return 0;
}

/*
 * Makes the caller the reader of a ring: its struct rt_ring, with two arrays of `capacity` words for
 * rt_ring_fill. The map stays alive until rt_ring_close. -EBADF: no such map, -EINVAL: not a ring,
 * -EBUSY: it has a reader, -ENOMEM.
 */
RT_EXPORT(rt_ring_open) s32 rt_ring_open(u32 map_handle, u32 capacity)
{
	struct rt_map *map = rt_map_from_handle(map_handle);
	struct rt_ring *ring;
	s32 error;

	if (map == NULL)
		return -EBADF;
	ring = rt_ring_of(map);
	if (ring == NULL)
		return -EINVAL;
	error = rt_ring_reader_attach(ring, map, capacity);
	return error != 0 ? error : (s32)(uintptr_t)ring;
}

RT_EXPORT(rt_ring_close) void rt_ring_close(struct rt_ring *ring)
{
	rt_free((void *)(uintptr_t)ring->offsets);
	ring->offsets = ring->lengths = ring->capacity = 0;
	ring->waiting = 0;
	rt_map_put((struct rt_map *)(uintptr_t)ring->map);
}

/*
 * Finds up to `room` committed records from the consumer position on, in order, without the discarded
 * ones; their addresses and lengths go to the reader's arrays. Frees nothing: see rt_ring_release.
 */
RT_EXPORT(rt_ring_fill) u32 rt_ring_fill(struct rt_ring *ring, u32 room)
{
	u32 *offsets = (u32 *)(uintptr_t)ring->offsets;
	u32 *lengths = (u32 *)(uintptr_t)ring->lengths;
	u64 position = ring->consumer;
	u64 end = ring->producer;
	u32 count = 0;

	if (room > ring->capacity)
		room = ring->capacity;
	while (position < end && count < room) {
		struct rt_ring_header *header = header_at(ring, position);
		u32 length = header->length;

		if (length & RT_RING_BUSY)
			break;
		if (!(length & RT_RING_DISCARD)) {
			offsets[count] = (u32)(uintptr_t)(header + 1);
			lengths[count++] = length;
		}
		position += record_span(length);
	}
	ring->scanned = position;
	return count;
}

/* Gives back the space of what the last rt_ring_fill went over. */
RT_EXPORT(rt_ring_release) void rt_ring_release(struct rt_ring *ring)
{
	ring->consumer = ring->scanned;
}
