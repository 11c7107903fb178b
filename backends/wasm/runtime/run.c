// SPDX-License-Identifier: Apache-2.0
/*
 * Running programs. Runs nest (a preempted program waits below the one that the scheduler chose), so
 * they lie on a stack of their own; a fault leaves it as it was and rt_run_unwind cleans up.
 *
 * Each level of nesting has an area for BPF frames, taken on first use and kept: nothing is
 * allocated per run. Frames below the entry function's are opened to the program as calls reach them
 * and closed when the run ends.
 */
#include "run.h"

#include "bytes.h"
#include "held.h"
#include "paranoid.h"
#include "world.h"

/*
 * A tail call out of a subprogram leaves the frames of its callers in place. There is room for one of
 * them at each tail call; longer chains, which the kernel takes if their frames are small, fault.
 */
#define FRAMES_IN_RUN (RT_FRAMES_MAX + RT_TAIL_CALLS_MAX)
/* Engines prepare scratch for a whole chain, even where only some of its frames may be used. */
#define FRAMES_IN_AREA (FRAMES_IN_RUN + RT_FRAMES_MAX)
#define AREA_SIZE (FRAMES_IN_AREA * RT_FRAME_SIZE + RT_SCRATCH_DISTANCE)
_Static_assert(FRAMES_IN_AREA *RT_FRAME_SIZE <= RT_SCRATCH_DISTANCE, "scratch lies below all frames");

#define RUNS_MAX (2 * RT_CPUS_MAX)
#define BUDGET_DEFAULT 1000000

struct run {
	struct rt_program *program;	/* whose code runs: a tail call changes it */
	struct rt_program *guarded;	/* whose recursion guard is set, or NULL */
	struct rt_program *tail_target; /* asked for, not yet begun */
	u64 context;
	u64 outer_budget; /* what is left to the run below */
	u32 top;	  /* r10 of the entry function */
	u32 lowest;	  /* frames are open from here to `top` */
	u32 floor;	  /* the current program's frames may not reach below */
	u32 caller_frame; /* r10 of the function that called the helper being run */
	u32 tail_calls;
	u32 previous_cpu;
	u32 held;
};

static struct run runs[RUNS_MAX];
static u32 areas[RUNS_MAX]; /* top of each level's area; 0 = not taken yet */
static u32 depth;
static u32 waiting_depth; /* runs that wait while others do something */
static struct run *run; /* the innermost, or NULL */
static u64 budget_per_run = BUDGET_DEFAULT;
u64 rt_budget;
static u64 result;

/* ---- beginning and ending ------------------------------------------------------------------- */

static u32 area_top(u32 level)
{
	if (areas[level] == 0) {
		u8 *area = rt_alloc(AREA_SIZE);

		if (area == NULL)
			rt_fault(RT_FAULT_ENGINE, 0, AREA_SIZE);
		areas[level] = (u32)(uintptr_t)area + AREA_SIZE;
		rt_shadow_set(area + AREA_SIZE - RT_FRAME_SIZE, RT_FRAME_SIZE, RT_ACCESS_WRITE);
	}
	return areas[level];
}

/* Opens (8) or closes (0) frames from `bottom` to `top`, in the shadow. */
static void frames_set(u32 bottom, u32 top, u8 state)
{
	for (; bottom < top; bottom += RT_FRAME_SIZE)
		rt_bytes_fill(rt_shadow + (bottom >> 3), state, RT_FRAME_SIZE >> 3);
}

static void begin(struct rt_program *program, u64 context, u32 cpu)
{
	struct run *next = &runs[depth];
	u32 top;

	if (depth == RUNS_MAX)
		rt_fault(RT_FAULT_ENGINE, 0, 0);
	top = area_top(depth);
	*next = (struct run){
		.program = program,
		.context = context,
		.outer_budget = rt_budget,
		.top = top,
		.lowest = top - RT_FRAME_SIZE,
		.floor = top - RT_FRAMES_MAX * RT_FRAME_SIZE,
		.caller_frame = top,
		.previous_cpu = rt_cpu_enter(cpu),
		.held = rt_held_enter(),
	};
	rt_budget = budget_per_run;
	depth++;
	run = next;
}

