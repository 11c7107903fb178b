// SPDX-License-Identifier: Apache-2.0
/* Longest-prefix-match tries. */
#include "map_lpm.h"

#define KEY_SIZE_MIN 5u /* the prefix length, and at least one byte of data */
#define KEY_SIZE_MAX (4 + RT_LPM_DATA_SIZE_MAX)
#define VALUE_SIZE_MAX ((1u << 22) - RT_LPM_DATA_SIZE_MAX - 24) /* the kernel's largest block, less its node */

static int check(const struct rt_map *map)
{
	u32 known = RT_MAP_NO_PREALLOC | RT_MAP_NUMA_NODE | RT_MAP_ACCESS_FLAGS;

	if (map->max_entries == 0 || !(map->flags & RT_MAP_NO_PREALLOC) || map->flags & ~known ||
	    !rt_map_access_flags_ok(map->flags) || map->key_size < KEY_SIZE_MIN ||
	    map->key_size > KEY_SIZE_MAX || map->value_size == 0 ||
	    map->value_size > VALUE_SIZE_MAX)
		return -EINVAL;
	return 0;
}

static int create(struct rt_map *map)
{
	struct rt_lpm *trie = rt_alloc(sizeof(*trie));

	if (trie == NULL)
		return -ENOMEM;
	trie->data_size = map->key_size - 4;
	trie->prefix_length_max = trie->data_size * 8;
	trie->words = rt_round_up8(trie->data_size) / 8;
	trie->node_size = (u32)sizeof(struct rt_lpm_node) + trie->words * 8 +
			  rt_round_up8(map->value_size);
	trie->memory_bytes = (u32)(sizeof(*map) + sizeof(*trie));
	rt_lpm_index_create(trie, map->max_entries);
	map->state = trie;
	return 0;
}

static void destroy(struct rt_map *map)
{
	rt_lpm_free_all(rt_lpm_state(map));
	rt_free(rt_lpm_state(map)->slots);
	rt_free(map->state);
}

static u32 memory_bytes(const struct rt_map *map)
{
	return rt_lpm_state(map)->memory_bytes;
}

/* ---- lookup --------------------------------------------------------------------------------- */

/* The deepest entry whose prefix the key has. `words` is the key's data, zero-padded. */
static inline struct rt_lpm_node *find(const struct rt_lpm *trie, u32 prefix_length,
				       const u64 *words, bool one_word)
{
	struct rt_lpm_node *node = trie->root;
	struct rt_lpm_node *found = NULL;
	u32 checked = 0; /* words that the ancestors compared in full */

	if (trie->slots != NULL && prefix_length >= trie->index_bits) {
		u32 slot = rt_lpm_first_bits(words) >> (16 - trie->index_bits);

		node = trie->slots[slot].node;
		found = trie->slots[slot].best;
	}
	while (node != NULL) {
		if (node->prefix_length > prefix_length)
			break;
		if (one_word) {
			if ((words[0] ^ node->words[0]) & node->mask)
				break;
		} else {
			while (checked < node->last_word && words[checked] == node->words[checked])
				checked++;
			if (checked < node->last_word ||
			    (words[checked] ^ node->words[checked]) & node->mask)
				break;
		}
		if (!node->intermediate)
			found = node;
		node = node->children[rt_lpm_branch(node, words)];
	}
	return found;
}

static struct rt_lpm_node *find_entry(const struct rt_lpm *trie, const void *from)
{
	struct rt_lpm_key key;
	u32 prefix_length;

	memcpy(&prefix_length, from, sizeof(prefix_length));
	if (prefix_length > trie->prefix_length_max)
		return NULL;
	rt_lpm_read_key(trie, &key, from);
	return trie->words == 1 ? find(trie, prefix_length, key.words, true) :
				  find(trie, prefix_length, key.words, false);
}

static void *lookup(struct rt_map *map, const void *key)
{
	struct rt_lpm *trie = rt_lpm_state(map);
	struct rt_lpm_node *node = find_entry(trie, key);

	return node == NULL ? NULL : rt_lpm_value(trie, node);
}

static s64 copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	void *found = lookup(map, key);

	(void)flags;
	if (found == NULL)
		return -ENOENT;
	memcpy(value, found, map->value_size);
	return 0;
}

/* ---- update --------------------------------------------------------------------------------- */

/* Whether an entry more may be added. */
static s64 check_room(const struct rt_map *map, u64 flags)
{
	if (flags == RT_EXIST)
		return -ENOENT;
	return rt_lpm_state(map)->count == map->max_entries ? -ENOSPC : 0;
}

/* `created` takes the place of `node`: same prefix. */
static void replace(struct rt_map *map, struct rt_lpm_node **slot, struct rt_lpm_node *created)
{
	struct rt_lpm_node *node = *slot;

	created->children[0] = node->children[0];
	created->children[1] = node->children[1];
	*slot = created;
	rt_lpm_node_free(map, node);
}

