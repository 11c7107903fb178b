// SPDX-License-Identifier: Apache-2.0
/*
 * Arrays and hashes of maps. User space writes handles and reads ids (which are the same numbers
 * here); a program that looks up gets the inner map's address, which helpers take.
 */
#include "map_in_map.h"

#include "map_array.h"
#include "map_hash_find.h"
#include "program.h"

/* ---- slots ---------------------------------------------------------------------------------- */

static struct rt_map *slot_get(const void *slot)
{
	struct rt_map *inner;

	memcpy(&inner, slot, sizeof(inner));
	return inner;
}

/* Moves a reference to `inner` (or NULL) into the slot and drops the one that it held. */
static void slot_set(void *slot, struct rt_map *inner)
{
	struct rt_map *old = slot_get(slot);

	memcpy(slot, &inner, sizeof(inner));
	if (old != NULL)
		rt_map_put(old);
}

void rt_inner_release(void *slot)
{
	slot_set(slot, NULL);
}

void rt_inner_copy_out(void *value, const void *slot)
{
	u32 id = slot_get(slot)->handle;

	memcpy(value, &id, sizeof(id));
}

/* The open map that `value` names, if it may stand in `outer`; *error otherwise. */
static struct rt_map *inner_from_value(const struct rt_map *outer, const void *value, s64 *error)
{
	u32 handle;
	struct rt_map *inner;

	memcpy(&handle, value, sizeof(handle));
	inner = rt_map_from_handle(handle);
	*error = 0;
	if (inner == NULL)
		*error = rt_program_from_handle(handle) != NULL ? -EINVAL : -EBADF;
	else if (!outer->inner->ops->same_shape(outer->inner, inner))
		*error = -EINVAL;
	return *error == 0 ? inner : NULL;
}

/* ---- BPF_MAP_TYPE_ARRAY_OF_MAPS ------------------------------------------------------------- */

static int array_create(struct rt_map *map)
{
	return rt_array_allocate(map, RT_INNER_SLOT_SIZE);
}

static void array_destroy(struct rt_map *map)
{
	for (u32 i = 0; i < map->max_entries; i++)
		rt_inner_release(map->values + (size_t)RT_INNER_SLOT_SIZE * i);
	rt_array_free(map);
}

static void *array_slot(struct rt_map *map, const void *key)
{
	u32 index = rt_array_index(key);

	return index < map->max_entries ? map->values + (size_t)RT_INNER_SLOT_SIZE * index : NULL;
}

static void *array_lookup(struct rt_map *map, const void *key)
{
	void *slot = array_slot(map, key);

	return slot == NULL ? NULL : slot_get(slot);
}

static s64 array_copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	void *slot = array_slot(map, key);

	(void)flags;
	if (slot == NULL || slot_get(slot) == NULL)
		return -ENOENT;
	rt_inner_copy_out(value, slot);
	return 0;
}

static s64 array_copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	void *slot = array_slot(map, key);
	struct rt_map *inner;
	s64 error;

	if (flags != RT_ANY)
		return -EINVAL;
	if (slot == NULL)
		return -E2BIG;
	inner = inner_from_value(map, value, &error);
	if (inner == NULL)
		return error;
	rt_map_get(inner);
	slot_set(slot, inner);
	return 0;
}

static s64 array_erase(struct rt_map *map, const void *key)
{
	void *slot = array_slot(map, key);

	if (slot == NULL)
		return -E2BIG;
	if (slot_get(slot) == NULL)
		return -ENOENT;
	rt_inner_release(slot);
	return 0;
}

const struct rt_map_ops rt_array_of_maps_ops = {
	.check = rt_descriptor_array_check,
	.create = array_create,
	.destroy = array_destroy,
	.lookup = array_lookup,
	.copy_out = array_copy_out,
	.copy_in = array_copy_in,
	.erase = array_erase,
	.next_key = rt_array_next_key,
	.batch = RT_BATCH_LOOKUP | RT_BATCH_UPDATE,
	.memory_bytes = rt_array_memory_bytes,
};

/* ---- BPF_MAP_TYPE_HASH_OF_MAPS -------------------------------------------------------------- */

static int hash_check(const struct rt_map *map)
{
	return map->value_size != 4 ? -EINVAL : rt_hash_check(map);
}

static int hash_create(struct rt_map *map)
{
	int error = rt_hash_create(map, RT_INNER_SLOT_SIZE);

	if (error == 0)
		error = rt_hash_pool_create(map, map->max_entries);
	if (error != 0 && map->state != NULL)
		rt_hash_destroy(map);
	return error;
}

static void hash_destroy(struct rt_map *map)
{
	struct rt_hash *hash = rt_hash_state(map);

	for (u32 bucket = 0; bucket < hash->bucket_count; bucket++)
		for (struct rt_hash_element *e = hash->buckets[bucket]; e != NULL; e = e->next)
			rt_inner_release(rt_hash_value(hash, e));
	rt_hash_destroy(map);
}

static void *hash_lookup(struct rt_map *map, const void *key)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = rt_hash_find(hash, key);

	return element == NULL ? NULL : slot_get(rt_hash_value(hash, element));
}

/* Where the slot of a new key lies; NULL and *error when there is none. */
static struct rt_hash_element *hash_insert(struct rt_map *map, const void *key, s64 *error)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element;

	if (hash->count >= map->max_entries) {
		*error = -E2BIG;
		return NULL;
	}
	element = rt_hash_pool_take(map);
	if (element == NULL) {
		*error = -ENOMEM;
		return NULL;
	}
	memcpy(rt_hash_key(element), key, map->key_size);
	element->hash = rt_hash_of(hash, key);
	rt_hash_link(hash, element);
	hash->count++;
	return element;
}

static s64 hash_copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element;
	struct rt_map *inner;
	s64 error;

	inner = inner_from_value(map, value, &error);
	if (inner == NULL)
		return error;
	if (flags > RT_EXIST)
		return -EINVAL;
	element = rt_hash_find(hash, key);
	error = rt_hash_check_flags(element, flags);
	if (error != 0)
		return error;
	if (element == NULL)
		element = hash_insert(map, key, &error);
	if (element == NULL)
		return error;
	rt_map_get(inner);
	slot_set(rt_hash_value(hash, element), inner);
	return 0;
}

const struct rt_map_ops rt_hash_of_maps_ops = {
	.check = hash_check,
	.create = hash_create,
	.destroy = hash_destroy,
	.lookup = hash_lookup,
	.copy_out = rt_hash_copy_out,
	.copy_in = hash_copy_in,
	.erase = rt_hash_erase,
	.next_key = rt_hash_next_key,
	.batch = RT_BATCH_LOOKUP | RT_BATCH_UPDATE | RT_BATCH_DELETE | RT_BATCH_TAKE |
		 RT_BATCH_BUCKETS,
	.copy_bucket = rt_hash_copy_bucket,
	.memory_bytes = rt_hash_memory_bytes,
};
