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

typedef void (*rt_lru_node_fn)(struct rt_map *map, struct rt_lru_node *node);

struct rt_lru_nodes {
	u8 *first; /* zeroed */
	u32 stride;
	u32 count;
	rt_lru_node_fn open;  /* makes the node's element accessible to programs, before its first use */
	rt_lru_node_fn evict; /* unlinks the node's element from the table and releases its value */
};

/* own_lists: one set of lists for each CPU. NULL when out of memory. */
struct rt_lru *rt_lru_create(struct rt_map *map, const struct rt_lru_nodes *nodes, bool own_lists);
void rt_lru_destroy(struct rt_lru *lru);

/* A node to use, on rt_cpu: free, or the one given up for it. NULL where this CPU has none at all. */
struct rt_lru_node *rt_lru_take(struct rt_lru *lru);
/* A node that is not used any more. */
void rt_lru_give(struct rt_lru *lru, struct rt_lru_node *node);

static inline void rt_lru_mark(struct rt_lru_node *node)
{
	node->referenced = 1;
}

#endif
