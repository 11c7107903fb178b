// SPDX-License-Identifier: Apache-2.0
/*
 * Maps that the code of a program names by address. It keeps them, as programs of a kernel do: it may outlive
 * whoever opened both, in a program array, and compiled code knows where their values lie.
 */
#include "map.h"
#include "program.h"

struct rt_program_map {
	struct rt_map *map;
	struct rt_program_map *next;
};

/* What the host reads. */
static struct value_place {
	u32 address; /* where the value starts */
	u32 bytes;
} place;
static u32 wanted;
static struct rt_map *found;

static void consider(struct rt_map *map)
{
	u32 values = (u32)(uintptr_t)map->values;
	u32 index;

	if (map->type != RT_MAP_ARRAY || map->flags & RT_MAP_WRONLY_PROG || wanted < values)
		return;
	index = (wanted - values) / map->stride;
	if (index >= map->max_entries || (wanted - values) % map->stride >= map->value_size)
		return;
	found = map;
	place.address = values + index * map->stride;
	place.bytes = map->value_size;
}

static bool keep(struct rt_program *program, struct rt_map *map)
{
	struct rt_program_map *kept;

	for (kept = program->maps; kept != NULL; kept = kept->next)
		if (kept->map == map)
			return true;
	kept = rt_alloc(sizeof(*kept));
	if (kept == NULL)
		return false;
	rt_map_get(map);
	kept->map = map;
	kept->next = program->maps;
	program->maps = kept;
	return true;
}

/* 0 where memory is used up. */
RT_EXPORT(program_keep_map) u32 program_keep_map(u32 handle, struct rt_map *map)
{
	struct rt_program *program = rt_program_from_handle(handle);

	return program != NULL && keep(program, map);
}

/*
 * The array's value that `address` lies in, which stays for as long as the program does; NULL where it lies in
 * none that programs may read, or memory is used up.
 */
RT_EXPORT(program_value_place) const struct value_place *program_value_place(u32 handle, u32 address)
{
	struct rt_program *program = rt_program_from_handle(handle);

	wanted = address;
	found = NULL;
	if (program != NULL)
		rt_map_visit(consider);
	return found != NULL && keep(program, found) ? &place : NULL;
}

void rt_program_maps_put(struct rt_program *program)
{
	while (program->maps != NULL) {
		struct rt_program_map *kept = program->maps;

		program->maps = kept->next;
		rt_map_put(kept->map);
		rt_free(kept);
	}
}
