// SPDX-License-Identifier: Apache-2.0
/*
 * Two-level segregated fit: constant time, neighbours merge on free, and the same sequence of calls
 * yields the same addresses, which replays depend on. The C library's allocator offers neither a
 * bound nor that promise.
 *
 * The arena is a chain of blocks, each behind a 16-byte header. Blocks are named by the offset of
 * their header from the arena's start. Free blocks of similar size hang in one list; two levels of
 * bitmaps find the smallest list that surely fits.
 */
#include "memory.h"

#ifdef __SANITIZE_ADDRESS__ /* gcc, in the native tests: free memory is poisoned */
#include <sanitizer/asan_interface.h>
#endif

#define UNIT 16u /* header size, alignment and granularity of sizes */
#define NOWHERE 0xffffffffu
#define IN_USE 0x75736564u /* in `next` of a block in use: tells a wild free from a good one */

#define LISTS_PER_POWER 16u
#define POWERS 32u

struct block {
	u32 size;     /* of the payload; bit 0 set = free */
	u32 previous; /* the block before in memory, or NOWHERE */
	u32 next;     /* in the free list, or IN_USE */
	u32 back;     /* in the free list */
};
_Static_assert(sizeof(struct block) == UNIT, "a header is one unit");

static u8 *arena;
static u32 arena_size;
static u32 used;
static u32 used_max;
static u32 clean_from; /* memory from here on was never written: still zero */

static u32 powers_map;
static u16 lists_map[POWERS];
static u32 lists[POWERS][LISTS_PER_POWER];

static struct block *block_at(u32 offset)
{
	return (struct block *)(arena + offset);
}

static u32 payload_size(const struct block *block)
{
	return block->size & ~1u;
}

static u32 following(u32 offset)
{
	return offset + UNIT + payload_size(block_at(offset));
}

static void poison(u32 offset, u32 size, bool poisoned)
{
#ifdef __SANITIZE_ADDRESS__
	if (poisoned)
		__asan_poison_memory_region(arena + offset, size);
	else
		__asan_unpoison_memory_region(arena + offset, size);
#else
	(void)offset, (void)size, (void)poisoned;
#endif
}

/* The list that holds blocks of `size` bytes (a multiple of UNIT, at least UNIT). */
static void list_of(u32 size, u32 *power, u32 *list)
{
	*power = 31u - (u32)__builtin_clz(size);
	*list = *power <= 4 ? 0 : (size >> (*power - 4)) & (LISTS_PER_POWER - 1);
}

static void list_insert(u32 offset)
{
	struct block *block = block_at(offset);
	u32 power, list;

	list_of(payload_size(block), &power, &list);
	block->size |= 1;
	block->back = NOWHERE;
	block->next = lists_map[power] >> list & 1 ? lists[power][list] : NOWHERE;
	if (block->next != NOWHERE)
		block_at(block->next)->back = offset;
	lists[power][list] = offset;
	lists_map[power] |= (u16)(1u << list);
	powers_map |= 1u << power;
}

static void list_remove(u32 offset)
{
	struct block *block = block_at(offset);
	u32 power, list;

	list_of(payload_size(block), &power, &list);
	block->size &= ~1u;
	if (block->next != NOWHERE)
		block_at(block->next)->back = block->back;
	if (block->back != NOWHERE) {
		block_at(block->back)->next = block->next;
		return;
	}
	lists[power][list] = block->next;
	if (block->next != NOWHERE)
		return;
	lists_map[power] &= (u16)~(1u << list);
	if (lists_map[power] == 0)
		powers_map &= ~(1u << power);
}

/* A free block of at least `size` bytes, or NOWHERE. */
static u32 find(u32 size)
{
	u32 power, list, candidates;

	/* Up to the next list's lower bound, so that any block found there fits. */
	if (size >= UNIT * LISTS_PER_POWER)
		size += (1u << (27u - (u32)__builtin_clz(size))) - 1;
	list_of(size, &power, &list);
	candidates = lists_map[power] & (0xffffu << list);
	if (candidates == 0) {
		candidates = power == 31 ? 0 : powers_map & (0xfffffffeu << power);
		if (candidates == 0)
			return NOWHERE;
		power = (u32)__builtin_ctz(candidates);
		candidates = lists_map[power];
	}
	return lists[power][__builtin_ctz(candidates)];
}

