/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value for each CPU: slots in CPU order, each followed by a granule that no program may touch, so
 * that running off one CPU's value faults instead of changing another's.
 */
#ifndef TAPIO_MAP_PERCPU_H
#define TAPIO_MAP_PERCPU_H

#include "runtime.h"

static inline u32 rt_percpu_stride(const struct rt_map *map)
{
	return rt_round_up8(map->value_size) + 8;
}

static inline u8 *rt_percpu_slot(const struct rt_map *map, u8 *slots, u32 cpu)
{
	return slots + (size_t)rt_percpu_stride(map) * cpu;
}

/* Bytes that all slots take. */
static inline u32 rt_percpu_bytes(const struct rt_map *map)
{
	return rt_percpu_stride(map) * rt_cpu_count;
}

/* Makes the slots accessible to programs. */
void rt_percpu_open(const struct rt_map *map, u8 *slots);
/* What a system call sees: round_up(value_size, 8) bytes a CPU, in CPU order. */
void rt_percpu_copy_out(const struct rt_map *map, void *value, u8 *slots);
/* Stores a system call's value (all CPUs), or a program's (its own CPU's). */
void rt_percpu_set(const struct rt_map *map, u8 *slots, const void *value, bool all_cpus);
/* ... of a key that is new: a program's leaves zeroes on all other CPUs. */
void rt_percpu_set_first(const struct rt_map *map, u8 *slots, const void *value, bool all_cpus);

#endif
