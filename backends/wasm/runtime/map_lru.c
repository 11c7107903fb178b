// SPDX-License-Identifier: Apache-2.0
#include "map_lru.h"

#define BATCH_MAX 128u /* nodes taken to a CPU at a time; fewer in maps with few per CPU */
#define SCANS 128u     /* nodes looked at in one rotation */
#define OWN_BATCH 4u   /* both, where every CPU has its own lists */

enum lru_list_kind { ACTIVE, INACTIVE, FREE, LOCAL_FREE, LOCAL_PENDING };

/* A list is a ring through its head. New nodes enter at the front; the oldest is head.previous. */
struct lru_lists {
	struct rt_lru_node heads[3]; /* ACTIVE, INACTIVE, FREE */
	u32 lengths[2];
	struct rt_lru_node *rotation; /* where the next look through the inactive list starts */
};

struct lru_local {
	struct rt_lru_node free;
	struct rt_lru_node pending;
	u32 next_steal;
};

struct rt_lru {
	struct rt_map *map;
	rt_lru_evict_fn evict;
	bool own_lists;
	u32 batch;
	u32 scans;
	struct lru_lists *lists; /* one, or one for each CPU */
	struct lru_local *locals;
};

/* ---- lists ---------------------------------------------------------------------------------- */

static void head_init(struct rt_lru_node *head)
{
	head->next = head->previous = head;
}

static bool is_empty(const struct rt_lru_node *head)
{
	return head->next == head;
}

static void detach(struct rt_lru_node *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
}

static void push_front(struct rt_lru_node *head, struct rt_lru_node *node)
{
	node->next = head->next;
	node->previous = head;
	head->next->previous = node;
	head->next = node;
}

/* Takes a node out of the shared lists. */
static void leave(struct lru_lists *lists, struct rt_lru_node *node)
{
	if (lists->rotation == node)
		lists->rotation = node->previous;
	if (node->list <= INACTIVE)
		lists->lengths[node->list]--;
	detach(node);
}

/* Puts a detached node at the front of one of the shared lists. */
static void enter(struct lru_lists *lists, struct rt_lru_node *node, enum lru_list_kind kind)
{
	if (kind <= INACTIVE)
		lists->lengths[kind]++;
	node->list = (u8)kind;
	node->referenced = 0;
	push_front(&lists->heads[kind], node);
}

static void move(struct lru_lists *lists, struct rt_lru_node *node, enum lru_list_kind kind)
{
	leave(lists, node);
	enter(lists, node, kind);
}

/* A node that was given up, or was free, goes to whoever asked for it. */
static void move_to_free(struct lru_lists *lists, struct rt_lru_node *node,
			 struct rt_lru_node *free, enum lru_list_kind free_kind)
{
	leave(lists, node);
	node->list = (u8)free_kind;
	push_front(free, node);
}

/* ---- rotation: who was used, who was not ---------------------------------------------------- */

/* From the old end: what was used stays active, once more; what was not becomes inactive. */
static void rotate_active(struct rt_lru *lru, struct lru_lists *lists)
{
	struct rt_lru_node *head = &lists->heads[ACTIVE];
	struct rt_lru_node *first = head->next;
	struct rt_lru_node *node = head->previous;

	for (u32 i = 0; i < lru->scans && node != head; i++) {
		struct rt_lru_node *newer = node->previous;

		move(lists, node, node->referenced ? ACTIVE : INACTIVE);
		if (node == first)
			break;
		node = newer;
	}
}

/* Goes on where the last rotation stopped, once around at most: what was used becomes active. */
static void rotate_inactive(struct rt_lru *lru, struct lru_lists *lists)
{
	struct rt_lru_node *head = &lists->heads[INACTIVE];
	struct rt_lru_node *node = lists->rotation;
	struct rt_lru_node *last = node->next == head ? head->next : node->next;
	struct rt_lru_node *newer = node;

	if (is_empty(head))
		return;
	for (u32 i = 0; i < lru->scans; i++) {
		if (node == head)
			node = node->previous;
		newer = node->previous;
		if (node->referenced)
			move(lists, node, ACTIVE);
		if (node == last)
			break;
		node = newer;
	}
	lists->rotation = newer;
}

static void rotate(struct rt_lru *lru, struct lru_lists *lists)
{
	if (lists->lengths[INACTIVE] < lists->lengths[ACTIVE])
		rotate_active(lru, lists);
	rotate_inactive(lru, lists);
}

/* ---- giving up nodes ------------------------------------------------------------------------ */

/* Up to `wanted` inactive nodes from the old end; those used meanwhile become active instead. */
static u32 shrink_inactive(struct rt_lru *lru, struct lru_lists *lists, u32 wanted,
			   struct rt_lru_node *free, enum lru_list_kind free_kind)
{
	struct rt_lru_node *head = &lists->heads[INACTIVE];
	struct rt_lru_node *node = head->previous;
	u32 done = 0;

