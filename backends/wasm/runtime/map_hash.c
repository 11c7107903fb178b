// SPDX-License-Identifier: Apache-2.0
#include "bytes.h"
#include "map_hash_find.h"
#include "paranoid.h"

static int hash_create(struct rt_map *map)
{
	int error = rt_hash_create(map, map->value_size);

	if (error == 0)
		error = rt_hash_pool_create(map, map->max_entries);
	if (error != 0 && map->state != NULL)
		rt_hash_destroy(map);
	return error;
}

static void *hash_lookup(struct rt_map *map, const void *key)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = rt_hash_find(hash, key);

	return element == NULL ? NULL : rt_hash_value(hash, element);
}

/*
 * An element for a new key or a new value of `old`'s key; NULL and *error when there is none. A
 * preallocated map swaps in the CPU's spare, so that an update never fails for want of memory.
 */
static struct rt_hash_element *element_for(struct rt_map *map, struct rt_hash_element *old,
					   s64 *error)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element;

	if (old != NULL && hash->preallocated && !rt_paranoid) {
		element = hash->cpus[rt_cpu].spare;
		hash->cpus[rt_cpu].spare = old;
		return element;
	}
	if (old == NULL && hash->count >= map->max_entries) {
		*error = -E2BIG;
		return NULL;
	}
	element = rt_hash_pool_take(map);
	if (element == NULL)
		*error = -ENOMEM;
	return element;
}

static s64 hash_update(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *old, *element;
	u32 code;
	s64 error;

	if ((flags & ~(u64)RT_LOCK) > RT_EXIST || (flags & RT_LOCK && map->lock_offset < 0))
		return -EINVAL;
	old = rt_hash_find(hash, key);
	error = rt_hash_check_flags(old, flags);
	if (error != 0)
		return error;
	if (old != NULL && flags & RT_LOCK) {
		rt_map_copy_value(map, rt_hash_value(hash, old), value);
		return 0;
	}
	/* The key may lie in the element that is being freed or reused: read it before. */
	code = rt_hash_of(hash, key);
	element = element_for(map, old, &error);
	if (element == NULL)
		return error;
	rt_bytes_copy(rt_hash_key(element), key, map->key_size);
	rt_map_copy_value(map, rt_hash_value(hash, element), value);
	rt_map_clear_special(map, rt_hash_value(hash, element));
	element->hash = code;
	if (old != NULL) {
		rt_hash_unlink(hash, old);
		rt_map_value_released(map, rt_hash_value(hash, old));
		if (!hash->preallocated || rt_paranoid)
			rt_hash_pool_give(hash, old);
	} else {
		hash->count++;
	}
	rt_hash_link(hash, element);
	return 0;
}

const struct rt_map_ops rt_hash_ops = {
	.check = rt_hash_check,
	.create = hash_create,
	.destroy = rt_hash_destroy,
	.lookup = hash_lookup,
	.update = hash_update,
	.remove = rt_hash_erase,
	.for_each = rt_hash_for_each,
	.copy_out = rt_hash_copy_out,
	.copy_in = hash_update,
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
