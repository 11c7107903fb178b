// SPDX-License-Identifier: Apache-2.0
#include "map_lru_lists.h"

/* ---- lists ---------------------------------------------------------------------------------- */

void lru_lists_init(struct lru_lists *lists, u8 *fresh, u32 bytes, u32 cpu)
{
	for (u32 kind = ACTIVE; kind <= FREE; kind++)
		lru_head_init(&lists->heads[kind]);
	lists->lengths[ACTIVE] = lists->lengths[INACTIVE] = 0;
	lists->rotation = &lists->heads[INACTIVE];
	lists->fresh = fresh;
	lists->fresh_end = fresh + bytes;
	lists->cpu = cpu;
}

/* Takes a node out of the shared lists. */
static void leave(struct lru_lists *lists, struct rt_lru_node *node)
{
	if (lists->rotation == node)
		lists->rotation = node->previous;
	if (node->list <= INACTIVE)
		lists->lengths[node->list]--;
	lru_detach(node);
}

void lru_enter(struct lru_lists *lists, struct rt_lru_node *node, enum lru_list_kind kind)
{
	if (kind <= INACTIVE)
		lists->lengths[kind]++;
	node->list = (u8)kind;
	node->referenced = 0;
	lru_push_front(&lists->heads[kind], node);
}

void lru_move(struct lru_lists *lists, struct rt_lru_node *node, enum lru_list_kind kind)
{
	leave(lists, node);
	lru_enter(lists, node, kind);
}

void lru_move_to_free(struct lru_lists *lists, struct rt_lru_node *node, struct rt_lru_node *free,
		      enum lru_list_kind free_kind)
{
	leave(lists, node);
	node->list = (u8)free_kind;
	lru_push_front(free, node);
}

struct rt_lru_node *lru_first_free(const struct lru_rules *rules, struct lru_lists *lists)
{
	struct rt_lru_node *head = &lists->heads[FREE];

	if (lru_is_empty(head)) {
		struct rt_lru_node *node;

		if (lists->fresh == lists->fresh_end)
			return NULL;
		lists->fresh_end -= rules->stride;
		node = (struct rt_lru_node *)lists->fresh_end;
		node->cpu = (u16)lists->cpu;
		rules->open(rules->map, node);
		lru_enter(lists, node, FREE);
	}
	return head->next;
}

/* ---- rotation: who was used, who was not ---------------------------------------------------- */

/* From the old end: what was used stays active, once more; what was not becomes inactive. */
static void rotate_active(const struct lru_rules *rules, struct lru_lists *lists)
{
	struct rt_lru_node *head = &lists->heads[ACTIVE];
	struct rt_lru_node *first = head->next;
	struct rt_lru_node *node = head->previous;

	for (u32 i = 0; i < rules->scans && node != head; i++) {
		struct rt_lru_node *newer = node->previous;

		lru_move(lists, node, node->referenced ? ACTIVE : INACTIVE);
		if (node == first)
			break;
		node = newer;
	}
}

/* Goes on where the last rotation stopped, once around at most: what was used becomes active. */
static void rotate_inactive(const struct lru_rules *rules, struct lru_lists *lists)
{
	struct rt_lru_node *head = &lists->heads[INACTIVE];
	struct rt_lru_node *node = lists->rotation;
	struct rt_lru_node *last = node->next == head ? head->next : node->next;
	struct rt_lru_node *newer = node;

	if (lru_is_empty(head))
		return;
	for (u32 i = 0; i < rules->scans; i++) {
		if (node == head)
			node = node->previous;
		newer = node->previous;
		if (node->referenced)
			lru_move(lists, node, ACTIVE);
		if (node == last)
			break;
		node = newer;
	}
	lists->rotation = newer;
}

void lru_rotate(const struct lru_rules *rules, struct lru_lists *lists)
{
	if (lists->lengths[INACTIVE] < lists->lengths[ACTIVE])
		rotate_active(rules, lists);
	rotate_inactive(rules, lists);
}

/* ---- giving up nodes ------------------------------------------------------------------------ */

/* Up to `wanted` inactive nodes from the old end; those used meanwhile become active instead. */
static u32 shrink_inactive(const struct lru_rules *rules, struct lru_lists *lists, u32 wanted,
			   struct rt_lru_node *free, enum lru_list_kind free_kind)
{
	struct rt_lru_node *head = &lists->heads[INACTIVE];
	struct rt_lru_node *node = head->previous;
	u32 done = 0;

	for (u32 i = 0; i < rules->scans && done < wanted && node != head; i++) {
		struct rt_lru_node *newer = node->previous;

		if (node->referenced) {
			lru_move(lists, node, ACTIVE);
		} else {
			rules->evict(rules->map, node);
			lru_move_to_free(lists, node, free, free_kind);
			done++;
		}
		node = newer;
	}
	return done;
}

/* Where every inactive node was used, the oldest of them goes all the same; else an active one. */
void lru_shrink(const struct lru_rules *rules, struct lru_lists *lists, u32 wanted,
		struct rt_lru_node *free, enum lru_list_kind free_kind)
{
	struct rt_lru_node *head = &lists->heads[INACTIVE];

	if (shrink_inactive(rules, lists, wanted, free, free_kind) != 0)
		return;
	if (lru_is_empty(head))
		head = &lists->heads[ACTIVE];
	if (lru_is_empty(head))
		return;
	rules->evict(rules->map, head->previous);
	lru_move_to_free(lists, head->previous, free, free_kind);
}