/* Cuts what `size` leaves over off a block in use and frees it. */
static void split(u32 offset, u32 size)
{
	struct block *block = block_at(offset);
	u32 rest = payload_size(block) - size;
	u32 rest_offset = offset + UNIT + size;
	u32 after = following(offset);

	if (rest < 2 * UNIT)
		return;
	block->size = size;
	poison(rest_offset, UNIT, false);
	*block_at(rest_offset) = (struct block){ .size = rest - UNIT, .previous = offset };
	if (after < arena_size)
		block_at(after)->previous = rest_offset;
	list_insert(rest_offset);
}

void rt_memory_init(void *start, u32 size)
{
	arena = start;
	arena_size = size & ~(UNIT - 1);
	used = used_max = 0;
	powers_map = 0;
	memset(lists_map, 0, sizeof(lists_map));
	clean_from = UNIT;
	*block_at(0) = (struct block){ .size = arena_size - UNIT, .previous = NOWHERE };
	poison(UNIT, arena_size - UNIT, true);
	list_insert(0);
}

RT_EXPORT(rt_alloc) void *rt_alloc(u32 size)
{
	struct block *block;
	u32 offset, end, dirty;

	if (size > arena_size)
		return NULL;
	size = size == 0 ? UNIT : (size + UNIT - 1) & ~(UNIT - 1);
	offset = find(size);
	if (offset == NOWHERE)
		return NULL;
	list_remove(offset);
	split(offset, size);
	block = block_at(offset);
	block->next = IN_USE;
	used += payload_size(block) + UNIT;
	if (used > used_max)
		used_max = used;

	/* What was never written needs no clearing: a fresh map of 100 MB costs nothing. */
	end = following(offset);
	poison(offset + UNIT, payload_size(block), false);
	dirty = clean_from < end ? clean_from : end;
	if (dirty > offset + UNIT)
		memset(block + 1, 0, dirty - offset - UNIT);
	if (end + UNIT > clean_from)
		clean_from = end + UNIT;
	return block + 1;
}

RT_EXPORT(rt_free) void rt_free(void *pointer)
{
	u32 offset, after, before;
	struct block *block;

	if (pointer == NULL)
		return;
	block = (struct block *)pointer - 1;
	offset = (u32)((u8 *)block - arena);
	if (block->next != IN_USE || block->size & 1)
		__builtin_trap(); /* freed twice, or never allocated: a bug of the runtime */
	used -= payload_size(block) + UNIT;

	after = following(offset);
	if (after < arena_size && block_at(after)->size & 1) {
		list_remove(after);
		block->size += UNIT + payload_size(block_at(after));
	}
	before = block->previous;
	if (before != NOWHERE && block_at(before)->size & 1) {
		list_remove(before);
		block->next = 0;
		block_at(before)->size += UNIT + payload_size(block);
		offset = before;
	}
	block = block_at(offset);
	after = following(offset);
	if (after < arena_size)
		block_at(after)->previous = offset;
	list_insert(offset);
	poison(offset + UNIT, payload_size(block), true);
}

RT_EXPORT(rt_memory_used) u32 rt_memory_used(void)
{
	return used;
}

RT_EXPORT(rt_memory_used_max) u32 rt_memory_used_max(void)
{
	return used_max;
}

#ifdef __wasm__
/* The C library and the engine share this arena, so that nothing grows the memory later. */
void *malloc(size_t size)
{
	return size > 0x7fffffff ? NULL : rt_alloc((u32)size);
}

void free(void *pointer)
{
	rt_free(pointer);
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return malloc(bytes);
}

void *realloc(void *pointer, size_t size)
{
	void *moved = malloc(size);
	u32 old;

	if (moved == NULL || pointer == NULL)
		return moved;
	old = payload_size((struct block *)pointer - 1);
	memcpy(moved, pointer, old < size ? old : size);
	rt_free(pointer);
	return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return alignment > UNIT ? NULL : malloc(size);
}
#endif
