// SPDX-License-Identifier: Apache-2.0
/* The order of a trie's entries: children before parents, side 0 before side 1. */
#include "map_lpm.h"

/* The first entry of a subtree, which is not empty. */
static struct rt_lpm_node *first_of(struct rt_lpm_node *node)
{
	for (;;) {
		struct rt_lpm_node *child = node->children[node->children[0] == NULL];

		if (child == NULL)
			return node;
		node = child;
	}
}

/* The entry after the one of exactly this prefix; the first of all where there is none; NULL at the
 * end. Walks down once, remembering what would follow. */
static struct rt_lpm_node *following(const struct rt_lpm *trie, const struct rt_lpm_key *key)
{
	struct rt_lpm_node *node = trie->root;
	struct rt_lpm_node *after = NULL;      /* an entry above: follows when nothing else does */
	struct rt_lpm_node *sibling = NULL;    /* a subtree that comes before `after` */

	while (node != NULL) {
		u32 shared = rt_lpm_shared_bits(trie, node, key);
		u32 side;

		if (shared != node->prefix_length)
			return first_of(trie->root);
		if (shared == key->prefix_length)
			break;
		side = rt_lpm_branch(node, key->words);
		if (!node->intermediate) {
			after = node;
			sibling = NULL;
		}
		if (side == 0 && node->children[1] != NULL)
			sibling = node->children[1];
		node = node->children[side];
	}
	if (node == NULL || node->intermediate)
		return first_of(trie->root);
	return sibling != NULL ? first_of(sibling) : after;
}

s64 rt_lpm_next_key(struct rt_map *map, const void *from, void *next)
{
	struct rt_lpm *trie = rt_lpm_state(map);
	struct rt_lpm_node *node;
	struct rt_lpm_key key;

	if (trie->root == NULL)
		return -ENOENT;
	if (from != NULL)
		memcpy(&key.prefix_length, from, sizeof(u32));
	if (from == NULL || key.prefix_length > trie->prefix_length_max) {
		node = first_of(trie->root);
	} else {
		rt_lpm_read_key(trie, &key, from);
		node = following(trie, &key);
	}
	if (node == NULL)
		return -ENOENT;
	memcpy(next, &node->prefix_length, sizeof(u32));
	memcpy((u8 *)next + sizeof(u32), node->words, trie->data_size);
	return 0;
}
