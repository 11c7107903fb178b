/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TAPIO_MAP_STORAGE_H
#define TAPIO_MAP_STORAGE_H

#include "map_types.h"

/* A task exited or a cgroup went away: what hung on it is gone from every map. */
void rt_storage_owner_gone(u32 low, u32 high);

#endif
