// SPDX-License-Identifier: Apache-2.0
#include "bytes.h"
#include "map_hash_find.h"
#include "map_percpu.h"

static int percpu_hash_create(struct rt_map *map)
{
	int error = rt_hash_create(map, rt_percpu_bytes(map));

	if (error == 0)
		error = rt_hash_pool_create(map, map->max_entries);
	if (error != 0 && map->state != NULL)
		rt_hash_destroy(map);
	return error;
}

static void *percpu_hash_lookup_on(struct rt_map *map, const void *key, u32 cpu)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element;

	if (cpu >= rt_cpu_count)
		return NULL;
	element = rt_hash_find(hash, key);
	return element == NULL ? NULL : rt_percpu_slot(map, rt_hash_value(hash, element), cpu);
}

static void *percpu_hash_lookup(struct rt_map *map, const void *key)
{
	return percpu_hash_lookup_on(map, key, rt_cpu);
}

static s64 update(struct rt_map *map, const void *key, const void *value, u64 flags,
		  bool all_cpus)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element;
	s64 error;

	if (flags > RT_EXIST)
		return -EINVAL;
	element = rt_hash_find(hash, key);
	error = rt_hash_check_flags(element, flags);
	if (error != 0)
		return error;
	if (element != NULL) {
		rt_percpu_set(map, rt_hash_value(hash, element), value, all_cpus);
		return 0;
	}
	if (hash->count >= map->max_entries)
		return -E2BIG;
	element = rt_hash_pool_take(map);
	if (element == NULL)
		return -ENOMEM;
	rt_bytes_copy(rt_hash_key(element), key, map->key_size);
	element->hash = rt_hash_of(hash, rt_hash_key(element));
	rt_percpu_set_first(map, rt_hash_value(hash, element), value, all_cpus);
	rt_hash_link(hash, element);
	hash->count++;
	return 0;
}

static s64 percpu_hash_update(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	return update(map, key, value, flags, false);
}

static s64 percpu_hash_copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	return update(map, key, value, flags, true);
}

const struct rt_map_ops rt_percpu_hash_ops = {
	.check = rt_hash_check,
	.create = percpu_hash_create,
	.destroy = rt_hash_destroy,
	.lookup = percpu_hash_lookup,
	.update = percpu_hash_update,
	.remove = rt_hash_erase,
	.lookup_percpu = percpu_hash_lookup_on,
	.for_each = rt_hash_for_each,
	.copy_out = rt_hash_copy_out,
	.copy_in = percpu_hash_copy_in,
	.erase = rt_hash_erase,
	.next_key = rt_hash_next_key,
	.take = rt_hash_take,
	.batch = RT_BATCH_LOOKUP | RT_BATCH_UPDATE | RT_BATCH_DELETE | RT_BATCH_TAKE |
		 RT_BATCH_BUCKETS,
	.copy_bucket = rt_hash_copy_bucket,
	.same_shape = rt_map_same_shape,
	.memory_bytes = rt_hash_memory_bytes,
};
