/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated machine: CPUs, clocks, randomness and preemption. Tasks stand in task.h, kernel and
 * user memory in simulated_memory.h.
 */
#ifndef TAPIO_WORLD_H
#define TAPIO_WORLD_H

#include "runtime.h"

/* 1 to RT_CPUS_MAX CPUs; every random stream starts over from `seed`. */
void rt_world_init(u32 cpus, u64 seed);

/*
 * Which CPUs run a program now. Whoever starts a run enters first and leaves last; `rt_cpu` is the
 * CPU entered last. Runs nest: a preempted one waits below the one that the host chose.
 */
extern u32 rt_cpu_runs[RT_CPUS_MAX]; /* depth of runs on each CPU; 0 = idle */

/* Returns what rt_cpu was, for rt_cpu_leave. */
static inline u32 rt_cpu_enter(u32 cpu)
{
	u32 previous = rt_cpu;

	rt_cpu = cpu;
	rt_cpu_runs[cpu]++;
	return previous;
}

static inline void rt_cpu_leave(u32 previous_cpu)
{
	rt_cpu_runs[rt_cpu]--;
	rt_cpu = previous_cpu;
}

/* What the running program is attached to; the host writes it before a run. */
struct rt_attachment {
	u64 cookie;           /* bpf_get_attach_cookie */
	u64 function_address; /* bpf_get_func_ip */
};
extern struct rt_attachment rt_attachment;

/* ---- clocks --------------------------------------------------------------------------------- */

/* One jiffy: CONFIG_HZ=250. */
#define RT_JIFFY_NS 4000000u

extern u32 rt_tick_ns;               /* what every reading of a clock adds to it */
u64 rt_clock_monotonic(void);        /* reads the clock as a program does: may tick */
u64 rt_clock_boot(void);             /* monotonic + time suspended */
u64 rt_clock_tai(void);              /* real time + 37 s */
u64 rt_clock_monotonic_coarse(void); /* of the last jiffy */
u64 rt_jiffies(void);

/* Linux clock ids, as timers name them. */
#define RT_CLOCK_REALTIME 0u
#define RT_CLOCK_MONOTONIC 1u
#define RT_CLOCK_BOOTTIME 7u
/* What such a clock is ahead of the monotonic one. */
u64 rt_clock_offset(u32 clock);

/* ---- preemption ----------------------------------------------------------------------------- */

/*
 * Helper calls until the scheduler may switch; engines may decrement it inline and call
 * rt_preempt() at zero instead of calling rt_preemption_point().
 */
extern u32 rt_preemption_countdown;
void rt_preempt(void);

#endif
