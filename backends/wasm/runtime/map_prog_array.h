/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TAPIO_MAP_PROG_ARRAY_H
#define TAPIO_MAP_PROG_ARRAY_H

#include "program.h"

/* The program at `index` of a map of type RT_MAP_PROG_ARRAY; NULL where there is none. */
struct rt_program *rt_prog_array_get(const struct rt_map *map, u32 index);

#endif
