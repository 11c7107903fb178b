/* SPDX-License-Identifier: Apache-2.0 */
/* What every map that is keyed by an index below max_entries has in common. */
#ifndef TAPIO_MAP_ARRAY_H
#define TAPIO_MAP_ARRAY_H

#include "map_types.h"

static inline u32 rt_array_index(const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index;
}

/* Sizes and flags of all array types. */
int rt_array_check(const struct rt_map *map);
/* ... and of those whose values are descriptors. */
int rt_descriptor_array_check(const struct rt_map *map);

/* map->values: max_entries zeroed slots, `stride` bytes (a multiple of 8) apart; 0 or -ENOMEM. */
int rt_array_allocate(struct rt_map *map, u32 stride);
void rt_array_free(struct rt_map *map);
u32 rt_array_memory_bytes(const struct rt_map *map);

/* Flags and index of an update, in the kernel's order. */
s64 rt_array_check_update(const struct rt_map *map, u32 index, u64 flags);
s64 rt_array_next_key(struct rt_map *map, const void *key, void *next);
/* Calls back with the value at `offset` of every slot. */
s64 rt_array_for_each(struct rt_map *map, u32 offset, u64 callback, u64 context, u64 flags);

#endif
