/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct bpf_dynptr as it lies on a program's stack. The program could overwrite it, so whoever
 * follows `data` checks it against the shadow again.
 */
#ifndef TAPIO_DYNPTR_H
#define TAPIO_DYNPTR_H

#include "runtime.h"

#define RT_DYNPTR_SIZE_MAX 0xffffffu

struct rt_dynptr {
	u64 data; /* 0 = null dynptr */
	u32 size;
	u32 offset;
};

/* The dynptr at a program's address, or a fault. */
static inline struct rt_dynptr *rt_dynptr_slot(u64 address)
{
	rt_check_write(address, sizeof(struct rt_dynptr));
	if (address % 8 != 0)
		rt_fault(RT_FAULT_ARGUMENT, address, sizeof(struct rt_dynptr));
	return (struct rt_dynptr *)(uintptr_t)address;
}

#endif
