// SPDX-License-Identifier: Apache-2.0
/*
 * Spin locks. There is one thread, and a run that holds a lock is never preempted, so a lock is
 * always free when it is asked for; what is left to do is to catch misuse.
 */
#include "helpers.h"

static void check_lock(u64 address)
{
	rt_check_write(address, RT_SPIN_LOCK_SIZE);
	if (address % 4 != 0)
		rt_fault(RT_FAULT_ARGUMENT, address, RT_SPIN_LOCK_SIZE);
}

/* Not RT_HELPER: a second lock is rt_lock_acquire's to refuse. */
u64 rt_helper_spin_lock(RT_HELPER_PARAMETERS)
{
	check_lock(r1);
	rt_lock_acquire(r1);
	return 0;
}

u64 rt_helper_spin_unlock(RT_HELPER_PARAMETERS)
{
	check_lock(r1);
	rt_lock_release(r1);
	return 0;
}
