// SPDX-License-Identifier: Apache-2.0
/* Program arrays: what bpf_tail_call jumps through. User space writes handles and reads ids, which
 * are the same numbers here. */
#include "map_prog_array.h"

#include "map_array.h"

struct prog_slot {
	struct rt_program *program; /* holds a reference; or NULL */
};
#define SLOT_SIZE 8u

static struct prog_slot *slot_of(const struct rt_map *map, const void *key)
{
	u32 index = rt_array_index(key);

	return index < map->max_entries ?
		       (struct prog_slot *)(map->values + (size_t)SLOT_SIZE * index) :
		       NULL;
}

static void slot_set(struct prog_slot *slot, struct rt_program *program)
{
	struct rt_program *old = slot->program;

	slot->program = program;
	if (old != NULL)
		rt_program_put(old);
}

struct rt_program *rt_prog_array_get(const struct rt_map *map, u32 index)
{
	struct prog_slot *slot = slot_of(map, &index);

	return slot == NULL ? NULL : slot->program;
}

static int create(struct rt_map *map)
{
	return rt_array_allocate(map, SLOT_SIZE);
}

static void clear(struct rt_map *map)
{
	for (u32 i = 0; i < map->max_entries; i++)
		slot_set(slot_of(map, &i), NULL);
}

static void destroy(struct rt_map *map)
{
	clear(map);
	rt_array_free(map);
}

static s64 copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	struct prog_slot *slot = slot_of(map, key);

	(void)flags;
	if (slot == NULL || slot->program == NULL)
		return -ENOENT;
	memcpy(value, &slot->program->handle, sizeof(u32));
	return 0;
}

static s64 copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	struct prog_slot *slot = slot_of(map, key);
	u32 handle = rt_array_index(value);
	struct rt_program *program = rt_program_from_handle(handle);

	if (flags != RT_ANY)
		return -EINVAL;
	if (slot == NULL)
		return -E2BIG;
	if (program == NULL)
		return rt_map_from_handle(handle) != NULL ? -EINVAL : -EBADF;
	program->references++;
	slot_set(slot, program);
	return 0;
}

static s64 erase(struct rt_map *map, const void *key)
{
	struct prog_slot *slot = slot_of(map, key);

	if (slot == NULL)
		return -E2BIG;
	if (slot->program == NULL)
		return -ENOENT;
	slot_set(slot, NULL);
	return 0;
}

const struct rt_map_ops rt_prog_array_ops = {
	.check = rt_descriptor_array_check,
	.create = create,
	.destroy = destroy,
	.copy_out = copy_out,
	.copy_in = copy_in,
	.erase = erase,
	.next_key = rt_array_next_key,
	/* Programs hold the array and the array programs: user space's hold is what keeps both. */
	.user_gone = clear,
	.memory_bytes = rt_array_memory_bytes,
};
