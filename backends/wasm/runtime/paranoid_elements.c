// SPDX-License-Identifier: Apache-2.0
/*
 * Use after free in hash maps. What a program removes is closed to it at once, and not given to another
 * key before the outermost run has ended: no pointer to it is left then.
 */
#include "map_hash.h"
#include "paranoid.h"
#include "program.h"
#include "shadow.h"

static struct rt_hash *waiting; /* tables with elements in quarantine */

void rt_hash_poison(struct rt_hash *hash, struct rt_hash_element *element)
{
	if (rt_run_is_alone())
		rt_shadow_close(rt_hash_key(element), hash->node_offset - RT_HASH_KEY_OFFSET);
}

bool rt_hash_quarantine(struct rt_hash *hash, struct rt_hash_element *element)
{
	if (!rt_paranoid || rt_run_depth() == 0)
		return false;
	if (hash->quarantine == 0) {
		hash->next_waiting = waiting;
		waiting = hash;
	}
	element->next_free = hash->quarantine;
	hash->quarantine = (u32)(uintptr_t)element;
	return true;
}

void rt_quarantine_release(void)
{
	while (waiting != NULL) {
		struct rt_hash *hash = waiting;
		u32 next = hash->quarantine;

		waiting = hash->next_waiting;
		hash->quarantine = 0;
		while (next != 0) {
			struct rt_hash_element *element = (struct rt_hash_element *)(uintptr_t)next;

			next = element->next_free;
			rt_hash_pool_give(hash, element);
		}
	}
}

void rt_quarantine_drop(struct rt_hash *hash)
{
	for (struct rt_hash **link = &waiting; *link != NULL; link = &(*link)->next_waiting) {
		if (*link == hash) {
			*link = hash->next_waiting;
			return;
		}
	}
}
