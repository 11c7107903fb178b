// SPDX-License-Identifier: Apache-2.0
/* Taking nodes from lists and giving them back: shared lists with local ones in front, or own ones. */
#include "map_lru_lists.h"

#define BATCH_MAX 128u /* nodes taken to a CPU at a time; fewer in maps with few per CPU */
#define SCANS 128u     /* nodes looked at in one rotation */
#define OWN_BATCH 4u   /* both, where every CPU has its own lists */

struct lru_local {
	struct rt_lru_node free;
	struct rt_lru_node pending;
	u32 next_steal;
};

struct rt_lru {
	struct lru_rules rules;
	bool own_lists;
	u32 batch;
	struct lru_lists *lists; /* one, or one for each CPU */
	struct lru_local *locals;
};

/* ---- lists shared by all CPUs, with local ones in front ------------------------------------- */

static void flush_pending(struct lru_lists *lists, struct lru_local *local)
{
	while (!lru_is_empty(&local->pending)) {
		struct rt_lru_node *oldest = local->pending.previous;

		lru_detach(oldest);
		lru_enter(lists, oldest, oldest->referenced ? ACTIVE : INACTIVE);
	}
}

static void refill_local(struct rt_lru *lru, struct lru_local *local)
{
	struct lru_lists *lists = lru->lists;
	struct rt_lru_node *node;
	u32 count = 0;

	flush_pending(lists, local);
	lru_rotate(&lru->rules, lists);
	for (; count < lru->batch; count++) {
		node = lru_first_free(&lru->rules, lists);
		if (node == NULL)
			break;
		lru_move_to_free(lists, node, &local->free, LOCAL_FREE);
	}
	if (count < lru->batch)
		lru_shrink(&lru->rules, lists, lru->batch - count, &local->free, LOCAL_FREE);
}

/* Detached, or NULL. */
static struct rt_lru_node *pop_local_free(struct lru_local *local)
{
	struct rt_lru_node *node = local->free.next;

	if (lru_is_empty(&local->free))
		return NULL;
	lru_detach(node);
	return node;
}

/* The oldest pending node that was not used, else the oldest. Detached, or NULL. */
static struct rt_lru_node *give_up_pending(struct rt_lru *lru, struct lru_local *local)
{
	struct rt_lru_node *head = &local->pending;
	struct rt_lru_node *node = head->previous;

	if (lru_is_empty(head))
		return NULL;
	while (node != head && node->referenced)
		node = node->previous;
	if (node == head)
		node = head->previous;
	lru->rules.evict(lru->rules.map, node);
	lru_detach(node);
	return node;
}

/* Every CPU in turn, starting after the one that gave last. */
static struct rt_lru_node *steal(struct rt_lru *lru, struct lru_local *thief)
{
	u32 first = thief->next_steal;
	u32 cpu = first;
	struct rt_lru_node *node;

	do {
		node = pop_local_free(&lru->locals[cpu]);
		if (node == NULL)
			node = give_up_pending(lru, &lru->locals[cpu]);
		cpu = (cpu + 1) % rt_cpu_count;
	} while (node == NULL && cpu != first);
	thief->next_steal = cpu;
	return node;
}

static struct rt_lru_node *take_shared(struct rt_lru *lru)
{
	struct lru_local *local = &lru->locals[rt_cpu];
	struct rt_lru_node *node = pop_local_free(local);

	if (node == NULL) {
		refill_local(lru, local);
		node = pop_local_free(local);
	}
	if (node == NULL)
		node = steal(lru, local);
	if (node == NULL)
		return NULL;
	node->cpu = (u16)rt_cpu;
	node->list = LOCAL_PENDING;
	node->referenced = 0;
	lru_push_front(&local->pending, node);
	return node;
}

/* ---- lists of each CPU's own ---------------------------------------------------------------- */

static struct rt_lru_node *take_own(struct rt_lru *lru)
{
	struct lru_lists *lists = &lru->lists[rt_cpu];
	struct rt_lru_node *node;

	lru_rotate(&lru->rules, lists);
	node = lru_first_free(&lru->rules, lists);
	if (node == NULL) {
		lru_shrink(&lru->rules, lists, OWN_BATCH, &lists->heads[FREE], FREE);
		node = lru_first_free(&lru->rules, lists);
	}
	if (node != NULL)
		lru_move(lists, node, INACTIVE);
	return node;
}

/* ---- interface ------------------------------------------------------------------------------ */

struct rt_lru_node *rt_lru_take(struct rt_lru *lru)
{
	return lru->own_lists ? take_own(lru) : take_shared(lru);
}

void rt_lru_give(struct rt_lru *lru, struct rt_lru_node *node)
{
	if (node->list != LOCAL_PENDING) {
		lru_move(&lru->lists[lru->own_lists ? node->cpu : 0], node, FREE);
		return;
	}
	lru_detach(node);
	node->list = LOCAL_FREE;
	node->referenced = 0;
	lru_push_front(&lru->locals[node->cpu].free, node);
}

static u32 clamp(u32 value, u32 low, u32 high)
{
	return value < low ? low : value > high ? high : value;
}

struct rt_lru *rt_lru_create(struct rt_map *map, const struct rt_lru_nodes *nodes, bool own_lists)
{
	u32 sets = own_lists ? rt_cpu_count : 1;
	u32 share = nodes->count / sets * nodes->stride;
	struct rt_lru *lru = rt_alloc(sizeof(*lru));

	if (lru == NULL)
		return NULL;
	lru->lists = rt_alloc(sets * (u32)sizeof(*lru->lists));
	lru->locals = rt_alloc(rt_cpu_count * (u32)sizeof(*lru->locals));
	if (lru->lists == NULL || lru->locals == NULL) {
		rt_lru_destroy(lru);
		return NULL;
	}
	lru->rules = (struct lru_rules){
		.map = map,
		.evict = nodes->evict,
		.open = nodes->open,
		.stride = nodes->stride,
		.scans = own_lists ? OWN_BATCH : SCANS,
	};
	lru->own_lists = own_lists;
	lru->batch = clamp(nodes->count / rt_cpu_count / 2, 1, BATCH_MAX);
	for (u32 i = 0; i < sets; i++)
		lru_lists_init(&lru->lists[i], nodes->first + i * share, share, i);
	for (u32 cpu = 0; cpu < rt_cpu_count; cpu++) {
		lru_head_init(&lru->locals[cpu].free);
		lru_head_init(&lru->locals[cpu].pending);
		lru->locals[cpu].next_steal = cpu;
	}
	return lru;
}

void rt_lru_destroy(struct rt_lru *lru)
{
	if (lru == NULL)
		return;
	rt_free(lru->lists);
	rt_free(lru->locals);
	rt_free(lru);
}
