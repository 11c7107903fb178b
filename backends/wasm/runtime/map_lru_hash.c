// SPDX-License-Identifier: Apache-2.0
#include "bytes.h"
#include "map_hash_find.h"
#include "map_percpu.h"
#include "paranoid.h"

static struct rt_hash_element *element_of(const struct rt_hash *hash, struct rt_lru_node *node)
{
	return (struct rt_hash_element *)((u8 *)node - hash->node_offset);
}

static void evict(struct rt_map *map, struct rt_lru_node *node)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = element_of(hash, node);

	rt_hash_unlink(hash, element);
	hash->count--;
	rt_map_value_released(map, rt_hash_value(hash, element));
	if (rt_paranoid)
		rt_hash_poison(hash, element);
}

static void open(struct rt_map *map, struct rt_lru_node *node)
{
	rt_hash_open(map, element_of(rt_hash_state(map), node));
}

/* ---- birth and death ------------------------------------------------------------------------ */

static int populate(struct rt_map *map)
{
	struct rt_hash *hash = rt_hash_state(map);
	u64 size = (u64)hash->element_size * map->max_entries;
	struct rt_lru_nodes nodes = {
		.stride = hash->element_size,
		.count = map->max_entries,
		.open = open,
		.evict = evict,
	};

	if (size > UINT32_MAX)
		return -ENOMEM;
	hash->elements = rt_alloc((u32)size);
	if (hash->elements == NULL)
		return -ENOMEM;
	hash->memory_bytes += (u32)size;
	nodes.first = hash->elements + hash->node_offset;
	hash->lru = rt_lru_create(map, &nodes, map->flags & RT_MAP_NO_COMMON_LRU);
	return hash->lru == NULL ? -ENOMEM : 0;
}

static void lru_destroy(struct rt_map *map)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_lru *lru = hash->lru;
	u8 *elements = hash->elements;

	if (elements != NULL)
		rt_shadow_set(elements, hash->element_size * map->max_entries, RT_ACCESS_NONE);
	rt_hash_destroy(map);
	rt_lru_destroy(lru);
	rt_free(elements);
}

static int lru_create(struct rt_map *map)
{
	u32 room = rt_map_is_percpu(map) ? rt_percpu_bytes(map) : map->value_size;
	int error;

	/* Own lists: every CPU gets the same number of entries. */
	if (map->flags & RT_MAP_NO_COMMON_LRU) {
		u64 rounded = ((u64)map->max_entries + rt_cpu_count - 1) / rt_cpu_count * rt_cpu_count;

		map->max_entries = (u32)(rounded > UINT32_MAX ? rounded - rt_cpu_count : rounded);
	}
	error = rt_hash_create(map, room);
	if (error != 0)
		return error;
	rt_hash_state(map)->element_size += rt_round_up8(sizeof(struct rt_lru_node));
	error = populate(map);
	if (error != 0)
		lru_destroy(map);
	return error;
}

/* ---- programs ------------------------------------------------------------------------------- */

static void *lru_lookup(struct rt_map *map, const void *key)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = rt_hash_find(hash, key);

	if (element == NULL)
		return NULL;
	rt_lru_mark(rt_hash_node(hash, element));
	return rt_hash_value(hash, element);
}

static void *lru_percpu_lookup_on(struct rt_map *map, const void *key, u32 cpu)
{
	u8 *slots = cpu < rt_cpu_count ? lru_lookup(map, key) : NULL;

	return slots == NULL ? NULL : rt_percpu_slot(map, slots, cpu);
}

static void *lru_percpu_lookup(struct rt_map *map, const void *key)
{
	return lru_percpu_lookup_on(map, key, rt_cpu);
}

/* ---- updates -------------------------------------------------------------------------------- */

/*
 * A node is taken before the key is looked for, as in the kernel: even an update that fails, or that
 * replaces a value, may cost another entry its place.
 */
static struct rt_hash_element *take_element(struct rt_map *map, const void *key)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_lru_node *node = rt_lru_take(hash->lru);
	struct rt_hash_element *element;

	if (node == NULL)
		return NULL;
	element = element_of(hash, node);
	if (rt_paranoid)
		rt_hash_open(map, element);
	rt_bytes_copy(rt_hash_key(element), key, hash->key_size);
	element->hash = rt_hash_of(hash, rt_hash_key(element));
	return element;
}

