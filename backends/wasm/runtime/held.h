/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run holds and must give back before it ends: reserved records and a spin lock. The kernel's
 * verifier proves it; here it is counted, and a run that ends holding something faults.
 *
 * Runs nest (preemption), so references lie on one stack and every run sees its own part.
 */
#ifndef TAPIO_HELD_H
#define TAPIO_HELD_H

#include "runtime.h"

#define RT_REFERENCES_MAX 256

extern u32 rt_held_depth;      /* runs between enter and leave */
extern u32 rt_reference_count; /* of all runs together */
extern u32 rt_reference_base;  /* first reference of the running run */
extern u64 rt_held_lock;       /* address of the lock that the run holds, 0 = none */

/* Faults when the run holds something, as the kernel refuses a tail call then. */
void rt_held_check_none(void);

/* A run begins; the result goes back to rt_held_leave or rt_held_abandon. */
static inline u32 rt_held_enter(void)
{
	u32 outer_base = rt_reference_base;

	rt_reference_base = rt_reference_count;
	rt_held_depth++;
	return outer_base;
}

/* A run ends well: faults when it still holds something. */
static inline void rt_held_leave(u32 entered)
{
	if (rt_held_lock != 0 || rt_reference_count != rt_reference_base)
		rt_held_check_none();
	rt_reference_base = entered;
	rt_held_depth--;
}

/* A run ended in a fault: what it held is released (records are discarded, the lock is freed). */
void rt_held_abandon(u32 entered);

/* `release` is called only when the run is abandoned. False when RT_REFERENCES_MAX are held. */
bool rt_reference_add(u64 address, void (*release)(u64 address));
/* Faults unless the run holds `address`. */
void rt_reference_remove(u64 address);
bool rt_reference_held(u64 address);

/* A run holds at most one lock. Both fault when misused. */
void rt_lock_acquire(u64 address);
void rt_lock_release(u64 address);

#endif
