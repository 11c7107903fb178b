// SPDX-License-Identifier: Apache-2.0
/* Nodes of a prefix trie: comparing them with keys, and their memory. */
#include "map_lpm.h"

#include "fault_object.h"
#include "paranoid.h"
#include "program.h"
#include "shadow.h"

#define CHUNK_NODES_MIN 16u
#define CHUNK_NODES_MAX 4096u
/* The kernel reuses a node only after every program that may still look at it has ended. Keeping
 * this many freed nodes back does the same for any run that frees fewer. */
#define FREED_KEPT 256u

struct rt_lpm_chunk {
	struct rt_lpm_chunk *next;
	u32 size;
	u8 nodes[] __attribute__((aligned(16)));
};

/* ---- keys ----------------------------------------------------------------------------------- */

void rt_lpm_read_key(const struct rt_lpm *trie, struct rt_lpm_key *key, const void *from)
{
	const u8 *data = (const u8 *)from + sizeof(u32);

	memcpy(&key->prefix_length, from, sizeof(u32));
	if (trie->data_size == 4) {
		u32 word;

		memcpy(&word, data, sizeof(word));
		key->words[0] = word;
		return;
	}
	key->words[trie->words - 1] = 0;
	memcpy(key->words, data, trie->data_size);
}

u32 rt_lpm_shared_bits(const struct rt_lpm *trie, const struct rt_lpm_node *node,
		       const struct rt_lpm_key *key)
{
	u32 limit = node->prefix_length < key->prefix_length ? node->prefix_length :
							       key->prefix_length;

	for (u32 i = 0; i < trie->words && i * 64 < limit; i++) {
		u64 difference = node->words[i] ^ key->words[i];
		u32 shared;

		if (difference == 0)
			continue;
		shared = i * 64 + (u32)__builtin_clzll(__builtin_bswap64(difference));
		return shared < limit ? shared : limit;
	}
	return limit;
}

static u32 shift_of(u32 index)
{
	return (index % 64 & ~7u) + 7 - index % 8;
}

u32 rt_lpm_bit(const u64 *words, u32 index)
{
	return words[index / 64] >> shift_of(index) & 1;
}

/* ---- memory --------------------------------------------------------------------------------- */

static bool grow(struct rt_lpm *trie)
{
	u32 count = trie->count < CHUNK_NODES_MIN ? CHUNK_NODES_MIN :
		    trie->count > CHUNK_NODES_MAX ? CHUNK_NODES_MAX :
						    trie->count;
	u64 size = (u64)trie->node_size * count + sizeof(struct rt_lpm_chunk);
	struct rt_lpm_chunk *chunk = size > UINT32_MAX ? NULL : rt_alloc((u32)size);

	if (chunk == NULL)
		return false;
	chunk->next = trie->chunks;
	chunk->size = (u32)size;
	trie->chunks = chunk;
	trie->fresh = chunk->nodes;
	trie->fresh_end = chunk->nodes + (size_t)trie->node_size * count;
	trie->memory_bytes += (u32)size;
	return true;
}

static void node_open(struct rt_map *map, struct rt_lpm_node *node)
{
	rt_shadow_set(rt_lpm_value(rt_lpm_state(map), node), map->value_size, rt_map_access(map));
}

static struct rt_lpm_node *take_freed(struct rt_map *map)
{
	struct rt_lpm *trie = rt_lpm_state(map);
	struct rt_lpm_node *node = trie->freed;

	if (node != NULL) {
		trie->freed = node->children[0];
		trie->freed_count--;
		if (rt_paranoid)
			node_open(map, node);
	}
	return node;
}

static struct rt_lpm_node *node_take(struct rt_map *map)
{
	struct rt_lpm *trie = rt_lpm_state(map);
	struct rt_lpm_node *node;

	if (trie->freed_count > FREED_KEPT)
		return take_freed(map);
	if (trie->fresh == trie->fresh_end && !grow(trie))
		return take_freed(map);
	node = (struct rt_lpm_node *)trie->fresh;
	trie->fresh += trie->node_size;
	node_open(map, node);
	return node;
}

struct rt_lpm_node *rt_lpm_node_create(struct rt_map *map, u32 prefix_length, const u64 *words,
				       bool intermediate)
{
	struct rt_lpm *trie = rt_lpm_state(map);
	struct rt_lpm_node *node = node_take(map);
	u32 last = prefix_length == 0 ? 0 : prefix_length - 1;

	if (node == NULL)
		return NULL;
	node->children[0] = node->children[1] = NULL;
	node->prefix_length = prefix_length;
	node->intermediate = intermediate;
	node->last_word = (u8)(last / 64);
	node->mask = 0;
	for (u32 i = last / 64 * 64; i < prefix_length; i++)
		node->mask |= (u64)1 << shift_of(i);
	/* Behind the longest prefix there is no bit, and no child. */
	if (prefix_length < trie->prefix_length_max) {
		node->branch_word = (u8)(prefix_length / 64);
		node->branch_shift = (u8)shift_of(prefix_length);
	} else {
		node->branch_word = node->branch_shift = 0;
	}
	memcpy(node->words, words, trie->words * sizeof(u64));
	return node;
}

void rt_lpm_node_free(struct rt_map *map, struct rt_lpm_node *node)
{
	struct rt_lpm *trie = rt_lpm_state(map);

	if (!node->intermediate)
		rt_map_value_released(map, rt_lpm_value(trie, node));
	if (rt_paranoid && rt_run_is_alone())
		rt_shadow_close(rt_lpm_value(trie, node), map->value_size);
	node->children[0] = NULL;
	if (trie->freed == NULL)
		trie->freed = node;
	else
		trie->freed_last->children[0] = node;
	trie->freed_last = node;
	trie->freed_count++;
}

void rt_lpm_free_all(struct rt_lpm *trie)
{
	while (trie->chunks != NULL) {
		struct rt_lpm_chunk *chunk = trie->chunks;

		trie->chunks = chunk->next;
		rt_shadow_set(chunk, chunk->size, RT_ACCESS_NONE);
		rt_free(chunk);
	}
}

void rt_lpm_consider(const struct rt_map *map)
{
	struct rt_lpm *trie = rt_lpm_state(map);

	for (struct rt_lpm_chunk *chunk = trie->chunks; chunk != NULL; chunk = chunk->next) {
		struct rt_lpm_node *first = (struct rt_lpm_node *)chunk->nodes;
		struct rt_object_row row = {
			.first = chunk->nodes,
			.count = (chunk->size - (u32)sizeof(*chunk)) / trie->node_size,
			.stride = trie->node_size,
			.start = (u32)((u8 *)rt_lpm_value(trie, first) - chunk->nodes),
			.size = map->value_size,
		};

		rt_object_consider(map, &row);
	}
}
