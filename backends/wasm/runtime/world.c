// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "held.h"
#include "program.h"
#include "random.h"

RT_IMPORT(preempt) void host_preempt(void);

#define TAI_AHEAD_NS 37000000000ull /* of real time: leap seconds so far */
#define STREAM_PROGRAMS 0
#define STREAM_PREEMPTION 1

u32 rt_cpu_count = 1;
u32 rt_cpu;
u64 rt_now_ns;
u32 rt_tick_ns;
u32 rt_site;
u32 rt_cpu_runs[RT_CPUS_MAX];
u32 rt_preemption_countdown;
struct rt_attachment rt_attachment;

static struct rt_random program_random;
static struct rt_random preemption_random;
static u32 preemption_interval; /* mean number of helper calls between switches; 0 = off */

static u64 boot_offset_ns;
static u64 tai_offset_ns;

void rt_world_init(u32 cpus, u64 seed)
{
	rt_cpu_count = cpus;
	rt_cpu = 0;
	rt_now_ns = 0;
	memset(rt_cpu_runs, 0, sizeof(rt_cpu_runs));
	preemption_interval = 0;
	rt_preemption_countdown = 0;
	boot_offset_ns = rt_tick_ns = 0;
	tai_offset_ns = TAI_AHEAD_NS;
	rt_attachment = (struct rt_attachment){ 0 };
	rt_random_seed(&program_random, seed, STREAM_PROGRAMS);
	rt_random_seed(&preemption_random, seed, STREAM_PREEMPTION);
}

RT_EXPORT(rt_seed) void rt_seed(u32 seed_low, u32 seed_high)
{
	u64 seed = (u64)seed_high << 32 | seed_low;

	rt_random_seed(&program_random, seed, STREAM_PROGRAMS);
	rt_random_seed(&preemption_random, seed, STREAM_PREEMPTION);
}

u32 rt_random_u32(void)
{
	return rt_random_next(&program_random);
}

/* ---- CPUs ----------------------------------------------------------------------------------- */

/* RT_CPUS_MAX words: how deep runs nest on each CPU. A host picks an idle one when it preempts. */
RT_EXPORT(rt_cpu_runs_address) u32 *rt_cpu_runs_address(void)
{
	return rt_cpu_runs;
}

RT_EXPORT(rt_cpu_current) u32 rt_cpu_current(void)
{
	return rt_cpu;
}

RT_EXPORT(rt_cpu_possible) u32 rt_cpu_possible(void)
{
	return rt_cpu_count;
}

RT_EXPORT(rt_attachment_address) struct rt_attachment *rt_attachment_address(void)
{
	return &rt_attachment;
}

/* ---- clocks --------------------------------------------------------------------------------- */

u64 rt_clock_monotonic(void)
{
	return rt_now_ns += rt_tick_ns;
}

u64 rt_clock_boot(void)
{
	return rt_clock_monotonic() + boot_offset_ns;
}

u64 rt_clock_tai(void)
{
	return rt_clock_monotonic() + tai_offset_ns;
}

u64 rt_clock_offset(u32 clock)
{
	switch (clock) {
	case RT_CLOCK_REALTIME:
		return tai_offset_ns - TAI_AHEAD_NS;
	case RT_CLOCK_BOOTTIME:
		return boot_offset_ns;
	default:
		return 0;
	}
}

u64 rt_clock_monotonic_coarse(void)
{
	return rt_now_ns - rt_now_ns % RT_JIFFY_NS;
}

u64 rt_jiffies(void)
{
	/* The kernel starts five minutes before the 32-bit counter wraps, to find bugs early. */
	return (u32)(-300 * (s32)(1000000000u / RT_JIFFY_NS)) + rt_now_ns / RT_JIFFY_NS;
}

/* How far boot time and TAI are ahead of the monotonic clock. */
RT_EXPORT(rt_clock_set_offsets)
void rt_clock_set_offsets(u32 boot_low, u32 boot_high, u32 tai_low, u32 tai_high)
{
	boot_offset_ns = (u64)boot_high << 32 | boot_low;
	tai_offset_ns = (u64)tai_high << 32 | tai_low;
}

RT_EXPORT(rt_clock_set_tick) void rt_clock_set_tick(u32 ns)
{
	rt_tick_ns = ns;
}

/* The clock itself, a u64: the host reads and writes it in place. Timers fire only in rt_advance. */
RT_EXPORT(rt_clock_address) u64 *rt_clock_address(void)
{
	return &rt_now_ns;
}

/* ---- preemption ----------------------------------------------------------------------------- */

/* Geometric waiting time would cost a logarithm; uniform on [1, 2 mean - 1] has the same mean. */
static void draw_countdown(void)
{
	if (preemption_interval == 0)
		rt_preemption_countdown = 0; /* never */
	else
		rt_preemption_countdown =
			1 + (u32)((u64)rt_random_next(&preemption_random) *
				  (2ull * preemption_interval - 1) >> 32);
}

/* On average one switch in `interval` helper calls; 0 turns preemption off. */
RT_EXPORT(rt_preemption_set) void rt_preemption_set(u32 interval)
{
	preemption_interval = interval;
	draw_countdown();
}

RT_EXPORT(rt_preempt) void rt_preempt(void)
{
	u32 cpu;

	draw_countdown();
	if (preemption_interval == 0 || rt_held_lock != 0)
		return;
	/* Every CPU busy: nowhere to run. This also bounds how deep runs nest. */
	for (cpu = 0; cpu < rt_cpu_count && rt_cpu_runs[cpu] != 0; cpu++)
		;
	if (cpu < rt_cpu_count)
		rt_run_wait(host_preempt);
}

RT_EXPORT(rt_preemption_point) void rt_preemption_point(void)
{
	if (rt_preemption_countdown != 0 && --rt_preemption_countdown == 0)
		rt_preempt();
}

/* For code that a compiler emits: the countdown to decrement inline. */
RT_EXPORT(rt_preemption_countdown_address) u32 *rt_preemption_countdown_address(void)
{
	return &rt_preemption_countdown;
}

/* A draw of the scheduler's own stream, for the host that picks what runs: replays with the seed. */
RT_EXPORT(rt_preemption_random) u32 rt_preemption_random(void)
{
	return rt_random_next(&preemption_random);
}
