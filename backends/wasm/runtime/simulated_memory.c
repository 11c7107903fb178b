// SPDX-License-Identifier: Apache-2.0
/*
 * Each space is cut into chunks of whole pages; a chunk is cut into objects of one power-of-two size,
 * as a slab allocator does. Chunks are never given back: worlds grow, then reuse.
 */
#include "simulated_memory.h"

#include "bytes.h"
#include "paranoid.h"
#include "shadow.h"

#define CHUNK_SIZE (16 * RT_PAGE_SIZE)
#define CLASS_MIN 4 /* 16 bytes */
#define CLASS_MAX RT_PAGE_SHIFT

struct pool {
	enum rt_space space;
	u32 free[CLASS_MAX + 1]; /* first free object of 2^index bytes; each names the next */
};

u8 *rt_spaces;
static struct pool kernel_pool;
static struct pool user_pool;

int rt_simulated_memory_init(void)
{
	kernel_pool = (struct pool){ .space = RT_SPACE_KERNEL };
	user_pool = (struct pool){ .space = RT_SPACE_USER };
	rt_spaces = rt_alloc((rt_memory_size >> RT_PAGE_SHIFT) + 1);
	return rt_spaces == NULL ? -ENOMEM : 0;
}

enum rt_space rt_space_of(u64 address)
{
	return address < rt_memory_size ? (enum rt_space)rt_spaces[address >> RT_PAGE_SHIFT] :
					  RT_SPACE_NONE;
}

/* Whole pages of `pool`, or 0. */
static u32 take_pages(struct pool *pool, u32 size)
{
	void *block;
	u32 start;

	if (size > rt_memory_size)
		return 0;
	block = rt_alloc(size + RT_PAGE_SIZE - 16);
	if (block == NULL)
		return 0;
	start = ((u32)(uintptr_t)block + RT_PAGE_SIZE - 1) & ~(RT_PAGE_SIZE - 1);
	memset(rt_spaces + (start >> RT_PAGE_SHIFT), (int)pool->space, size >> RT_PAGE_SHIFT);
	return start;
}

static u32 class_of(u32 size)
{
	return size <= 1u << CLASS_MIN ? CLASS_MIN : 32u - (u32)__builtin_clz(size - 1);
}

static void pool_free(struct pool *pool, u32 address, u32 size)
{
	u32 class = class_of(size);

	if (class > CLASS_MAX)
		return; /* whole pages stay taken */
	*(u32 *)(uintptr_t)address = pool->free[class];
	pool->free[class] = address;
}

static u32 pool_alloc(struct pool *pool, u32 size)
{
	u32 class = class_of(size);
	u32 object, chunk;

	if (size > 1u << CLASS_MAX)
		return size > rt_memory_size ? 0 :
			take_pages(pool, (size + RT_PAGE_SIZE - 1) & ~(RT_PAGE_SIZE - 1));
	if (pool->free[class] == 0) {
		chunk = take_pages(pool, CHUNK_SIZE);
		if (chunk == 0)
			return 0;
		/* From the end, so that objects are handed out in ascending order. */
		for (u32 left = CHUNK_SIZE; left != 0; left -= 1u << class)
			pool_free(pool, chunk + left - (1u << class), 1u << class);
	}
	object = pool->free[class];
	pool->free[class] = *(u32 *)(uintptr_t)object;
	memset((void *)(uintptr_t)object, 0, 1u << class);
	return object;
}

RT_EXPORT(rt_kernel_alloc) u32 rt_kernel_alloc(u32 size)
{
	return pool_alloc(&kernel_pool, size);
}

RT_EXPORT(rt_user_alloc) u32 rt_user_alloc(u32 size)
{
	return pool_alloc(&user_pool, size);
}

RT_EXPORT(rt_kernel_free) void rt_kernel_free(u32 address, u32 size)
{
	pool_free(&kernel_pool, address, size);
}

RT_EXPORT(rt_user_free) void rt_user_free(u32 address, u32 size)
{
	pool_free(&user_pool, address, size);
}

static bool readable(u64 address, u32 size, enum rt_space space)
{
	u64 last = address + size - 1;

	if (last < address || last >= rt_memory_size)
		return false;
	for (u32 page = (u32)(address >> RT_PAGE_SHIFT); page <= (u32)(last >> RT_PAGE_SHIFT); page++)
		if (rt_spaces[page] != space)
			return space == RT_SPACE_KERNEL && (rt_shadow_allows(address, size, false) ||
							    rt_stack_holds(address, size));
	return true;
}

/*
 * On x86 a kernel read refuses addresses of the user half before it tries them: that is -ERANGE, what a
 * NULL pointer plus an offset gets. Below the machine's own memory lies nothing that a pointer could
 * mean, so those addresses count as user's too.
 */
#define USER_HALF_END 0x800000000000ull
#define VSYSCALL_PAGE 0xffffffffff600000ull

bool rt_is_user_address(u64 address)
{
	if (address >= rt_memory_size)
		return address < USER_HALF_END || (address & ~0xfffull) == VSYSCALL_PAGE;
	return address < (uintptr_t)rt_shadow || rt_space_of(address) == RT_SPACE_USER;
}

static int refusal(u64 address, enum rt_space space)
{
	return space == RT_SPACE_KERNEL && rt_is_user_address(address) ? -ERANGE : -EFAULT;
}

int rt_copy_from_space(void *to, u64 from, u32 size, enum rt_space space)
{
	if (size == 0)
		return 0;
	if (!readable(from, size, space))
		return refusal(from, space);
	rt_bytes_move(to, (const void *)(uintptr_t)from, size);
	return 0;
}

s64 rt_string_from_kernel(char *to, u64 from, u32 size)
{
	u32 length;

	if (size == 0)
		return 0;
	for (length = 0; length < size; length++) {
		if (!readable(from + length, 1, RT_SPACE_KERNEL))
			return refusal(from, RT_SPACE_KERNEL);
		to[length] = *(const char *)(uintptr_t)(from + length);
		if (to[length] == '\0')
			return length + 1;
	}
	to[size - 1] = '\0';
	return size;
}

/*
 * As strncpy_from_user: it goes by words while they fit and are readable, and clears what follows the
 * NUL in the last word, so up to seven bytes behind the string become zero.
 */
s64 rt_string_from_user(char *to, u64 from, u32 size)
{
	u32 length = 0;

	if (size == 0)
		return 0;
	while (size - length >= 8 && readable(from + length, 8, RT_SPACE_USER)) {
		const char *word = (const char *)(uintptr_t)(from + length);
		u32 in_word = (u32)strnlen(word, 8);

		memset(to + length, 0, 8);
		memcpy(to + length, word, in_word);
		length += in_word;
		if (in_word < 8)
			return length + 1;
	}
	for (; length < size; length++) {
		if (!readable(from + length, 1, RT_SPACE_USER))
			return -EFAULT;
		to[length] = *(const char *)(uintptr_t)(from + length);
		if (to[length] == '\0')
			return length + 1;
	}
	to[size - 1] = '\0';
	return size;
}
