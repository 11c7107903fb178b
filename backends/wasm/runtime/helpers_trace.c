// SPDX-License-Identifier: Apache-2.0
/* What tracing programs ask about the place they are attached to, and perf samples. */
#include "helpers.h"
#include "perf_buffer.h"
#include "world.h"

#define INDEX_MASK 0xffffffffu
#define CURRENT_CPU INDEX_MASK
/* The length of a whole perf record is 16 bits wide. */
#define SAMPLE_MAX (65535u - 24u)

#define STACK_FLAGS (0xffu | 1u << 8 | 1u << 11) /* skip, BPF_F_USER_STACK, BPF_F_USER_BUILD_ID */

RT_HELPER(get_attach_cookie)
{
	return rt_attachment.cookie;
}

RT_HELPER(get_func_ip)
{
	return rt_attachment.function_address;
}

RT_HELPER(perf_event_output)
{
	struct rt_map *map = rt_map_from_pointer(r2);
	struct rt_perf_buffer *buffer;
	u32 index = (u32)r3;
	u32 size = (u32)r5;

	if (map->type != RT_MAP_PERF_EVENT_ARRAY)
		rt_fault(RT_FAULT_ARGUMENT, r2, 0);
	rt_check_read(r4, size);
	if (r3 & ~(u64)INDEX_MASK)
		return (u64)-EINVAL;
	if (index == CURRENT_CPU)
		index = rt_cpu;
	if (index >= map->max_entries || size > SAMPLE_MAX)
		return (u64)-E2BIG;
	buffer = rt_perf_buffer_find(map, index);
	if (buffer == NULL)
		return (u64)-ENOENT;
	/* An event counts on its own CPU only. */
	if (buffer->cpu != rt_cpu)
		return (u64)-EOPNOTSUPP;
	if (rt_ring_output(buffer->ring, rt_pointer(r4), size, 0))
		return 0;
	buffer->lost++;
	return (u64)-ENOSPC;
}

/* Simulated tasks have no stack to walk; the kernel's answer where it cannot walk one is -EFAULT. */
RT_HELPER(get_stackid)
{
	return (u64)-EFAULT;
}

RT_HELPER(get_stack)
{
	u32 size = (u32)r3;

	rt_check_write(r2, size);
	rt_clear(r2, size);
	return (u64)(r4 & ~(u64)STACK_FLAGS ? -EINVAL : -EFAULT);
}
