// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

TEST(shadow_is_exact, "every byte of every access near an object of 1 to 40 bytes is judged exactly")
{
	u8 *area = rt_alloc(256);
	u64 start = (uintptr_t)area + 64;

	for (u32 size = 1; size <= 40; size++) {
		rt_shadow_set(area + 64, size, RT_ACCESS_WRITE);
		for (u64 at = start - 16; at < start + 64; at++) {
			for (u32 length = 1; length <= 48; length++) {
				bool inside = at >= start && at + length <= start + size;

				CHECK(rt_shadow_allows(at, length, false) == inside);
				CHECK(rt_shadow_allows(at, length, true) == inside);
			}
		}
		rt_shadow_set(area + 64, size, RT_ACCESS_NONE);
		CHECK(!rt_shadow_allows(start, 1, false));
	}
}

TEST(read_only_refuses_stores, "read-only memory refuses stores, also where only its tail is touched")
{
	u8 *area = rt_alloc(64);
	u64 start = (uintptr_t)area;

	rt_shadow_set(area, 16, RT_ACCESS_WRITE);
	rt_shadow_set(area + 16, 13, RT_ACCESS_READ);
	CHECK(rt_shadow_allows(start, 29, false));
	CHECK(!rt_shadow_allows(start, 17, true));
	CHECK(!rt_shadow_allows(start + 24, 1, true));
	CHECK(rt_shadow_allows(start, 16, true));
}

TEST(edges_of_memory, "NULL, addresses beyond memory and wrapping ranges are refused")
{
	CHECK(!rt_shadow_allows(0, 1, false));
	CHECK(!rt_shadow_allows(8, 4, false));
	CHECK(!rt_shadow_allows(rt_memory_size, 1, false));
	CHECK(!rt_shadow_allows(rt_memory_size - 1, 2, false));
	CHECK(!rt_shadow_allows(UINT64_MAX, 1, false));
	CHECK(!rt_shadow_allows(UINT64_MAX - 7, 0xffffffffu, false));
	CHECK(!rt_shadow_allows(1ull << 32 | MACHINE_START, 1, false));
}