	for (u32 i = 0; i < lru->scans && done < wanted && node != head; i++) {
		struct rt_lru_node *newer = node->previous;

		if (node->referenced) {
			move(lists, node, ACTIVE);
		} else {
			lru->evict(lru->map, node);
			move_to_free(lists, node, free, free_kind);
			done++;
		}
		node = newer;
	}
	return done;
}

/* Where every inactive node was used, the oldest of them goes all the same; else an active one. */
static void shrink(struct rt_lru *lru, struct lru_lists *lists, u32 wanted,
		   struct rt_lru_node *free, enum lru_list_kind free_kind)
{
	struct rt_lru_node *head = &lists->heads[INACTIVE];

	if (shrink_inactive(lru, lists, wanted, free, free_kind) != 0)
		return;
	if (is_empty(head))
		head = &lists->heads[ACTIVE];
	if (is_empty(head))
		return;
	lru->evict(lru->map, head->previous);
	move_to_free(lists, head->previous, free, free_kind);
}

/* ---- lists shared by all CPUs, with local ones in front ------------------------------------- */

static void flush_pending(struct lru_lists *lists, struct lru_local *local)
{
	while (!is_empty(&local->pending)) {
		struct rt_lru_node *oldest = local->pending.previous;

		detach(oldest);
		enter(lists, oldest, oldest->referenced ? ACTIVE : INACTIVE);
	}
}

static void refill_local(struct rt_lru *lru, struct lru_local *local)
{
	struct lru_lists *lists = lru->lists;
	struct rt_lru_node *free = &lists->heads[FREE];
	u32 count = 0;

	flush_pending(lists, local);
	rotate(lru, lists);
	for (; count < lru->batch && !is_empty(free); count++)
		move_to_free(lists, free->next, &local->free, LOCAL_FREE);
	if (count < lru->batch)
		shrink(lru, lists, lru->batch - count, &local->free, LOCAL_FREE);
}

/* Detached, or NULL. */
static struct rt_lru_node *pop_local_free(struct lru_local *local)
{
	struct rt_lru_node *node = local->free.next;

	if (is_empty(&local->free))
		return NULL;
	detach(node);
	return node;
}

/* The oldest pending node that was not used, else the oldest. Detached, or NULL. */
static struct rt_lru_node *give_up_pending(struct rt_lru *lru, struct lru_local *local)
{
	struct rt_lru_node *head = &local->pending;
	struct rt_lru_node *node = head->previous;

	if (is_empty(head))
		return NULL;
	while (node != head && node->referenced)
		node = node->previous;
	if (node == head)
		node = head->previous;
	lru->evict(lru->map, node);
	detach(node);
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
	push_front(&local->pending, node);
	return node;
}

/* ---- lists of each CPU's own ---------------------------------------------------------------- */

static struct rt_lru_node *take_own(struct rt_lru *lru)
{
	struct lru_lists *lists = &lru->lists[rt_cpu];
	struct rt_lru_node *free = &lists->heads[FREE];
	struct rt_lru_node *node;

	rotate(lru, lists);
	if (is_empty(free))
		shrink(lru, lists, OWN_BATCH, free, FREE);
	if (is_empty(free))
		return NULL;
	node = free->next;
	move(lists, node, INACTIVE);
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
		move(&lru->lists[lru->own_lists ? node->cpu : 0], node, FREE);
		return;
	}
	detach(node);
	node->list = LOCAL_FREE;
	node->referenced = 0;
	push_front(&lru->locals[node->cpu].free, node);
}

static u32 clamp(u32 value, u32 low, u32 high)
{
	return value < low ? low : value > high ? high : value;
}

struct rt_lru *rt_lru_create(struct rt_map *map, u32 count, bool own_lists, rt_lru_evict_fn evict)
{
	u32 sets = own_lists ? rt_cpu_count : 1;
	struct rt_lru *lru = rt_alloc(sizeof(*lru));

	if (lru == NULL)
		return NULL;
	lru->lists = rt_alloc(sets * (u32)sizeof(*lru->lists));
	lru->locals = rt_alloc(rt_cpu_count * (u32)sizeof(*lru->locals));
	if (lru->lists == NULL || lru->locals == NULL) {
		rt_lru_destroy(lru);
		return NULL;
	}
	lru->map = map;
	lru->evict = evict;
	lru->own_lists = own_lists;
	lru->scans = own_lists ? OWN_BATCH : SCANS;
	lru->batch = clamp(count / rt_cpu_count / 2, 1, BATCH_MAX);
	for (u32 i = 0; i < sets; i++) {
		for (u32 kind = ACTIVE; kind <= FREE; kind++)
			head_init(&lru->lists[i].heads[kind]);
		lru->lists[i].rotation = &lru->lists[i].heads[INACTIVE];
	}
	for (u32 cpu = 0; cpu < rt_cpu_count; cpu++) {
		head_init(&lru->locals[cpu].free);
		head_init(&lru->locals[cpu].pending);
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

void rt_lru_populate(struct rt_lru *lru, struct rt_lru_node *node, u32 index, u32 count)
{
	u32 cpu = lru->own_lists ? index / (count / rt_cpu_count) : 0;

	node->cpu = (u16)cpu;
	enter(&lru->lists[cpu], node, FREE);
}
