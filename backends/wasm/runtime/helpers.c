// SPDX-License-Identifier: Apache-2.0
#include "helpers.h"

#include "program.h"

#define TABLE_ENTRY(id, name) [id] = rt_helper_##name,
static const rt_helper_fn table[RT_HELPER_ID_MAX + 1] = { RT_HELPERS(TABLE_ENTRY) };

rt_helper_fn rt_helper_by_id(u32 id)
{
	return id <= RT_HELPER_ID_MAX ? table[id] : NULL;
}

/* The helper's index in the function table, for engines that call it from wasm; 0 = no such helper. */
RT_EXPORT(rt_helper_index) u32 rt_helper_index(u32 id)
{
	return (u32)(uintptr_t)rt_helper_by_id(id);
}
