// SPDX-License-Identifier: Apache-2.0
#include "perf_buffer.h"

static struct rt_perf_buffer *buffers; /* a few: one a CPU and map that user space reads */

struct rt_perf_buffer *rt_perf_buffer_find(const struct rt_map *map, u32 index)
{
	struct rt_perf_buffer *buffer = buffers;

	while (buffer != NULL && (buffer->map != map || buffer->cpu != index))
		buffer = buffer->next;
	return buffer;
}

/*
 * Opens the buffer of one CPU: `size` bytes (a power of two, a page at least), read like a ring with
 * arrays of `capacity` words. Returns the address of the struct rt_perf_buffer. -EBADF: no such map,
 * -EINVAL: not a perf event array, no such CPU or a bad size, -EBUSY: open already, -ENOMEM.
 */
RT_EXPORT(rt_perf_open) s32 rt_perf_open(u32 map_handle, u32 cpu, u32 size, u32 capacity)
{
	struct rt_map *map = rt_map_from_handle(map_handle);
	struct rt_perf_buffer *buffer;
	s32 error = -ENOMEM;

	if (map == NULL)
		return -EBADF;
	if (map->type != RT_MAP_PERF_EVENT_ARRAY || cpu >= rt_cpu_count || cpu >= map->max_entries ||
	    size < RT_PAGE_SIZE || size & (size - 1))
		return -EINVAL;
	if (rt_perf_buffer_find(map, cpu) != NULL)
		return -EBUSY;
	buffer = rt_alloc(sizeof(*buffer));
	if (buffer == NULL)
		return -ENOMEM;
	buffer->map = map;
	buffer->cpu = cpu;
	buffer->ring = rt_ring_create(size);
	if (buffer->ring != NULL)
		error = rt_ring_reader_attach(buffer->ring, map, capacity);
	if (error != 0) {
		if (buffer->ring != NULL)
			rt_ring_destroy(buffer->ring);
		rt_free(buffer);
		return error;
	}
	buffer->next = buffers;
	buffers = buffer;
	return (s32)(uintptr_t)buffer;
}

RT_EXPORT(rt_perf_close) void rt_perf_close(struct rt_perf_buffer *buffer)
{
	struct rt_perf_buffer **link = &buffers;

	while (*link != buffer)
		link = &(*link)->next;
	*link = buffer->next;
	rt_ring_close(buffer->ring);
	rt_ring_destroy(buffer->ring);
	rt_free(buffer);
}
