/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which element an LRU map gives up. Not strict: as the kernel's, it approximates with two lists and
 * a reference bit, takes free elements in batches to the CPU that asks, and gives up entries a batch
 * at a time, so that entries may vanish before the map is full.
 *
 *   local free -> (taken) -> pending -> active or inactive -> (given up) -> local free
 *
 * Inserted nodes wait on their CPU's pending list until the CPU has no free ones left. Then they move
 * to the active list if they were used meanwhile, else to the inactive one, from whose end nodes are
 * given up. With RT_MAP_NO_COMMON_LRU every CPU has its own lists and no pending ones.
 */
#ifndef TAPIO_MAP_LRU_H
#define TAPIO_MAP_LRU_H

#include "runtime.h"

struct rt_lru_node {
	struct rt_lru_node *next;
	struct rt_lru_node *previous;
	u16 cpu;       /* whose local (or own) lists it belongs to */
	u8 list;       /* enum lru_list_kind of map_lru_lists.h */
	u8 referenced; /* used since it was last looked at */
};

struct rt_lru;

/* Unlinks the node's element from the table and releases its value. */
typedef void (*rt_lru_evict_fn)(struct rt_map *map, struct rt_lru_node *node);

/* For `count` nodes; own_lists: one set of lists for each CPU. NULL when out of memory. */
struct rt_lru *rt_lru_create(struct rt_map *map, u32 count, bool own_lists, rt_lru_evict_fn evict);
void rt_lru_destroy(struct rt_lru *lru);
/* Adds free node number `index` of `count`, in order. */
void rt_lru_populate(struct rt_lru *lru, struct rt_lru_node *node, u32 index, u32 count);

/* A node to use, on rt_cpu: free, or the one given up for it. NULL where this CPU has none at all. */
struct rt_lru_node *rt_lru_take(struct rt_lru *lru);
/* A node that is not used any more. */
void rt_lru_give(struct rt_lru *lru, struct rt_lru_node *node);

static inline void rt_lru_mark(struct rt_lru_node *node)
{
	node->referenced = 1;
}

#endif
