/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of programs (struct bpf_timer in map values), on the virtual clock. Nothing fires by
 * itself: the host advances the clock (rt_advance), which runs what came due, in order.
 */
#ifndef TAPIO_TIMER_H
#define TAPIO_TIMER_H

#include "program.h"

#define RT_TIMER_IDLE 0xffffffffu

struct rt_timer {
	u32 magic;
	u32 position; /* in the queue, or RT_TIMER_IDLE */
	struct rt_map *map;
	struct rt_program *program; /* keeps a reference; NULL until set_callback, and after cancel */
	u64 value;    /* address of the map value; 0 once that died */
	u64 callback; /* as the program passed it */
	u64 expiry_ns;
	u64 sequence; /* of the start: the earlier one fires first */
	u64 array_key; /* what the callback is told; readable to programs */
	u32 clock;
	u32 cpu; /* that started it, and where it fires */
};

/* 0, -EBUSY where the value has a timer already, or -ENOMEM. `slot` is the struct bpf_timer. */
s64 rt_timer_create(struct rt_map *map, u64 slot, u32 clock);
/* The timer of a slot, or NULL. */
struct rt_timer *rt_timer_at(u64 slot);
void rt_timer_set_callback(struct rt_timer *timer, struct rt_program *program, u64 callback);
s64 rt_timer_start(struct rt_timer *timer, u64 ns, bool absolute);
/* 1 if it was waiting, 0 if not, -EDEADLK from its own callback. Forgets the callback. */
s64 rt_timer_cancel(struct rt_timer *timer);

/* A run at this depth (rt_held_depth) was abandoned; it may have been a timer's. */
void rt_timers_abandon(u32 depth);

#endif
