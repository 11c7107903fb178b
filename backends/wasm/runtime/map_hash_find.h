/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing and finding, inlined into every lookup. Keys of 4, 8 and 16 bytes have their own path. */
#ifndef TAPIO_MAP_HASH_FIND_H
#define TAPIO_MAP_HASH_FIND_H

#include "map_hash.h"

#define RT_HASH_MULTIPLIER 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio */

static inline u64 rt_load64(const void *from)
{
	u64 word;

	memcpy(&word, from, sizeof(word));
	return word;
}

static inline u32 rt_load32(const void *from)
{
	u32 word;

	memcpy(&word, from, sizeof(word));
	return word;
}

/* Both halves matter before and after: keys often differ only in their upper half, or in bits that
 * multiples of a power of two leave zero. */
static inline u64 rt_hash_mix(u64 word)
{
	word = (word ^ word >> 32) * RT_HASH_MULTIPLIER;
	return word ^ word >> 32;
}

static inline u32 rt_hash_bytes(const u8 *key, u32 size)
{
	u64 state = size;
	u64 tail = 0;

	for (; size >= 8; key += 8, size -= 8)
		state = rt_hash_mix(state * RT_HASH_MULTIPLIER ^ rt_load64(key));
	memcpy(&tail, key, size);
	return (u32)rt_hash_mix(state * RT_HASH_MULTIPLIER ^ tail);
}

static inline u32 rt_hash_16(u64 first, u64 second)
{
	return (u32)rt_hash_mix(rt_hash_mix(first) * RT_HASH_MULTIPLIER ^ second);
}

static inline u32 rt_hash_of(const struct rt_hash *hash, const void *key)
{
	switch (hash->key_size) {
	case 4:
		return (u32)rt_hash_mix(rt_load32(key));
	case 8:
		return (u32)rt_hash_mix(rt_load64(key));
	case 16:
		return rt_hash_16(rt_load64(key), rt_load64((const u8 *)key + 8));
	default:
		return rt_hash_bytes(key, hash->key_size);
	}
}

static inline struct rt_hash_element *rt_hash_bucket(const struct rt_hash *hash, u32 code)
{
	return hash->buckets[code & (hash->bucket_count - 1)];
}

static inline struct rt_hash_element *rt_hash_find_4(const struct rt_hash *hash, const void *key)
{
	u32 wanted = rt_load32(key);
	struct rt_hash_element *element = rt_hash_bucket(hash, (u32)rt_hash_mix(wanted));

	while (element != NULL && rt_load32(rt_hash_key(element)) != wanted)
		element = element->next;
	return element;
}

static inline struct rt_hash_element *rt_hash_find_8(const struct rt_hash *hash, const void *key)
{
	u64 wanted = rt_load64(key);
	struct rt_hash_element *element = rt_hash_bucket(hash, (u32)rt_hash_mix(wanted));

	while (element != NULL && rt_load64(rt_hash_key(element)) != wanted)
		element = element->next;
	return element;
}

static inline struct rt_hash_element *rt_hash_find_16(const struct rt_hash *hash, const void *key)
{
	u64 first = rt_load64(key);
	u64 second = rt_load64((const u8 *)key + 8);
	struct rt_hash_element *element = rt_hash_bucket(hash, rt_hash_16(first, second));

	while (element != NULL && (rt_load64(rt_hash_key(element)) != first ||
				   rt_load64(rt_hash_key(element) + 8) != second))
		element = element->next;
	return element;
}

/* Where the caller has the key's hash already. */
static inline struct rt_hash_element *rt_hash_find_coded(const struct rt_hash *hash, const void *key,
							 u32 code)
{
	struct rt_hash_element *element = rt_hash_bucket(hash, code);

	while (element != NULL && (element->hash != code ||
				   memcmp(rt_hash_key(element), key, hash->key_size) != 0))
		element = element->next;
	return element;
}

static inline struct rt_hash_element *rt_hash_find(const struct rt_hash *hash, const void *key)
{
	switch (hash->key_size) {
	case 4:
		return rt_hash_find_4(hash, key);
	case 8:
		return rt_hash_find_8(hash, key);
	case 16:
		return rt_hash_find_16(hash, key);
	default:
		return rt_hash_find_coded(hash, key, rt_hash_bytes(key, hash->key_size));
	}
}

#endif