/* Forgets the innermost run; what it held is the caller's business. */
static void end(void)
{
	u32 kept = run->top - RT_FRAME_SIZE;

	frames_set(run->lowest, kept, 0);
	if (run->guarded != NULL)
		run->guarded->running[rt_cpu] = 0;
	rt_cpu_leave(run->previous_cpu);
	rt_budget = run->outer_budget;
	depth--;
	run = depth == 0 ? NULL : &runs[depth - 1];
	if (depth == 0) {
		if (rt_programs_doomed != NULL)
			rt_programs_reap();
		if (rt_maps_doomed != NULL)
			rt_maps_reap();
		rt_quarantine_release();
	}
}

/* Runs run->tail_target, and what it tail-calls, with r10 = frame. */
static u64 run_to_end(u64 frame)
{
	u64 r0;

	do {
		run->program = run->tail_target;
		run->tail_target = NULL;
		if (rt_paranoid)
			rt_stack_forget(frame);
		r0 = run->program->entry(run->program, run->context, frame);
	} while (run->tail_target != NULL);
	return r0;
}

/*
 * One run of a program on `cpu`. Returns 0 and leaves r0 where program_result_address says; 1 when
 * the program already runs on that CPU (the kernel skips it and counts a miss); or -EBADF, -EINVAL.
 */
RT_EXPORT(program_run) s32 program_run(u32 handle, u32 context, u32 cpu)
{
	struct rt_program *program = rt_program_from_handle(handle);

	if (program == NULL || program->entry == NULL)
		return -EBADF;
	if (cpu >= rt_cpu_count)
		return -EINVAL;
	if (program->running[cpu] != 0) {
		program->recursion_misses++;
		return 1;
	}
	begin(program, context, cpu);
	run->guarded = program;
	run->tail_target = program;
	program->running[cpu] = 1;
	program->run_count++;
	result = run_to_end(run->top);
	rt_held_leave(run->held);
	end();
	return 0;
}

RT_EXPORT(program_result_address) u64 *program_result_address(void)
{
	return &result;
}

RT_EXPORT(rt_budget_set) void rt_budget_set(u32 low, u32 high)
{
	budget_per_run = (u64)high << 32 | low;
}

/* ---- after a fault -------------------------------------------------------------------------- */

/* How many runs are nested now; what rt_run_unwind takes. */
RT_EXPORT(rt_run_depth_address) u32 *rt_run_depth_address(void)
{
	return &depth;
}

/* Undoes the runs above `to_depth`, which a fault ended: what they held is released. */
RT_EXPORT(rt_run_unwind) void rt_run_unwind(u32 to_depth)
{
	while (depth > to_depth) {
		rt_held_abandon(run->held);
		/* It may have waited. */
		if (!rt_paranoid)
			frames_set(run->top - RT_FRAME_SIZE, run->top, 8);
		end();
	}
	if (waiting_depth > depth)
		waiting_depth = depth;
}

/* The program whose code runs, or 0: which one a fault is about. */
RT_EXPORT(program_current) u32 program_current(void)
{
	return run == NULL ? 0 : run->program->handle;
}

u32 rt_run_depth(void)
{
	return depth;
}

bool rt_run_is_alone(void)
{
	return depth == 1 && waiting_depth == 0;
}

u64 rt_run_context(void)
{
	return run == NULL ? 0 : run->context;
}

u32 rt_run_frame_near(u64 address)
{
	u32 below;

	if (run == NULL || address < run->top - AREA_SIZE || address >= run->top + RT_FRAME_SIZE)
		return 0;
	if (address >= run->top)
		return run->top;
	below = (run->top - 1 - (u32)address) / RT_FRAME_SIZE;
	if (run->top - below * RT_FRAME_SIZE <= run->lowest)
		return run->lowest + RT_FRAME_SIZE;
	return run->top - below * RT_FRAME_SIZE;
}

