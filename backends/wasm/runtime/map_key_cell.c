// SPDX-License-Identifier: Apache-2.0
#include "held.h"
#include "runtime.h"

static void release(u64 address)
{
	void *cell = (void *)(uintptr_t)address;

	rt_shadow_set(cell, 8, RT_ACCESS_NONE);
	rt_free(cell);
}

void *rt_key_cell_take(u32 size)
{
	void *cell = rt_alloc(8);

	if (cell == NULL)
		return NULL;
	if (!rt_reference_add((uintptr_t)cell, release)) {
		rt_free(cell);
		return NULL;
	}
	rt_shadow_set(cell, size, RT_ACCESS_READ);
	return cell;
}

void rt_key_cell_give(void *cell)
{
	rt_reference_remove((uintptr_t)cell);
	release((uintptr_t)cell);
}
