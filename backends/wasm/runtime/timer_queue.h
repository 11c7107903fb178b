/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting timers, the earliest first: a binary heap in which each timer knows its place. */
#ifndef TAPIO_TIMER_QUEUE_H
#define TAPIO_TIMER_QUEUE_H

#include "timer.h"

extern u32 rt_timers_waiting;
struct rt_timer *rt_timer_queue_first(void); /* or NULL */
/* False when memory is used up. */
bool rt_timer_queue_add(struct rt_timer *timer);
void rt_timer_queue_remove(struct rt_timer *timer);

#endif
