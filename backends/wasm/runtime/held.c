// SPDX-License-Identifier: Apache-2.0
#include "held.h"

#include "timer.h"

struct reference {
	u64 address;
	void (*release)(u64 address);
};

static struct reference references[RT_REFERENCES_MAX];
u32 rt_reference_count;
u32 rt_reference_base;

u32 rt_held_depth;
u64 rt_held_lock; /* never held across runs, because no run starts under a lock */

RT_EXPORT(rt_held_abandon) void rt_held_abandon(u32 entered)
{
	if (rt_held_lock != 0) {
		*(u32 *)(uintptr_t)rt_held_lock = 0;
		rt_held_lock = 0;
	}
	while (rt_reference_count > rt_reference_base) {
		struct reference *last = &references[--rt_reference_count];
		last->release(last->address);
	}
	rt_timers_abandon(rt_held_depth);
	rt_reference_base = entered;
	rt_held_depth--;
}

void rt_held_check_none(void)
{
	if (rt_held_lock != 0)
		rt_fault(RT_FAULT_LOCK, rt_held_lock, 4);
	if (rt_reference_count != rt_reference_base)
		rt_fault(RT_FAULT_REFERENCE, references[rt_reference_count - 1].address, 0);
}

bool rt_reference_add(u64 address, void (*release)(u64 address))
{
	if (rt_reference_count == RT_REFERENCES_MAX)
		return false;
	references[rt_reference_count++] = (struct reference){ address, release };
	return true;
}

/* The index of `address` among the run's references, or RT_REFERENCES_MAX. Latest first. */
static u32 reference_find(u64 address)
{
	for (u32 i = rt_reference_count; i > rt_reference_base; i--)
		if (references[i - 1].address == address)
			return i - 1;
	return RT_REFERENCES_MAX;
}

bool rt_reference_held(u64 address)
{
	return reference_find(address) != RT_REFERENCES_MAX;
}

void rt_reference_remove(u64 address)
{
	u32 index = reference_find(address);

	if (index == RT_REFERENCES_MAX)
		rt_fault(RT_FAULT_REFERENCE, address, 0);
	rt_reference_count--;
	/* Usually the last one: spares a call of memmove with nothing to move. */
	if (index != rt_reference_count)
		memmove(&references[index], &references[index + 1],
			(rt_reference_count - index) * sizeof(references[0]));
}

void rt_lock_acquire(u64 address)
{
	if (rt_held_lock != 0)
		rt_fault(RT_FAULT_LOCK, address, 4);
	rt_held_lock = address;
	*(u32 *)(uintptr_t)address = 1;
}

void rt_lock_release(u64 address)
{
	if (rt_held_lock != address)
		rt_fault(RT_FAULT_LOCK, address, 4);
	rt_held_lock = 0;
	*(u32 *)(uintptr_t)address = 0;
}
