// SPDX-License-Identifier: Apache-2.0
/* Dynptrs over map values and ring-buffer records (those: helpers_ringbuf.c). */
#include "dynptr.h"
#include "helpers.h"

static bool in_range(const struct rt_dynptr *dynptr, u32 offset, u32 length)
{
	return length <= dynptr->size && offset <= dynptr->size - length;
}

RT_HELPER(dynptr_from_mem)
{
	struct rt_dynptr *dynptr = rt_dynptr_slot(r4);
	u32 size = (u32)r2;

	/* Overwriting one that still owns a record would lose it. */
	if (rt_reference_held(r4))
		rt_fault(RT_FAULT_REFERENCE, r4, 0);
	rt_check_write(r1, size);
	*dynptr = (struct rt_dynptr){ 0 };
	if (size > RT_DYNPTR_SIZE_MAX)
		return (u64)-E2BIG;
	if (r3 != 0)
		return (u64)-EINVAL;
	*dynptr = (struct rt_dynptr){ .data = r1, .size = size };
	return 0;
}

RT_HELPER(dynptr_read)
{
	struct rt_dynptr *dynptr = rt_dynptr_slot(r3);
	u32 length = (u32)r2;
	u32 offset = (u32)r4;

	rt_check_write(r1, length);
	if (dynptr->data == 0 || r5 != 0)
		return (u64)-EINVAL;
	if (!in_range(dynptr, offset, length))
		return (u64)-E2BIG;
	rt_check_read(dynptr->data + offset, length);
	rt_copy(r1, dynptr->data + offset, length);
	return 0;
}

RT_HELPER(dynptr_write)
{
	struct rt_dynptr *dynptr = rt_dynptr_slot(r1);
	u32 offset = (u32)r2;
	u32 length = (u32)r4;

	rt_check_read(r3, length);
	if (dynptr->data == 0 || r5 != 0)
		return (u64)-EINVAL;
	if (!in_range(dynptr, offset, length))
		return (u64)-E2BIG;
	rt_check_write(dynptr->data + offset, length);
	rt_copy(dynptr->data + offset, r3, length);
	return 0;
}

RT_HELPER(dynptr_data)
{
	struct rt_dynptr *dynptr = rt_dynptr_slot(r1);
	u32 offset = (u32)r2;

	if (dynptr->data == 0 || !in_range(dynptr, offset, (u32)r3))
		return 0;
	return dynptr->data + offset;
}
