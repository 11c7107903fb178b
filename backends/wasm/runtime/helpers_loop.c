// SPDX-License-Identifier: Apache-2.0
/* Control flow: bpf_loop and bpf_tail_call. */
#include "helpers.h"
#include "map_prog_array.h"

#define LOOPS_MAX (1u << 23)

RT_HELPER(loop)
{
	u32 count = (u32)r1;

	if (r4 != 0)
		return (u64)-EINVAL;
	if (count > LOOPS_MAX)
		return (u64)-E2BIG;
	for (u32 i = 0; i < count; i++)
		if (rt_call_callback(r2, i, r3, 0, 0, 0) != 0)
			return i + 1;
	return count;
}

/* r1 is the context, which the target inherits from the run. */
RT_HELPER(tail_call)
{
	struct rt_map *map = rt_map_from_pointer(r2);
	u32 index = (u32)r3;
	struct rt_program *target;

	if (map->type != RT_MAP_PROG_ARRAY)
		rt_fault(RT_FAULT_ARGUMENT, r2, 0);
	rt_held_check_none();
	if (index >= map->max_entries)
		return (u64)-E2BIG;
	target = rt_prog_array_get(map, index);
	return (u64)(target == NULL ? -ENOENT : rt_tail_call_request(target));
}
