/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TAPIO_MAP_STORAGE_H
#define TAPIO_MAP_STORAGE_H

#include "map_types.h"

/* What hangs on the owner (an address), or NULL. */
void *rt_storage_find(struct rt_map *map, u64 owner);
/* Hangs a copy of `value`, or zeroes for NULL, on an owner that has none. NULL: out of memory. */
void *rt_storage_create(struct rt_map *map, u64 owner, const void *value);
s64 rt_storage_delete(struct rt_map *map, u64 owner); /* 0 or -ENOENT */

/* A task exited or a cgroup went away: what hung on it is gone from every map. */
void rt_storage_owner_gone(u32 low, u32 high);

#endif
