// SPDX-License-Identifier: Apache-2.0
/* The machine: CPUs, clocks, randomness. */
#include "helpers.h"
#include "world.h"

RT_HELPER(get_prandom_u32)
{
	return rt_random_u32();
}

RT_HELPER(get_smp_processor_id)
{
	return rt_cpu;
}

/* The simulated machine has one node. */
RT_HELPER(get_numa_node_id)
{
	return 0;
}

RT_HELPER(ktime_get_ns)
{
	return rt_clock_monotonic();
}

RT_HELPER(ktime_get_boot_ns)
{
	return rt_clock_boot();
}

RT_HELPER(ktime_get_coarse_ns)
{
	return rt_clock_monotonic_coarse();
}

RT_HELPER(ktime_get_tai_ns)
{
	return rt_clock_tai();
}

RT_HELPER(jiffies64)
{
	return rt_jiffies();
}
