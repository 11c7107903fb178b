/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers behind maps of type PERF_EVENT_ARRAY: what a process gets that opens a perf event for each
 * CPU and maps its buffer. Each is a ring; samples that find no room are counted as lost.
 */
#ifndef TAPIO_PERF_BUFFER_H
#define TAPIO_PERF_BUFFER_H

#include "ring.h"

struct rt_perf_buffer {
	struct rt_perf_buffer *next;
	struct rt_map *map;
	u32 cpu; /* also the map's key */
	u32 lost;
	struct rt_ring *ring;
};

/* The buffer of a map's slot, or NULL. */
struct rt_perf_buffer *rt_perf_buffer_find(const struct rt_map *map, u32 index);

#endif
