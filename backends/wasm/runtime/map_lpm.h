/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trie of prefixes with single-child paths compressed. A node stands for a prefix; intermediate
 * nodes carry no entry and always have two children. Shape and order are the kernel's, because
 * iteration shows them.
 *
 * Bits are numbered as on the wire: bit 0 is the highest of byte 0. They are compared as words of 64
 * in memory order, under a mask that was made when the node was.
 */
#ifndef TAPIO_MAP_LPM_H
#define TAPIO_MAP_LPM_H

#include "map_types.h"

#define RT_LPM_DATA_SIZE_MAX 256u
#define RT_LPM_WORDS_MAX (RT_LPM_DATA_SIZE_MAX / 8)

struct rt_lpm_node {
	struct rt_lpm_node *children[2]; /* [0] also links free nodes */
	u32 prefix_length;		 /* in bits */
	bool intermediate;
	u8 last_word;	 /* the one that holds the prefix's last bit */
	u8 branch_word;	 /* where the bit behind the prefix lies: it chooses the child */
	u8 branch_shift;
	u64 mask;	 /* of the prefix's bits in last_word */
	u64 words[];	 /* the data as it was given, zero-padded; then the value */
};

/* Where a lookup starts that begins with certain bits (map_lpm_index.c). */
struct rt_lpm_slot {
	struct rt_lpm_node *node; /* the first on the way that the index does not cover, or NULL */
	struct rt_lpm_node *best; /* the deepest entry above it, or NULL */
};

struct rt_lpm {
	struct rt_lpm_node *root;
	struct rt_lpm_slot *slots; /* 2^index_bits; or NULL: no index */
	u32 index_bits;
	struct rt_lpm_node *freed; /* oldest first */
	struct rt_lpm_node *freed_last;
	u32 freed_count;
	u32 count;
	u32 data_size;
	u32 prefix_length_max;
	u32 words;
	u32 node_size;
	u32 memory_bytes;
	u8 *fresh;
	u8 *fresh_end;
	struct rt_lpm_chunk *chunks;
};

/* A key as nodes are compared with it. */
struct rt_lpm_key {
	u32 prefix_length;
	u64 words[RT_LPM_WORDS_MAX];
};

static inline struct rt_lpm *rt_lpm_state(const struct rt_map *map)
{
	return map->state;
}

static inline u8 *rt_lpm_value(const struct rt_lpm *trie, struct rt_lpm_node *node)
{
	return (u8 *)&node->words[trie->words];
}

static inline u32 rt_lpm_branch(const struct rt_lpm_node *node, const u64 *words)
{
	return words[node->branch_word] >> node->branch_shift & 1;
}

/* The first 16 bits of a key, as a number. */
static inline u32 rt_lpm_first_bits(const u64 *words)
{
	return ((u32)words[0] & 0xff) << 8 | ((u32)words[0] >> 8 & 0xff);
}

/* ---- map_lpm_node.c ------------------------------------------------------------------------- */

void rt_lpm_read_key(const struct rt_lpm *trie, struct rt_lpm_key *key, const void *from);
/* Leading bits that node and key share, at most the shorter prefix. */
u32 rt_lpm_shared_bits(const struct rt_lpm *trie, const struct rt_lpm_node *node,
		       const struct rt_lpm_key *key);
/* The bit of `words` that follows a prefix of that length. */
u32 rt_lpm_bit(const u64 *words, u32 index);
/* A node without children for a prefix, intermediate or not; NULL when out of memory. */
struct rt_lpm_node *rt_lpm_node_create(struct rt_map *map, u32 prefix_length, const u64 *words,
				       bool intermediate);
void rt_lpm_node_free(struct rt_map *map, struct rt_lpm_node *node);
void rt_lpm_free_all(struct rt_lpm *trie);

/* ---- map_lpm_index.c ------------------------------------------------------------------------ */

/* Gives a new trie an index of a size that fits; without memory for it, none. */
void rt_lpm_index_create(struct rt_lpm *trie, u32 max_entries);
/* To be called after every change, with the prefix that was set or deleted. */
void rt_lpm_index_update(struct rt_lpm *trie, const u64 *words, u32 prefix_length);

/* map_lpm_iterate.c */
s64 rt_lpm_next_key(struct rt_map *map, const void *key, void *next);

#endif
