// SPDX-License-Identifier: Apache-2.0
/* Birth, names and death of maps. */
#include "map_types.h"
#include "program.h"

static struct rt_map **table; /* by handle - RT_MAP_HANDLE_BASE; NULL = free slot */
static u32 table_size;
struct rt_map *rt_maps_doomed;

/* ---- handles -------------------------------------------------------------------------------- */

/* A slot is free only once its map is destroyed: a closed inner map keeps its number as its id. */
static bool handle_assign(struct rt_map *map)
{
	struct rt_map **larger;
	u32 slot = 0;

	while (slot < table_size && table[slot] != NULL)
		slot++;
	if (slot == table_size) {
		larger = rt_alloc((table_size * 2 + 16) * (u32)sizeof(*table));
		if (larger == NULL)
			return false;
		if (table_size != 0)
			memcpy(larger, table, table_size * sizeof(*table));
		rt_free(table);
		table = larger;
		table_size = table_size * 2 + 16;
	}
	table[slot] = map;
	map->handle = RT_MAP_HANDLE_BASE + slot;
	return true;
}

struct rt_map *rt_map_from_handle(u32 handle)
{
	u32 slot = handle - RT_MAP_HANDLE_BASE;

	if (slot >= table_size || table[slot] == NULL || !table[slot]->open)
		return NULL;
	return table[slot];
}

void rt_map_visit(void (*visit)(struct rt_map *map))
{
	for (u32 slot = 0; slot < table_size; slot++)
		if (table[slot] != NULL)
			visit(table[slot]);
}

/* What lies there may be anything, also memory that is free: only the native sanitizer minds. */
__attribute__((no_sanitize("address"))) static u32 slot_at(const struct rt_map *map)
{
	return map->magic == RT_MAP_MAGIC ? map->handle - RT_MAP_HANDLE_BASE : UINT32_MAX;
}

struct rt_map *rt_map_from_pointer(u64 address)
{
	struct rt_map *map = (struct rt_map *)(uintptr_t)address;
	u32 slot;

	if (address % 16 != 0 || address < RT_PAGE_SIZE || address > rt_memory_size - sizeof(*map))
		rt_fault(RT_FAULT_ARGUMENT, address, 0);
	/* A program may forge what it finds there; the table it may not. */
	slot = slot_at(map);
	if (slot >= table_size || table[slot] != map)
		rt_fault(RT_FAULT_ARGUMENT, address, 0);
	return map;
}

/* ---- creation ------------------------------------------------------------------------------- */

/* Where the kernel lets a value hold a lock or a timer (map_check_btf). */
static int check_special(const struct rt_map *map)
{
	bool storage = map->type == RT_MAP_TASK_STORAGE || map->type == RT_MAP_CGRP_STORAGE;
	bool plain = map->type == RT_MAP_HASH || map->type == RT_MAP_ARRAY;

	if (map->lock_offset < 0 && map->timer_offset < 0)
		return 0;
	if (map->flags & (RT_MAP_RDONLY_PROG | RT_MAP_WRONLY_PROG))
		return -EACCES;
	if (map->lock_offset >= 0 && !plain && !storage)
		return -EOPNOTSUPP;
	if (map->timer_offset >= 0 && !plain && map->type != RT_MAP_LRU_HASH)
		return -EOPNOTSUPP;
	if (map->lock_offset >= 0 && (u64)map->lock_offset + RT_SPIN_LOCK_SIZE > map->value_size)
		return -EINVAL;
	if (map->timer_offset >= 0 && (u64)map->timer_offset + RT_TIMER_SIZE > map->value_size)
		return -EINVAL;
	return 0;
}

/* The template is a copy of the inner map's shape: the inner map itself may be closed at once. */
static int take_template(struct rt_map *map, u32 inner_handle)
{
	struct rt_map *inner = rt_map_from_handle(inner_handle);

	if (inner == NULL)
		return -EBADF;
	if (inner->inner != NULL)
		return -EINVAL;
	if (inner->ops->same_shape == NULL)
		return -RT_ENOTSUPP;
	map->inner = rt_alloc(sizeof(*inner));
	if (map->inner == NULL)
		return -ENOMEM;
	*map->inner = *inner;
	map->inner->magic = 0;
	map->inner->state = NULL;
	return 0;
}

static int create(struct rt_map *map, u32 inner_handle)
{
	bool nests = map->type == RT_MAP_ARRAY_OF_MAPS || map->type == RT_MAP_HASH_OF_MAPS;
	u32 both = RT_MAP_RDONLY | RT_MAP_WRONLY;
	int error;

	if (map->extra != 0 && map->type != RT_MAP_BLOOM_FILTER)
		return -EINVAL;
	if ((map->flags & both) == both)
		return -EINVAL;
	map->ops = rt_map_type_ops(map->type);
	if (map->ops == NULL)
		return -EINVAL;
	error = map->ops->check == NULL ? 0 : map->ops->check(map);
	if (error == 0 && nests)
		error = take_template(map, inner_handle);
	if (error == 0)
		error = check_special(map);
	if (error == 0)
		error = map->ops->create(map);
	if (error != 0)
		return error;
	if (handle_assign(map))
		return 0;
	map->ops->destroy(map);
	return -ENOMEM;
}

RT_EXPORT(rt_map_create) s32 rt_map_create(const struct rt_map_spec *spec)
{
	struct rt_map *map = rt_alloc(sizeof(*map));
	int error;

	if (map == NULL)
		return -ENOMEM;
	map->type = spec->type;
	map->key_size = spec->key_size;
	map->value_size = spec->value_size;
	map->max_entries = spec->max_entries;
	map->flags = spec->flags;
	map->extra = spec->extra;
	map->lock_offset = spec->lock_offset;
	map->timer_offset = spec->timer_offset;
	map->typed = spec->typed != 0;
	error = create(map, spec->inner_handle);
	if (error != 0) {
		rt_free(map->inner);
		rt_free(map);
		return error;
	}
	map->magic = RT_MAP_MAGIC;
	map->references = 1;
	map->open = true;
	return (s32)map->handle;
}

/* ---- references ----------------------------------------------------------------------------- */

void rt_map_get(struct rt_map *map)
{
	map->references++;
}

static void map_free(struct rt_map *map)
{
	table[map->handle - RT_MAP_HANDLE_BASE] = NULL;
	map->magic = 0;
	map->ops->destroy(map);
	rt_free(map->inner);
	rt_free(map);
}

void rt_map_put(struct rt_map *map)
{
	if (--map->references != 0)
		return;
	if (rt_run_depth() == 0) {
		map_free(map);
		return;
	}
	map->next_doomed = rt_maps_doomed;
	rt_maps_doomed = map;
}

void rt_maps_reap(void)
{
	while (rt_maps_doomed != NULL) {
		struct rt_map *map = rt_maps_doomed;

		rt_maps_doomed = map->next_doomed;
		map_free(map);
	}
}

RT_EXPORT(rt_map_close) s32 rt_map_close(u32 handle)
{
	struct rt_map *map = rt_map_from_handle(handle);

	if (map == NULL)
		return -EBADF;
	map->open = false;
	if (map->references > 1 && map->ops->user_gone != NULL)
		map->ops->user_gone(map);
	rt_map_put(map);
	return 0;
}
