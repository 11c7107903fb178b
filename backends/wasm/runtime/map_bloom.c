// SPDX-License-Identifier: Apache-2.0
/*
 * Bloom filters: never a false "no". Size and number of hash functions follow the kernel, so that
 * false positives are as frequent; which values they hit is another matter.
 */
#include "map_hash_find.h"
#include "map_types.h"

#define HASHES_DEFAULT 5u
#define HASHES_MASK 15u
#define VALUE_SIZE_MAX (1u << 22) /* the kernel's KMALLOC_MAX_SIZE */

struct bloom {
	u32 hashes;
	u32 mask; /* number of bits - 1 */
	u32 bytes;
	u64 *bits;
};

static struct bloom *bloom_of(const struct rt_map *map)
{
	return map->state;
}

static int check(const struct rt_map *map)
{
	/* The kernel looks at this first. */
	if (map->value_size > VALUE_SIZE_MAX)
		return -E2BIG;
	if (map->key_size != 0 || map->value_size == 0 || map->max_entries == 0 ||
	    map->flags & ~(RT_MAP_NUMA_NODE | RT_MAP_ZERO_SEED | RT_MAP_ACCESS_FLAGS) ||
	    !rt_map_access_flags_ok(map->flags) || map->extra & ~HASHES_MASK)
		return -EINVAL;
	return 0;
}

/* entries * hashes / ln 2, taken as 7/5, up to a power of two; 2^32 where that overflows. */
static u64 bits_for(u32 entries, u32 hashes)
{
	u64 wanted = (u64)entries * hashes;

	wanted = wanted > UINT32_MAX ? UINT64_MAX / 7 : wanted / 5 * 7;
	if (wanted > 1u << 31)
		return (u64)1 << 32;
	return wanted <= 64 ? 64 : (u64)1 << (32 - __builtin_clz((u32)wanted - 1));
}

static int create(struct rt_map *map)
{
	u32 hashes = map->extra == 0 ? HASHES_DEFAULT : map->extra;
	u64 bits = bits_for(map->max_entries, hashes);
	struct bloom *bloom = rt_alloc(sizeof(*bloom));

	if (bloom == NULL)
		return -ENOMEM;
	bloom->hashes = hashes;
	bloom->mask = (u32)(bits - 1);
	bloom->bytes = (u32)(bits / 8);
	bloom->bits = rt_alloc(bloom->bytes);
	if (bloom->bits == NULL) {
		rt_free(bloom);
		return -ENOMEM;
	}
	map->state = bloom;
	return 0;
}

static void destroy(struct rt_map *map)
{
	rt_free(bloom_of(map)->bits);
	rt_free(bloom_of(map));
}

static u32 memory_bytes(const struct rt_map *map)
{
	return (u32)(sizeof(*map) + sizeof(struct bloom)) + bloom_of(map)->bytes;
}

/* The bit of hash function `i`: double hashing, an odd step visits every bit. */
static u32 bit_of(const struct bloom *bloom, u64 hash, u32 i)
{
	return ((u32)hash + i * ((u32)(hash >> 32) | 1)) & bloom->mask;
}

static u64 hash_of(const struct rt_map *map, const void *value)
{
	u64 low = rt_hash_bytes(value, map->value_size);

	return low | rt_hash_mix(low) << 32;
}

static s64 push(struct rt_map *map, const void *value, u64 flags)
{
	struct bloom *bloom = bloom_of(map);
	u64 hash = hash_of(map, value);

	if (flags != RT_ANY)
		return -EINVAL;
	for (u32 i = 0; i < bloom->hashes; i++) {
		u32 bit = bit_of(bloom, hash, i);

		bloom->bits[bit / 64] |= (u64)1 << bit % 64;
	}
	return 0;
}

static s64 peek(struct rt_map *map, void *value)
{
	struct bloom *bloom = bloom_of(map);
	u64 hash = hash_of(map, value);

	for (u32 i = 0; i < bloom->hashes; i++) {
		u32 bit = bit_of(bloom, hash, i);

		if (!(bloom->bits[bit / 64] >> bit % 64 & 1))
			return -ENOENT;
	}
	return 0;
}

static s64 copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	(void)key, (void)flags;
	return peek(map, value);
}

static s64 copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	(void)key;
	return push(map, value, flags);
}

static s64 erase(struct rt_map *map, const void *key)
{
	(void)map, (void)key;
	return -EOPNOTSUPP;
}

static s64 next_key(struct rt_map *map, const void *key, void *next)
{
	(void)map, (void)key, (void)next;
	return -EOPNOTSUPP;
}

static bool same_shape(const struct rt_map *template, const struct rt_map *map)
{
	return rt_map_same_shape(template, map) && template->extra == map->extra;
}

const struct rt_map_ops rt_bloom_filter_ops = {
	.check = check,
	.create = create,
	.destroy = destroy,
	.push = push,
	.peek = peek,
	.copy_out = copy_out,
	.copy_in = copy_in,
	.erase = erase,
	.next_key = next_key,
	.same_shape = same_shape,
	.memory_bytes = memory_bytes,
};
