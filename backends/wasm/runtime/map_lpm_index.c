// SPDX-License-Identifier: Apache-2.0
/*
 * A shortcut into a trie: one slot for every value of a key's first bits, so that a lookup skips the
 * levels that everybody shares. Each change of the trie repaints the slots under the changed prefix
 * and no others: nodes shorter than the index show only as `best`, and those are entries.
 */
#include "map_lpm.h"

#define BITS_MIN 4u  /* below, walking is as good */
#define BITS_MAX 16u /* slot numbers come from the first two bytes */

static u32 slot_number(const struct rt_lpm *trie, const u64 *words)
{
	return rt_lpm_first_bits(words) >> (16 - trie->index_bits);
}

void rt_lpm_index_create(struct rt_lpm *trie, u32 max_entries)
{
	u32 bits = 31u - (u32)__builtin_clz(max_entries);

	bits = bits < BITS_MAX ? bits : BITS_MAX;
	bits = bits < trie->prefix_length_max ? bits : trie->prefix_length_max;
	if (bits < BITS_MIN)
		return;
	trie->slots = rt_alloc((u32)sizeof(*trie->slots) << bits);
	if (trie->slots == NULL)
		return; /* lookups start at the root then */
	trie->index_bits = bits;
	trie->memory_bytes += (u32)sizeof(*trie->slots) << bits;
}

static void fill(struct rt_lpm *trie, u32 from, u32 until, struct rt_lpm_node *best)
{
	for (; from < until; from++)
		trie->slots[from] = (struct rt_lpm_slot){ .best = best };
}

/* Sets the slots that share their first `depth` bits with slot `from`; `node` is the first below. */
static void paint(struct rt_lpm *trie, u32 from, u32 depth, struct rt_lpm_node *node,
		  struct rt_lpm_node *best)
{
	u32 until = from + (1u << (trie->index_bits - depth));
	u32 start, width;

	if (node == NULL || node->prefix_length >= trie->index_bits) {
		fill(trie, from, until, best);
		if (node != NULL)
			trie->slots[slot_number(trie, node->words)].node = node;
		return;
	}
	width = 1u << (trie->index_bits - node->prefix_length);
	start = slot_number(trie, node->words) & ~(width - 1);
	fill(trie, from, start, best);
	fill(trie, start + width, until, best);
	if (!node->intermediate)
		best = node;
	paint(trie, start, node->prefix_length + 1, node->children[0], best);
	paint(trie, start + width / 2, node->prefix_length + 1, node->children[1], best);
}

void rt_lpm_index_update(struct rt_lpm *trie, const u64 *words, u32 prefix_length)
{
	struct rt_lpm_node *node = trie->root;
	struct rt_lpm_node *best = NULL;
	u32 depth = prefix_length < trie->index_bits ? prefix_length : trie->index_bits;
	u32 width, from;

	if (trie->slots == NULL)
		return;
	width = 1u << (trie->index_bits - depth);
	from = slot_number(trie, words) & ~(width - 1);
	while (node != NULL && node->prefix_length < depth &&
	       ((words[0] ^ node->words[0]) & node->mask) == 0) {
		if (!node->intermediate)
			best = node;
		node = node->children[rt_lpm_branch(node, words)];
	}
	/* What was reached may lie beside the slots rather than above or under them. */
	if (node != NULL && (node->prefix_length < depth ||
			     (slot_number(trie, node->words) & ~(width - 1)) != from))
		node = NULL;
	paint(trie, from, depth, node, best);
}
