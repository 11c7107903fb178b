// SPDX-License-Identifier: Apache-2.0
/*
 * Where elements come from. A preallocated map divides its elements among the CPUs; a CPU that runs
 * out takes from the next one. That decides which freed element a new key reuses, and so what a
 * program reads through a pointer it kept: as in the kernel.
 */
#include "fault_object.h"
#include "map_hash.h"
#include "map_percpu.h"
#include "paranoid.h"

#define CHUNK_ELEMENTS_MIN 16u

struct rt_hash_chunk {
	struct rt_hash_chunk *next;
	u32 size;
	u8 elements[] __attribute__((aligned(16)));
};

/* Zeroed memory for `count` elements, or NULL. */
static u8 *chunk_add(struct rt_hash *hash, u32 count)
{
	u64 size = (u64)hash->element_size * count + sizeof(struct rt_hash_chunk);
	struct rt_hash_chunk *chunk = size > UINT32_MAX ? NULL : rt_alloc((u32)size);

	if (chunk == NULL)
		return NULL;
	chunk->next = hash->chunks;
	chunk->size = (u32)size;
	hash->chunks = chunk;
	hash->memory_bytes += (u32)size;
	return chunk->elements;
}

static struct rt_hash_element *take_fresh(struct rt_map *map, struct rt_hash_cpu *cpu)
{
	struct rt_hash_element *element = (struct rt_hash_element *)cpu->fresh;

	cpu->fresh += rt_hash_state(map)->element_size;
	rt_hash_open(map, element);
	return element;
}

static struct rt_hash_element *take_from(struct rt_map *map, struct rt_hash_cpu *cpu)
{
	if (cpu->freed != 0) {
		struct rt_hash_element *element = (struct rt_hash_element *)(uintptr_t)cpu->freed;

		cpu->freed = element->next_free;
		if (rt_paranoid)
			rt_hash_open(map, element);
		return element;
	}
	return cpu->fresh < cpu->fresh_end ? take_fresh(map, cpu) : NULL;
}

int rt_hash_pool_create(struct rt_map *map, u32 count)
{
	struct rt_hash *hash = rt_hash_state(map);
	bool spares = hash->preallocated && map->type == RT_MAP_HASH;
	u64 total = (u64)count + (spares ? rt_cpu_count : 0);
	u8 *at;

	hash->cpus = rt_alloc(rt_cpu_count * (u32)sizeof(*hash->cpus));
	if (hash->cpus == NULL)
		return -ENOMEM;
	if (!hash->preallocated)
		return 0;
	at = total > UINT32_MAX ? NULL : chunk_add(hash, (u32)total);
	if (at == NULL)
		return -ENOMEM;
	for (u32 i = 0; i < rt_cpu_count; i++) {
		struct rt_hash_cpu *cpu = &hash->cpus[i];
		u32 share = count / rt_cpu_count + (i < count % rt_cpu_count);

		cpu->fresh = at;
		at += (size_t)share * hash->element_size;
		cpu->fresh_end = at;
	}
	for (u32 i = 0; spares && i < rt_cpu_count; i++, at += hash->element_size) {
		hash->cpus[i].spare = (struct rt_hash_element *)at;
		rt_hash_open(map, hash->cpus[i].spare);
	}
	return 0;
}

void rt_hash_pool_destroy(struct rt_hash *hash)
{
	if (hash->quarantine != 0)
		rt_quarantine_drop(hash);
	while (hash->chunks != NULL) {
		struct rt_hash_chunk *chunk = hash->chunks;

		hash->chunks = chunk->next;
		rt_shadow_set(chunk, chunk->size, RT_ACCESS_NONE);
		rt_free(chunk);
	}
	rt_free(hash->cpus);
}

/* A table that grows on demand gets twice as much each time. */
static bool grow(struct rt_map *map, struct rt_hash_cpu *cpu)
{
	struct rt_hash *hash = rt_hash_state(map);
	u32 count = hash->count < CHUNK_ELEMENTS_MIN ? CHUNK_ELEMENTS_MIN : hash->count;
	u8 *at = chunk_add(hash, count);

	if (at == NULL && count > 1) {
		count = 1;
		at = chunk_add(hash, count);
	}
	if (at == NULL)
		return false;
	cpu->fresh = at;
	cpu->fresh_end = at + (size_t)count * hash->element_size;
	return true;
}

struct rt_hash_element *rt_hash_pool_take(struct rt_map *map)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = NULL;

	for (u32 i = 0; i < rt_cpu_count && element == NULL; i++)
		element = take_from(map, &hash->cpus[(rt_cpu + i) % rt_cpu_count]);
	/* A preallocated map lacks what is in quarantine. */
	if (element == NULL && (!hash->preallocated || rt_paranoid) &&
	    grow(map, &hash->cpus[rt_cpu]))
		element = take_fresh(map, &hash->cpus[rt_cpu]);
	return element;
}

void rt_hash_pool_give(struct rt_hash *hash, struct rt_hash_element *element)
{
	struct rt_hash_cpu *cpu = &hash->cpus[rt_cpu];

	if (rt_paranoid)
		rt_hash_poison(hash, element);
	if (rt_hash_quarantine(hash, element))
		return;
	element->next_free = cpu->freed;
	cpu->freed = (u32)(uintptr_t)element;
}

void rt_hash_open(struct rt_map *map, struct rt_hash_element *element)
{
	u8 *value = rt_hash_value(rt_hash_state(map), element);

	if (map->type == RT_MAP_HASH_OF_MAPS)
		return;
	/* Keys: bpf_for_each_map_elem hands them to the callback. */
	rt_shadow_set(rt_hash_key(element), map->key_size, RT_ACCESS_READ);
	if (rt_map_is_percpu(map))
		rt_percpu_open(map, value);
	else
		rt_shadow_set(value, map->value_size, rt_map_access(map));
}

/* Of a per-CPU map, each CPU's value for itself. */
static void consider_elements(const struct rt_map *map, const u8 *elements, u32 count)
{
	const struct rt_hash *hash = rt_hash_state(map);
	struct rt_object_row row = {
		.first = elements,
		.count = count,
		.stride = hash->element_size,
		.start = hash->value_offset,
		.size = map->value_size,
	};

	for (u32 cpu = 0; cpu < (rt_map_is_percpu(map) ? rt_cpu_count : 1); cpu++) {
		rt_object_consider(map, &row);
		row.start += rt_percpu_stride(map);
	}
}

void rt_hash_consider(const struct rt_map *map)
{
	const struct rt_hash *hash;

	if (map->type != RT_MAP_HASH && map->type != RT_MAP_PERCPU_HASH &&
	    map->type != RT_MAP_LRU_HASH && map->type != RT_MAP_LRU_PERCPU_HASH)
		return;
	hash = rt_hash_state(map);
	if (hash->elements != NULL)
		consider_elements(map, hash->elements, map->max_entries);
	for (struct rt_hash_chunk *chunk = hash->chunks; chunk != NULL; chunk = chunk->next)
		consider_elements(map, chunk->elements,
				  (chunk->size - (u32)sizeof(*chunk)) / hash->element_size);
}
