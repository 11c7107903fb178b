// SPDX-License-Identifier: Apache-2.0
#include "timer_queue.h"

static struct rt_timer **queue;
u32 rt_timers_waiting;
static u32 capacity;

static bool before(const struct rt_timer *a, const struct rt_timer *b)
{
	return a->expiry_ns < b->expiry_ns ||
	       (a->expiry_ns == b->expiry_ns && a->sequence < b->sequence);
}

static void place(struct rt_timer *timer, u32 position)
{
	queue[position] = timer;
	timer->position = position;
}

static void sift_up(struct rt_timer *timer, u32 position)
{
	while (position != 0 && before(timer, queue[(position - 1) / 2])) {
		place(queue[(position - 1) / 2], position);
		position = (position - 1) / 2;
	}
	place(timer, position);
}

static void sift_down(struct rt_timer *timer, u32 position)
{
	for (;;) {
		u32 child = 2 * position + 1;

		if (child + 1 < rt_timers_waiting && before(queue[child + 1], queue[child]))
			child++;
		if (child >= rt_timers_waiting || !before(queue[child], timer))
			break;
		place(queue[child], position);
		position = child;
	}
	place(timer, position);
}

static bool grow(void)
{
	struct rt_timer **larger = rt_alloc((capacity * 2 + 16) * (u32)sizeof(*queue));

	if (larger == NULL)
		return false;
	if (rt_timers_waiting != 0)
		memcpy(larger, queue, rt_timers_waiting * sizeof(*queue));
	rt_free(queue);
	queue = larger;
	capacity = capacity * 2 + 16;
	return true;
}

struct rt_timer *rt_timer_queue_first(void)
{
	return rt_timers_waiting == 0 ? NULL : queue[0];
}

bool rt_timer_queue_add(struct rt_timer *timer)
{
	if (rt_timers_waiting == capacity && !grow())
		return false;
	sift_up(timer, rt_timers_waiting++);
	return true;
}

void rt_timer_queue_remove(struct rt_timer *timer)
{
	u32 position = timer->position;
	struct rt_timer *last = queue[--rt_timers_waiting];

	timer->position = RT_TIMER_IDLE;
	if (last == timer)
		return;
	if (position != 0 && before(last, queue[(position - 1) / 2]))
		sift_up(last, position);
	else
		sift_down(last, position);
}