static s64 lru_update(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element, *old;
	s64 error;

	if (flags > RT_EXIST)
		return -EINVAL;
	element = take_element(map, key);
	if (element == NULL)
		return -ENOMEM;
	rt_map_copy_value(map, rt_hash_value(hash, element), value);
	rt_map_clear_special(map, rt_hash_value(hash, element));
	old = rt_hash_find_coded(hash, rt_hash_key(element), element->hash);
	error = rt_hash_check_flags(old, flags);
	if (error != 0) {
		rt_lru_give(hash->lru, rt_hash_node(hash, element));
		return error;
	}
	if (old != NULL) {
		rt_lru_mark(rt_hash_node(hash, element));
		rt_hash_remove(map, old);
	}
	rt_hash_link(hash, element);
	hash->count++;
	return 0;
}

static s64 percpu_update(struct rt_map *map, const void *key, const void *value, u64 flags,
			 bool all_cpus)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = NULL;
	struct rt_hash_element *old;
	s64 error;

	if (flags > RT_EXIST)
		return -EINVAL;
	if (flags != RT_EXIST) {
		element = take_element(map, key);
		if (element == NULL)
			return -ENOMEM;
	}
	old = rt_hash_find(hash, key);
	error = rt_hash_check_flags(old, flags);
	if (error == 0 && old == NULL) {
		rt_percpu_set_first(map, rt_hash_value(hash, element), value, all_cpus);
		rt_hash_link(hash, element);
		hash->count++;
		return 0;
	}
	if (error == 0) {
		rt_lru_mark(rt_hash_node(hash, old));
		rt_percpu_set(map, rt_hash_value(hash, old), value, all_cpus);
	}
	if (element != NULL)
		rt_lru_give(hash->lru, rt_hash_node(hash, element));
	return error;
}

static s64 lru_percpu_update(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	return percpu_update(map, key, value, flags, false);
}

static s64 lru_percpu_copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	return percpu_update(map, key, value, flags, true);
}

/* ---- tables --------------------------------------------------------------------------------- */

const struct rt_map_ops rt_lru_hash_ops = {
	.check = rt_hash_check,
	.create = lru_create,
	.destroy = lru_destroy,
	.lookup = lru_lookup,
	.update = lru_update,
	.remove = rt_hash_erase,
	.for_each = rt_hash_for_each,
	.copy_out = rt_hash_copy_out,
	.copy_in = lru_update,
	.erase = rt_hash_erase,
	.next_key = rt_hash_next_key,
	.take = rt_hash_take,
	.batch = RT_BATCH_LOOKUP | RT_BATCH_UPDATE | RT_BATCH_DELETE | RT_BATCH_TAKE |
		 RT_BATCH_BUCKETS,
	.copy_bucket = rt_hash_copy_bucket,
	.user_gone = rt_hash_cancel_timers,
	.same_shape = rt_map_same_shape,
	.memory_bytes = rt_hash_memory_bytes,
};

const struct rt_map_ops rt_lru_percpu_hash_ops = {
	.check = rt_hash_check,
	.create = lru_create,
	.destroy = lru_destroy,
	.lookup = lru_percpu_lookup,
	.update = lru_percpu_update,
	.remove = rt_hash_erase,
	.lookup_percpu = lru_percpu_lookup_on,
	.for_each = rt_hash_for_each,
	.copy_out = rt_hash_copy_out,
	.copy_in = lru_percpu_copy_in,
	.erase = rt_hash_erase,
	.next_key = rt_hash_next_key,
	.take = rt_hash_take,
	.batch = RT_BATCH_LOOKUP | RT_BATCH_UPDATE | RT_BATCH_DELETE | RT_BATCH_TAKE |
		 RT_BATCH_BUCKETS,
	.copy_bucket = rt_hash_copy_bucket,
	.same_shape = rt_map_same_shape,
	.memory_bytes = rt_hash_memory_bytes,
};
