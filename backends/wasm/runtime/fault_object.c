// SPDX-License-Identifier: Apache-2.0
#include "fault_object.h"

#include "map_percpu.h"
#include "program.h"
#include "ring.h"

#define FAR RT_PAGE_SIZE

/* What rt_object_near is looking for, and the nearest so far. */
static struct search {
	u64 address;
	u64 distance;
	struct rt_object object;
} search;

/* ---- one object ----------------------------------------------------------------------------- */

static u64 distance_to(u64 start, u32 size)
{
	if (search.address < start)
		return start - search.address;
	return search.address < start + size ? 0 : search.address - (start + size) + 1;
}

static void consider(u32 kind, u32 map, u64 start, u32 size)
{
	u64 distance = distance_to(start, size);

	if (distance >= search.distance)
		return;
	search.distance = distance;
	search.object = (struct rt_object){
		.kind = kind,
		.map = map,
		.offset = (s32)(search.address - start),
		.size = size,
		.closed = (rt_shadow[start >> 3] & 15) == 0,
	};
}

/* ---- maps ----------------------------------------------------------------------------------- */

void rt_object_consider(const struct rt_map *map, const struct rt_object_row *row)
{
	u64 first = (uintptr_t)row->first + row->start;
	u64 index = search.address < first ? 0 : (search.address - first) / row->stride;

	if (row->count == 0)
		return;
	/* The one that begins before the address, and the one behind it. */
	for (u64 i = index; i <= index + 1; i++)
		consider(RT_OBJECT_VALUE, map->handle,
			 first + row->stride * (i < row->count ? i : row->count - 1), row->size);
}

static void consider_array(const struct rt_map *map)
{
	bool percpu = rt_map_is_percpu(map);
	struct rt_object_row row = {
		.first = map->values,
		.count = map->max_entries * (percpu ? rt_cpu_count : 1),
		.stride = percpu ? rt_percpu_stride(map) : map->stride,
		.size = map->value_size,
	};

	rt_object_consider(map, &row);
}

/* Records that the reader has not freed. */
static void consider_ring(const struct rt_map *map, struct rt_ring *ring)
{
	u64 position = ring->consumer;

	while (position < ring->producer) {
		u8 *at = rt_ring_data(ring) + ((u32)position & ring->mask);
		u32 length = ((struct rt_ring_header *)at)->length &
			     ~(RT_RING_BUSY | RT_RING_DISCARD);

		consider(RT_OBJECT_RECORD, map->handle, (uintptr_t)at + RT_RING_HEADER_SIZE, length);
		position += rt_round_up8(length + RT_RING_HEADER_SIZE);
	}
}

static void consider_map(struct rt_map *map)
{
	struct rt_ring *ring = rt_ring_of(map);

	if (ring != NULL)
		consider_ring(map, ring);
	else if (map->type == RT_MAP_LPM_TRIE)
		rt_lpm_consider(map);
	else if (map->type == RT_MAP_ARRAY || map->type == RT_MAP_PERCPU_ARRAY)
		consider_array(map);
	else
		rt_hash_consider(map);
}

/* ---- the run -------------------------------------------------------------------------------- */

/* Bytes that a program may read from `start` on. */
static u32 open_size(u64 start)
{
	u64 at = start;

	while (at < rt_memory_size && (rt_shadow[at >> 3] & 15) == 8)
		at += 8;
	if (at < rt_memory_size)
		at += rt_shadow[at >> 3] & 15;
	return (u32)(at - start);
}

static void consider_run(void)
{
	u64 context = rt_run_context();
	u32 frame = rt_run_frame_near(search.address);

	if (context >= RT_PAGE_SIZE && context < rt_memory_size)
		consider(RT_OBJECT_CONTEXT, 0, context, open_size(context));
	if (frame == 0)
		return;
	consider(RT_OBJECT_FRAME, 0, frame - RT_FRAME_SIZE, RT_FRAME_SIZE);
	if (search.object.kind == RT_OBJECT_FRAME)
		search.object.offset -= RT_FRAME_SIZE;
}

struct rt_object rt_object_near(u64 address)
{
	if (address < RT_PAGE_SIZE)
		return (struct rt_object){ .kind = RT_OBJECT_NULL, .offset = (s32)address };
	search = (struct search){ .address = address, .distance = FAR };
	rt_map_visit(consider_map);
	consider_run();
	return search.object;
}
