/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs as the runtime knows them: what runs, on which CPU, how deep.
 *
 * An engine makes a program runnable by giving it an entry function; the runtime owns stacks, tail
 * calls, callbacks, the recursion guard, the budget and the run counters, so that they behave alike
 * on every engine.
 */
#ifndef TAPIO_PROGRAM_H
#define TAPIO_PROGRAM_H

#include "runtime.h"

#define RT_FRAMES_MAX 8
#define RT_FRAME_SIZE 512
#define RT_TAIL_CALLS_MAX 33

struct rt_program;
struct rt_program_map;

/* Runs the program to its end (or to a tail call) and returns r0. `frame` is the value of r10. */
typedef u64 (*rt_entry_fn)(struct rt_program *program, u64 context, u64 frame);

struct rt_program {
	u32 magic; /* RT_PROGRAM_MAGIC */
	u32 handle;
	u32 references;
	u32 context_size; /* bytes a program may read at r1; 0 = no context */
	rt_entry_fn entry;
	void (*destroy)(struct rt_program *program); /* frees engine_state; may be NULL */
	void *engine_state;
	u64 run_count;
	u64 recursion_misses;
	u32 running[RT_CPUS_MAX]; /* recursion guard, per CPU */
	struct rt_program *next_doomed;
	struct rt_program_map *maps; /* that the code names: program_maps.c */
};
#define RT_PROGRAM_MAGIC 0x70726f67u

struct rt_program *rt_program_from_handle(u32 handle); /* or NULL */
/* Drops one of `references` (the handle's, a program array's); the last one frees the program, once
 * no program runs any more. */
void rt_program_put(struct rt_program *program);
extern struct rt_program *rt_programs_doomed; /* without references, but perhaps still running */
/* No program runs: frees those that waited for it. */
void rt_programs_reap(void);
/* The program gives back the maps that it kept. */
void rt_program_maps_put(struct rt_program *program);

/*
 * A run, in this order (run.c): rt_cpu_enter (world.h), rt_held_enter (held.h), the entry function,
 * rt_held_leave, rt_cpu_leave. After a fault the host restores the C stack pointer (rt_stack_save /
 * rt_stack_restore, fault.c) and calls rt_run_unwind, which undoes the runs that did not end.
 */

/* The program whose code the engine is running, NULL outside a run. */
struct rt_program *rt_program_current(void);

u32 rt_run_depth(void); /* runs that have begun and not ended */
/* A program runs, and no run waits below it or for user space: nobody else can hold a pointer that this
 * one invalidates, as RCU lets them. */
bool rt_run_is_alone(void);
/* Of the innermost run: r1 at its start, and r10 of the open frame nearest to an address in its stack (0:
 * no run, or elsewhere). */
u64 rt_run_context(void);
u32 rt_run_frame_near(u64 address);
/* User space's turn, and other programs', within the innermost run. */
void rt_run_wait(void (*meanwhile)(void));

/* ---- for engines ---------------------------------------------------------------------------- */

/*
 * Every function of a program that the engine enters calls this with its r10: faults when the call
 * chain is too deep, opens the frame's 512 bytes to the program, and charges `cost` instructions.
 * The entry function of a program is entered by the runtime already; it only charges.
 */
void rt_function_enter(u64 frame, u32 cost);

/* What the innermost run has left of its budget. */
extern u64 rt_budget;

/* Takes `cost` instructions off the run's budget; faults when it is used up. */
void rt_budget_charge(u32 cost);

/* Before a helper that takes a callback: r10 of the caller, below which the callback runs. */
void rt_set_caller_frame(u64 frame);

/*
 * A callback as programs see it: the value of an LDDW that names a function is the address of one
 * of these. The engine makes them when it loads a program.
 */
struct rt_callback {
	u32 magic; /* RT_CALLBACK_MAGIC */
	struct rt_program *program;
	/* Runs the function with r1-r5 = arguments[0..4] and r10 = frame; returns r0. */
	u64 (*run)(struct rt_callback *callback, const u64 *arguments, u64 frame);
	u32 engine_data;
};
#define RT_CALLBACK_MAGIC 0x63616c6cu

/* ---- tail calls ----------------------------------------------------------------------------- */

/* Called by bpf_tail_call: the run goes on with `target` when the engine returns. Returns 0, or a
 * negative errno (and the caller falls through) when the limit of 33 is reached. */
s64 rt_tail_call_request(struct rt_program *target);

/*
 * A tail call out of a subprogram gives up that subprogram's frame only: the target runs in its
 * place and its r0 is what the subprogram returns. Engines call this after a request that was
 * granted in a subprogram, with that subprogram's r10.
 */
u64 rt_tail_call_in_frame(u64 frame);

/* ---- helpers -------------------------------------------------------------------------------- */

/* A helper's C function: arguments r1 to r5, result r0. */
typedef u64 (*rt_helper_fn)(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5);

/* By number of enum bpf_func_id; NULL where the runtime has none. helpers.c */
rt_helper_fn rt_helper_by_id(u32 id);

/* Called by engines before every helper: the seeded scheduler may run another CPU's program here,
 * never while a spin lock is held. world.c */
void rt_preemption_point(void);

/* Runs a callback of `program` outside any run of it (a timer that came due), as a run of its own on
 * `cpu`. Returns r0. */
u64 rt_run_callback(struct rt_program *program, u64 callback, u32 cpu, u64 a1, u64 a2, u64 a3);

#endif
