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

/* A run begins; the result goes back to rt_held_leave or rt_held_abandon. */
u32 rt_held_enter(void);
/* A run ends well: faults when it still holds something. */
void rt_held_leave(u32 entered);
/* A run ended in a fault: what it held is released (records are discarded, the lock is freed). */
void rt_held_abandon(u32 entered);
extern u32 rt_held_depth; /* runs between enter and leave */
/* Faults when the run holds something, as the kernel refuses a tail call then. */
void rt_held_check_none(void);

/* `release` is called only when the run is abandoned. False when RT_REFERENCES_MAX are held. */
bool rt_reference_add(u64 address, void (*release)(u64 address));
/* Faults unless the run holds `address`. */
void rt_reference_remove(u64 address);
bool rt_reference_held(u64 address);

/* A run holds at most one lock. Both fault when misused. */
extern u64 rt_held_lock; /* its address, 0 = none */
void rt_lock_acquire(u64 address);
void rt_lock_release(u64 address);

#endif