/*
 * The frames of a run that waits are nobody else's to touch. (A paranoid machine, whose shadow says more of frames,
 * leaves them open.)
 */
void rt_run_wait(void (*meanwhile)(void))
{
	struct run *waiting = rt_paranoid ? NULL : run;
	u32 outer = waiting_depth;

	waiting_depth = depth;
	if (waiting != NULL)
		frames_set(waiting->lowest, waiting->top, 0);
	meanwhile();
	if (waiting != NULL)
		frames_set(waiting->lowest, waiting->top, 8);
	waiting_depth = outer;
}

struct rt_program *rt_program_current(void)
{
	return run == NULL ? NULL : run->program;
}

/* ---- for engines ---------------------------------------------------------------------------- */

void rt_budget_charge(u32 cost)
{
	if (rt_budget < cost)
		rt_fault(RT_FAULT_BUDGET, 0, 0);
	rt_budget -= cost;
}

void rt_function_enter(u64 frame, u32 cost)
{
	u32 bottom = (u32)frame - RT_FRAME_SIZE;

	if (bottom < run->floor)
		rt_fault(RT_FAULT_CALL_DEPTH, frame, RT_FRAMES_MAX);
	if (bottom < run->lowest) {
		frames_set(bottom, run->lowest, 8);
		run->lowest = bottom;
	}
	if (rt_paranoid)
		rt_stack_forget(frame);
	rt_budget_charge(cost);
}

void rt_set_caller_frame(u64 frame)
{
	run->caller_frame = (u32)frame;
}

/* ---- tail calls ----------------------------------------------------------------------------- */

s64 rt_tail_call_request(struct rt_program *target)
{
	if (run == NULL || target->entry == NULL)
		return -EINVAL;
	if (run->tail_calls == RT_TAIL_CALLS_MAX)
		return -E2BIG;
	run->tail_calls++;
	run->tail_target = target;
	return 0;
}

u64 rt_tail_call_in_frame(u64 frame)
{
	struct rt_program *program = run->program;
	u32 floor = run->floor;
	u32 caller_frame = run->caller_frame;
	u64 r0;

	run->floor = (u32)frame - RT_FRAMES_MAX * RT_FRAME_SIZE;
	if (run->floor < run->top - FRAMES_IN_RUN * RT_FRAME_SIZE)
		run->floor = run->top - FRAMES_IN_RUN * RT_FRAME_SIZE;
	r0 = run_to_end(frame);
	run->program = program;
	run->floor = floor;
	run->caller_frame = caller_frame;
	return r0;
}

/* ---- callbacks ------------------------------------------------------------------------------ */

static struct rt_callback *callback_from_pointer(u64 pointer, struct rt_program *program)
{
	struct rt_callback *callback = (struct rt_callback *)(uintptr_t)pointer;

	if (pointer % _Alignof(struct rt_callback) != 0 || pointer < RT_PAGE_SIZE ||
	    pointer > rt_memory_size - sizeof(*callback) || callback->magic != RT_CALLBACK_MAGIC ||
	    callback->program != program)
		rt_fault(RT_FAULT_ARGUMENT, pointer, 0);
	return callback;
}

u64 rt_call_callback(u64 pointer, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	const u64 arguments[5] = { a1, a2, a3, a4, a5 };
	struct rt_callback *callback = callback_from_pointer(pointer, rt_program_current());
	u32 caller_frame = run->caller_frame;
	u32 site = rt_site;
	u64 r0 = callback->run(callback, arguments, caller_frame - RT_FRAME_SIZE);

	/* The callback's own helper calls moved both. */
	run->caller_frame = caller_frame;
	rt_site = site;
	return r0;
}

u64 rt_run_callback(struct rt_program *program, u64 pointer, u32 cpu, u64 a1, u64 a2, u64 a3)
{
	const u64 arguments[5] = { a1, a2, a3, 0, 0 };
	struct rt_callback *callback;
	u64 r0;

	begin(program, 0, cpu);
	callback = callback_from_pointer(pointer, program);
	r0 = callback->run(callback, arguments, run->top);
	rt_held_leave(run->held);
	end();
	return r0;
}
