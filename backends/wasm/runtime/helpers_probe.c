// SPDX-License-Identifier: Apache-2.0
/*
 * Reads of simulated kernel and user memory. A failed read clears the whole destination; a string's
 * destination keeps its old bytes behind the NUL, as in the kernel.
 */
#include "helpers.h"
#include "simulated_memory.h"

static s64 probe_read(u64 to, u32 size, u64 from, enum rt_space space)
{
	int error;

	rt_check_write(to, size);
	error = rt_copy_from_space(rt_pointer(to), from, size, space);
	if (error != 0)
		rt_clear(to, size);
	return error;
}

static s64 probe_read_str(u64 to, u32 size, u64 from, enum rt_space space)
{
	s64 length;

	rt_check_write(to, size);
	length = space == RT_SPACE_USER ? rt_string_from_user(rt_pointer(to), from, size) :
					  rt_string_from_kernel(rt_pointer(to), from, size);
	if (length < 0)
		rt_clear(to, size);
	return length;
}

/* The old helpers take either: on x86 the address says which. */
static enum rt_space space_by_address(u64 address)
{
	return rt_is_user_address(address) ? RT_SPACE_USER : RT_SPACE_KERNEL;
}

RT_HELPER(probe_read)
{
	return (u64)probe_read(r1, (u32)r2, r3, space_by_address(r3));
}

RT_HELPER(probe_read_kernel)
{
	return (u64)probe_read(r1, (u32)r2, r3, RT_SPACE_KERNEL);
}

RT_HELPER(probe_read_user)
{
	return (u64)probe_read(r1, (u32)r2, r3, RT_SPACE_USER);
}

RT_HELPER(probe_read_str)
{
	return (u64)probe_read_str(r1, (u32)r2, r3, space_by_address(r3));
}

RT_HELPER(probe_read_kernel_str)
{
	return (u64)probe_read_str(r1, (u32)r2, r3, RT_SPACE_KERNEL);
}

RT_HELPER(probe_read_user_str)
{
	return (u64)probe_read_str(r1, (u32)r2, r3, RT_SPACE_USER);
}
