// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include "timer.h"
#include "timer_queue.h"

#define TIMERS 200

static bool due_before(const struct rt_timer *a, const struct rt_timer *b)
{
	return a->expiry_ns < b->expiry_ns ||
	       (a->expiry_ns == b->expiry_ns && a->sequence < b->sequence);
}

/* The earliest of the waiting ones, by looking at all. */
static struct rt_timer *earliest(struct rt_timer *timers)
{
	struct rt_timer *first = NULL;

	for (u32 i = 0; i < TIMERS; i++)
		if (timers[i].position != RT_TIMER_IDLE &&
		    (first == NULL || due_before(&timers[i], first)))
			first = &timers[i];
	return first;
}

TEST(queue_is_ordered, "the queue's first timer is the earliest after every random change")
{
	static struct rt_timer timers[TIMERS];
	u64 sequence = 0;

	for (u32 i = 0; i < TIMERS; i++)
		timers[i].position = RT_TIMER_IDLE;
	for (u32 step = 0; step < 20000; step++) {
		struct rt_timer *timer = &timers[test_random(TIMERS)];

		if (timer->position != RT_TIMER_IDLE) {
			rt_timer_queue_remove(timer);
		} else {
			timer->expiry_ns = test_random(50);
			timer->sequence = sequence++;
			CHECK(rt_timer_queue_add(timer));
		}
		CHECK(rt_timer_queue_first() == earliest(timers));
	}
}
