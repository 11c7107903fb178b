// SPDX-License-Identifier: Apache-2.0
#include "map_syscall.h"

/* Checks shared by all batches; `needed` is the kernel's operation for the type. */
static s32 begin(u32 handle, enum rt_batch needed, u32 flags, struct rt_map **map)
{
	bool read = needed & (RT_BATCH_LOOKUP | RT_BATCH_TAKE);
	bool write = needed & (RT_BATCH_UPDATE | RT_BATCH_DELETE | RT_BATCH_TAKE);
	s32 error = rt_map_open(handle, read, write, map);

	if (error != 0)
		return error;
	if (!((*map)->ops->batch & needed))
		return -RT_ENOTSUPP;
	if (flags & ~(u32)RT_LOCK)
		return -EINVAL;
	return flags & RT_LOCK && (*map)->lock_offset < 0 ? -EINVAL : 0;
}

/* Whole buckets only: entries of one bucket have no stable order to resume from. */
static s32 by_bucket(struct rt_map *map, const void *cursor, void *next_cursor, u8 *keys,
		     u8 *values, u32 *count, bool take)
{
	u32 room = *count;
	u32 value_bytes = rt_map_value_bytes(map);
	u32 bucket = 0;
	u32 done = 0;
	s64 copied = 0;

	*count = 0;
	if (cursor != NULL)
		memcpy(&bucket, cursor, sizeof(bucket));
	for (;; bucket++) {
		copied = map->ops->copy_bucket(map, bucket, keys + (size_t)map->key_size * done,
					       values + (size_t)value_bytes * done, room - done,
					       take);
		if (copied < 0)
			break;
		done += (u32)copied;
	}
	memcpy(next_cursor, &bucket, sizeof(bucket));
	*count = done;
	/* No room is an error only where it means that no call with this room would get further. */
	return copied == -ENOSPC && done != 0 ? 0 : (s32)copied;
}

/* The cursor is the last key copied. */
static s32 by_key(struct rt_map *map, const void *cursor, void *next_cursor, u8 *keys, u8 *values,
		  u32 *count, u64 flags)
{
	u32 room = *count;
	u32 value_bytes = rt_map_value_bytes(map);
	const void *previous = cursor;
	void *scratch = rt_alloc(map->key_size * 2);
	u8 *next = scratch;
	u32 done = 0;
	s64 error = 0;

	*count = 0;
	if (scratch == NULL)
		return -ENOMEM;
	while (done < room) {
		u8 *value = values + (size_t)value_bytes * done;

		error = map->ops->next_key(map, previous, next);
		if (error != 0)
			break;
		error = map->ops->copy_out(map, next, value, flags);
		/* An empty slot of a map of descriptors is passed over. */
		if (error != 0 && error != -ENOENT)
			break;
		if (error == 0) {
			memcpy(keys + (size_t)map->key_size * done, next, map->key_size);
			memcpy(next_cursor, next, map->key_size);
			done++;
		}
		error = 0;
		previous = next;
		next = next == scratch ? (u8 *)scratch + map->key_size : scratch;
	}
	rt_free(scratch);
	*count = done;
	return (s32)error;
}

RT_EXPORT(rt_map_lookup_batch)
s32 rt_map_lookup_batch(u32 handle, const void *cursor, void *next_cursor, void *keys, void *values,
			u32 *count, u32 flags)
{
	struct rt_map *map;
	s32 error = begin(handle, RT_BATCH_LOOKUP, flags, &map);

	if (error != 0 || *count == 0)
		return error;
	if (map->ops->batch & RT_BATCH_BUCKETS)
		return by_bucket(map, cursor, next_cursor, keys, values, count, false);
	return by_key(map, cursor, next_cursor, keys, values, count, flags);
}

RT_EXPORT(rt_map_take_batch)
s32 rt_map_take_batch(u32 handle, const void *cursor, void *next_cursor, void *keys, void *values,
		      u32 *count, u32 flags)
{
	struct rt_map *map;
	s32 error = begin(handle, RT_BATCH_TAKE, flags, &map);

	if (error != 0 || *count == 0)
		return error;
	return by_bucket(map, cursor, next_cursor, keys, values, count, true);
}

RT_EXPORT(rt_map_update_batch)
s32 rt_map_update_batch(u32 handle, const void *keys, const void *values, u32 *count, u32 flags)
{
	struct rt_map *map;
	s32 error = begin(handle, RT_BATCH_UPDATE, flags, &map);
	u32 given = *count;
	u32 done = 0;

	*count = 0;
	while (error == 0 && done < given) {
		const u8 *key = (const u8 *)keys + (size_t)map->key_size * done;
		const u8 *value = (const u8 *)values + (size_t)rt_map_value_bytes(map) * done;

		error = (s32)map->ops->copy_in(map, key, value, flags);
		done += error == 0;
	}
	*count = done;
	return error;
}

RT_EXPORT(rt_map_delete_batch)
s32 rt_map_delete_batch(u32 handle, const void *keys, u32 *count, u32 flags)
{
	struct rt_map *map;
	s32 error = begin(handle, RT_BATCH_DELETE, flags, &map);
	u32 given = *count;
	u32 done = 0;

	*count = 0;
	while (error == 0 && done < given) {
		error = (s32)map->ops->erase(map, (const u8 *)keys + (size_t)map->key_size * done);
		done += error == 0;
	}
	*count = done;
	return error;
}

/* Bytes of a lookup's cursor: a bucket number or a key. 0 where batches are not supported. */
RT_EXPORT(rt_map_cursor_bytes) u32 rt_map_cursor_bytes(u32 handle)
{
	struct rt_map *map = rt_map_from_handle(handle);

	if (map == NULL || !(map->ops->batch & RT_BATCH_LOOKUP))
		return 0;
	return map->ops->batch & RT_BATCH_BUCKETS ? 4 : map->key_size;
}
