// SPDX-License-Identifier: Apache-2.0
/*
 * Which bytes of the stack were written. A granule of a frame that lacks some has the shadow state
 * UNWRITTEN, which no check in compiled code lets pass, and a bit for each byte in `written`.
 */
#include "bytes.h"
#include "paranoid.h"
#include "program.h"
#include "shadow.h"

/* Read-only, and nothing of it: no object has that. */
#define UNWRITTEN RT_SHADOW_READ_ONLY
#define ALL 0xff

bool rt_paranoid;
static u8 *written; /* written[address >> 3], bit n = byte n */

/* From now on, for good. 0 or -ENOMEM. Before the first program is loaded. */
RT_EXPORT(rt_paranoid_enable) s32 rt_paranoid_enable(void)
{
	written = rt_alloc(rt_memory_size / 8);
	if (written == NULL)
		return -ENOMEM;
	rt_paranoid = true;
	return 0;
}

RT_EXPORT(rt_paranoid_enabled) u32 rt_paranoid_enabled(void)
{
	return rt_paranoid;
}

void rt_stack_forget(u64 frame)
{
	u32 granule = ((u32)frame - RT_FRAME_SIZE) >> 3;

	memset(rt_shadow + granule, UNWRITTEN, RT_FRAME_SIZE >> 3);
	memset(written + granule, 0, RT_FRAME_SIZE >> 3);
}

static enum rt_stack_answer use_granule(u32 granule, u8 bytes, bool write)
{
	u8 state = rt_shadow[granule];

	if (state != UNWRITTEN) {
		u32 end = 32 - (u32)__builtin_clz(bytes);

		return (state & 15) >= end && !(write && state & RT_SHADOW_READ_ONLY) ?
			       RT_STACK_ALLOWED :
			       RT_STACK_FOREIGN;
	}
	if (write)
		written[granule] |= bytes;
	else if ((written[granule] & bytes) != bytes)
		return RT_STACK_UNWRITTEN;
	if (written[granule] == ALL)
		rt_shadow[granule] = 8;
	return RT_STACK_ALLOWED;
}

/* The bytes of the granule at `start` that lie in [address, end). */
static u8 bytes_in_granule(u64 start, u64 address, u64 end)
{
	u32 from = address > start ? (u32)(address - start) : 0;
	u32 until = end < start + 8 ? (u32)(end - start) : 8;

	return (u8)(((1u << until) - 1) & ~((1u << from) - 1));
}

enum rt_stack_answer rt_stack_use(u64 address, u32 size, bool write)
{
	u64 end = address + size;
	enum rt_stack_answer worst = RT_STACK_ALLOWED;

	if (!rt_paranoid || address >= rt_memory_size || end > rt_memory_size)
		return RT_STACK_FOREIGN;
	for (u64 start = address & ~7ull; start < end; start += 8) {
		u8 bytes = bytes_in_granule(start, address, end);

		switch (use_granule((u32)(start >> 3), bytes, write)) {
		case RT_STACK_FOREIGN:
			return RT_STACK_FOREIGN;
		case RT_STACK_UNWRITTEN:
			worst = RT_STACK_UNWRITTEN;
			break;
		case RT_STACK_ALLOWED:
			break;
		}
	}
	return worst;
}
