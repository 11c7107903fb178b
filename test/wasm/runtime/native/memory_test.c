// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include "memory.h"

#define BLOCKS 512

struct held {
	u8 *start;
	u32 size;
	u8 fill;
};

static void check_and_free(struct held *held)
{
	for (u32 i = 0; i < held->size; i++)
		CHECK(held->start[i] == held->fill);
	rt_free(held->start);
	held->start = NULL;
}

static void allocate(struct held *held, u32 size, u8 fill)
{
	u8 *start = rt_alloc(size);

	if (start == NULL)
		return;
	CHECK((uintptr_t)start % 16 == 0);
	for (u32 i = 0; i < size; i++)
		CHECK(start[i] == 0);
	memset(start, fill, size);
	*held = (struct held){ start, size, fill };
}

static u32 any_size(void)
{
	return test_random(8) == 0 ? test_random(1u << 20) : test_random(600);
}

TEST(blocks_keep_their_bytes, "blocks are zeroed, aligned and apart over 60,000 random calls")
{
	static struct held blocks[BLOCKS];
	u32 before = rt_memory_used();

	for (u32 step = 0; step < 60000; step++) {
		struct held *held = &blocks[test_random(BLOCKS)];

		if (held->start != NULL)
			check_and_free(held);
		else
			allocate(held, step % 4 == 0 ? any_size() : test_random(100), (u8)step | 1);
	}
	for (u32 i = 0; i < BLOCKS; i++)
		if (blocks[i].start != NULL)
			check_and_free(&blocks[i]);
	CHECK(rt_memory_used() == before);
}

TEST(memory_merges, "memory is whole again after everything was freed in random order")
{
	static u8 *small[100000];
	u32 count = 0;
	u32 large = 8u << 20;

	while (count < 100000 && (small[count] = rt_alloc(500)) != NULL)
		count++;
	CHECK(rt_alloc(large) == NULL);
	for (u32 i = count - 1; i > 0; i--) {
		u32 other = test_random(i + 1);
		u8 *swapped = small[i];

		small[i] = small[other];
		small[other] = swapped;
	}
	for (u32 i = 0; i < count; i++)
		rt_free(small[i]);
	CHECK(rt_alloc(large) != NULL);
}

TEST(exhaustion_is_null, "an impossible size is NULL, size 0 a block")
{
	CHECK(rt_alloc(0xffffffffu) == NULL);
	CHECK(rt_alloc(0xfffffff0u) == NULL);
	CHECK(rt_alloc(MACHINE_SIZE) == NULL);
	CHECK(rt_alloc(0) != NULL);
	rt_free(NULL);
}
