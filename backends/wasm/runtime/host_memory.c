// SPDX-License-Identifier: Apache-2.0
/* Memory that the host takes: scratch buffers, and contexts (what r1 points at when a program starts). */
#include "runtime.h"

/* `size` zeroed bytes that no program may touch; 0 when memory is used up. */
RT_EXPORT(memory_alloc) void *memory_alloc(u32 size)
{
	return rt_alloc(size);
}

RT_EXPORT(memory_free) void memory_free(void *block)
{
	rt_free(block);
}

/* `size` zeroed bytes that programs may read, and write if `writable`; 0 when memory is used up. */
RT_EXPORT(context_create) void *context_create(u32 size, u32 writable)
{
	void *context = rt_alloc(size);

	if (context != NULL && size != 0)
		rt_shadow_set(context, size, writable ? RT_ACCESS_WRITE : RT_ACCESS_READ);
	return context;
}

RT_EXPORT(context_destroy) void context_destroy(void *context, u32 size)
{
	if (context != NULL && size != 0)
		rt_shadow_set(context, size, RT_ACCESS_NONE);
	rt_free(context);
}
