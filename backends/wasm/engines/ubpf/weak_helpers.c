// SPDX-License-Identifier: Apache-2.0
/* Links the engine before the table of helpers exists; goes away with it. */
#include "program.h"

__attribute__((weak)) rt_helper_fn rt_helper_by_id(u32 id)
{
	(void)id;
	return NULL;
}
