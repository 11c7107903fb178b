/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table under every map that is keyed by bytes: buckets of chained elements whose addresses
 * never change, because programs hold pointers to values.
 *
 * An element is: link and hash, key (padded to 8), value, and for LRU types the list node.
 */
#ifndef TAPIO_MAP_HASH_H
#define TAPIO_MAP_HASH_H

#include "map_lru.h"
#include "map_types.h"

struct rt_hash_element {
	/* In the bucket. Stays when the element is freed, for whoever is walking the bucket. */
	struct rt_hash_element *next;
	union {
		u32 hash;
		u32 next_free; /* address, or 0 */
	};
};
#define RT_HASH_KEY_OFFSET ((u32)(sizeof(struct rt_hash_element) + 7) & ~7u)

/* Free elements of one CPU, as the kernel keeps them: last freed, first taken. */
struct rt_hash_cpu {
	u32 freed;                     /* address of the first, or 0 */
	struct rt_hash_element *spare; /* an update of an existing key swaps this one in */
	u8 *fresh;                     /* never used: [fresh, fresh_end) */
	u8 *fresh_end;
};

struct rt_hash_chunk;

struct rt_hash {
	struct rt_hash_element **buckets;
	u32 bucket_count; /* a power of two */
	u32 count;
	u32 key_size;
	u32 value_offset; /* from the element's start */
	u32 node_offset;  /* of struct rt_lru_node */
	u32 element_size;
	u32 memory_bytes;
	bool preallocated;
	struct rt_hash_cpu *cpus;
	struct rt_hash_chunk *chunks; /* memory of elements */
	struct rt_lru *lru;           /* or NULL */
	u8 *elements;                 /* LRU types: all of them */
	u32 quarantine;               /* address of the first element that waits, or 0: paranoid.h */
	struct rt_hash *next_waiting;
};

static inline struct rt_hash *rt_hash_state(const struct rt_map *map)
{
	return map->state;
}

static inline u8 *rt_hash_key(struct rt_hash_element *element)
{
	return (u8 *)element + RT_HASH_KEY_OFFSET;
}

static inline u8 *rt_hash_value(const struct rt_hash *hash, struct rt_hash_element *element)
{
	return (u8 *)element + hash->value_offset;
}

static inline struct rt_lru_node *rt_hash_node(const struct rt_hash *hash,
					       struct rt_hash_element *element)
{
	return (struct rt_lru_node *)((u8 *)element + hash->node_offset);
}

/* ---- map_hash_table.c ----------------------------------------------------------------------- */

int rt_hash_check(const struct rt_map *map);
/* Makes an empty table whose values take `value_room` bytes. */
int rt_hash_create(struct rt_map *map, u32 value_room);
/* ... with other keys than user space's, and a table for about that many entries (at most 2^29). */
int rt_hash_create_sized(struct rt_map *map, u32 key_size, u32 value_room, u32 entries);
void rt_hash_destroy(struct rt_map *map);
u32 rt_hash_memory_bytes(const struct rt_map *map);

void rt_hash_link(struct rt_hash *hash, struct rt_hash_element *element);
void rt_hash_unlink(struct rt_hash *hash, struct rt_hash_element *element);
/* Removes an element that is linked: unlinks, releases its value, makes it free. */
void rt_hash_remove(struct rt_map *map, struct rt_hash_element *element);
/* RT_EXIST and RT_NOEXIST against what was found; 0 or -errno. */
s64 rt_hash_check_flags(const struct rt_hash_element *found, u64 flags);

s64 rt_hash_erase(struct rt_map *map, const void *key);
s64 rt_hash_copy_out(struct rt_map *map, const void *key, void *value, u64 flags);
s64 rt_hash_take(struct rt_map *map, const void *key, void *value, u64 flags);
s64 rt_hash_next_key(struct rt_map *map, const void *key, void *next);
s64 rt_hash_for_each(struct rt_map *map, u64 callback, u64 context, u64 flags);
s64 rt_hash_copy_bucket(struct rt_map *map, u32 bucket, void *keys, void *values, u32 room,
			bool take);
void rt_hash_cancel_timers(struct rt_map *map);

/* ---- map_hash_pool.c: memory of elements ---------------------------------------------------- */

/* `count` elements; spread over the CPUs unless the table grows on demand. 0 or -ENOMEM. */
int rt_hash_pool_create(struct rt_map *map, u32 count);
void rt_hash_pool_destroy(struct rt_hash *hash);
/* An unlinked element, or NULL where none is left. */
struct rt_hash_element *rt_hash_pool_take(struct rt_map *map);
void rt_hash_pool_give(struct rt_hash *hash, struct rt_hash_element *element);
/* Makes key and value of an element accessible to programs. */
void rt_hash_open(struct rt_map *map, struct rt_hash_element *element);

#endif