/* `created` and `node` part after `shared` bits: an intermediate node gets both. */
static s64 split(struct rt_map *map, struct rt_lpm_node **slot, struct rt_lpm_node *created,
		 u32 shared)
{
	struct rt_lpm_node *node = *slot;
	struct rt_lpm_node *parent = rt_lpm_node_create(map, shared, node->words, true);
	u32 side = rt_lpm_bit(created->words, shared);

	if (parent == NULL)
		return -ENOMEM;
	parent->children[side] = created;
	parent->children[!side] = node;
	*slot = parent;
	return 0;
}

/* Puts `created` where it belongs. */
static s64 insert(struct rt_map *map, struct rt_lpm_node *created, const struct rt_lpm_key *key,
		  u64 flags)
{
	struct rt_lpm *trie = rt_lpm_state(map);
	struct rt_lpm_node **slot = &trie->root;
	struct rt_lpm_node *node;
	u32 shared = 0;
	s64 error;

	for (; (node = *slot) != NULL; slot = &node->children[rt_lpm_branch(node, key->words)]) {
		shared = rt_lpm_shared_bits(trie, node, key);
		if (shared != node->prefix_length || shared == key->prefix_length)
			break;
	}
	if (node != NULL && shared == node->prefix_length && !node->intermediate) {
		if (flags == RT_NOEXIST)
			return -EEXIST;
		replace(map, slot, created);
		return 0;
	}
	error = check_room(map, flags);
	if (error != 0)
		return error;
	if (node == NULL) {
		*slot = created;
	} else if (shared == node->prefix_length) {
		replace(map, slot, created);
	} else if (shared == key->prefix_length) {
		created->children[rt_lpm_bit(node->words, shared)] = node;
		*slot = created;
	} else {
		error = split(map, slot, created, shared);
	}
	trie->count += error == 0;
	return error;
}

static s64 update(struct rt_map *map, const void *from, const void *value, u64 flags)
{
	struct rt_lpm *trie = rt_lpm_state(map);
	struct rt_lpm_node *created;
	struct rt_lpm_key key;
	s64 error;

	if (flags > RT_EXIST)
		return -EINVAL;
	memcpy(&key.prefix_length, from, sizeof(u32));
	if (key.prefix_length > trie->prefix_length_max)
		return -EINVAL;
	rt_lpm_read_key(trie, &key, from);
	created = rt_lpm_node_create(map, key.prefix_length, key.words, false);
	if (created == NULL)
		return -ENOMEM;
	memcpy(rt_lpm_value(trie, created), value, map->value_size);
	error = insert(map, created, &key, flags);
	if (error != 0)
		rt_lpm_node_free(map, created);
	else
		rt_lpm_index_update(trie, key.words, key.prefix_length);
	return error;
}

/* ---- deletion ------------------------------------------------------------------------------- */

/* Takes `node` out of `*slot`; `parent_slot` holds its parent, or is NULL at the root. */
static void take_out(struct rt_map *map, struct rt_lpm_node **slot,
		     struct rt_lpm_node **parent_slot)
{
	struct rt_lpm_node *node = *slot;
	struct rt_lpm_node *parent = parent_slot == NULL ? NULL : *parent_slot;
	bool is_leaf = node->children[0] == NULL && node->children[1] == NULL;

	if (node->children[0] != NULL && node->children[1] != NULL) {
		node->intermediate = true;
		rt_map_value_released(map, rt_lpm_value(rt_lpm_state(map), node));
		return;
	}
	if (is_leaf && parent != NULL && parent->intermediate) {
		/* Its other child takes its place: nothing is left to tell apart. */
		*parent_slot = parent->children[slot == &parent->children[0]];
		rt_lpm_node_free(map, parent);
	} else {
		*slot = node->children[node->children[0] == NULL];
	}
	rt_lpm_node_free(map, node);
}

static s64 erase(struct rt_map *map, const void *from)
{
	struct rt_lpm *trie = rt_lpm_state(map);
	struct rt_lpm_node **slot = &trie->root;
	struct rt_lpm_node **parent_slot = NULL;
	struct rt_lpm_node *node;
	struct rt_lpm_key key;
	u32 shared = 0;

	memcpy(&key.prefix_length, from, sizeof(u32));
	if (key.prefix_length > trie->prefix_length_max)
		return -EINVAL;
	rt_lpm_read_key(trie, &key, from);
	while ((node = *slot) != NULL) {
		shared = rt_lpm_shared_bits(trie, node, &key);
		if (shared != node->prefix_length || shared == key.prefix_length)
			break;
		parent_slot = slot;
		slot = &node->children[rt_lpm_branch(node, key.words)];
	}
	if (node == NULL || node->intermediate || shared != node->prefix_length ||
	    shared != key.prefix_length)
		return -ENOENT;
	take_out(map, slot, parent_slot);
	rt_lpm_index_update(trie, key.words, key.prefix_length);
	trie->count--;
	return 0;
}

const struct rt_map_ops rt_lpm_trie_ops = {
	.check = check,
	.create = create,
	.destroy = destroy,
	.lookup = lookup,
	.update = update,
	.remove = erase,
	.copy_out = copy_out,
	.copy_in = update,
	.erase = erase,
	.next_key = rt_lpm_next_key,
	.batch = RT_BATCH_LOOKUP | RT_BATCH_UPDATE | RT_BATCH_DELETE,
	.same_shape = rt_map_same_shape,
	.memory_bytes = memory_bytes,
};
