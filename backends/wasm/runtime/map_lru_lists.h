/* SPDX-License-Identifier: Apache-2.0 */
/* The lists behind an LRU map: active, inactive and free nodes, and how they are rotated and shrunk. */
#ifndef TAPIO_MAP_LRU_LISTS_H
#define TAPIO_MAP_LRU_LISTS_H

#include "map_lru.h"

enum lru_list_kind { ACTIVE, INACTIVE, FREE, LOCAL_FREE, LOCAL_PENDING };

/* A list is a ring through its head. New nodes enter at the front; the oldest is head.previous. */
struct lru_lists {
	struct rt_lru_node heads[3]; /* ACTIVE, INACTIVE, FREE */
	u32 lengths[2];
	struct rt_lru_node *rotation; /* where the next look through the inactive list starts */
	/* Nodes never used: [fresh, fresh_end), taken from the end. They come behind the free list. */
	u8 *fresh;
	u8 *fresh_end;
	u32 cpu; /* of fresh nodes */
};

/* What a map's lists have in common. */
struct lru_rules {
	struct rt_map *map;
	rt_lru_node_fn evict;
	rt_lru_node_fn open;
	u32 stride; /* from a fresh node to the next */
	u32 scans;  /* nodes looked at in one rotation */
};

static inline void lru_head_init(struct rt_lru_node *head)
{
	head->next = head->previous = head;
}

static inline bool lru_is_empty(const struct rt_lru_node *head)
{
	return head->next == head;
}

static inline void lru_detach(struct rt_lru_node *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
}

static inline void lru_push_front(struct rt_lru_node *head, struct rt_lru_node *node)
{
	node->next = head->next;
	node->previous = head;
	head->next->previous = node;
	head->next = node;
}

/* Empty, with `bytes` of nodes that are fresh, of `cpu`. */
void lru_lists_init(struct lru_lists *lists, u8 *fresh, u32 bytes, u32 cpu);
/* Puts a detached node at the front of one of the lists. */
void lru_enter(struct lru_lists *lists, struct rt_lru_node *node, enum lru_list_kind kind);
void lru_move(struct lru_lists *lists, struct rt_lru_node *node, enum lru_list_kind kind);
/* A node that was given up, or was free, goes to whoever asked for it. */
void lru_move_to_free(struct lru_lists *lists, struct rt_lru_node *node, struct rt_lru_node *free,
		      enum lru_list_kind free_kind);
/* The next free node, at the front of the free list, or NULL. */
struct rt_lru_node *lru_first_free(const struct lru_rules *rules, struct lru_lists *lists);
/* Sorts what was used from what was not. */
void lru_rotate(const struct lru_rules *rules, struct lru_lists *lists);
/* Gives up at most `wanted` nodes, to the list `free`. */
void lru_shrink(const struct lru_rules *rules, struct lru_lists *lists, u32 wanted,
		struct rt_lru_node *free, enum lru_list_kind free_kind);

#endif
