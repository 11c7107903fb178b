/* SPDX-License-Identifier: Apache-2.0 */
/* The map types that exist, and how a map is described before it is created. */
#ifndef TAPIO_MAP_TYPES_H
#define TAPIO_MAP_TYPES_H

#include "runtime.h"

/* Written by JavaScript: eleven words, in this order. */
struct rt_map_spec {
	u32 type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u32 flags;
	u32 extra;        /* map_extra */
	u32 inner_handle; /* of the template, or 0 */
	s32 lock_offset;  /* or -1 */
	s32 timer_offset; /* or -1 */
	u32 typed;        /* 1 where BTF describes key and value */
	u32 reserved;     /* 0 */
};

/* A new map with one reference, its open handle. Returns the handle, or -errno. */
s32 rt_map_create(const struct rt_map_spec *spec);

const struct rt_map_ops *rt_map_type_ops(u32 type); /* or NULL */

extern const struct rt_map_ops rt_array_ops;              /* map_array.c */
extern const struct rt_map_ops rt_percpu_array_ops;       /* map_percpu_array.c */
extern const struct rt_map_ops rt_hash_ops;               /* map_hash.c */
extern const struct rt_map_ops rt_percpu_hash_ops;        /* map_percpu_hash.c */
extern const struct rt_map_ops rt_lru_hash_ops;           /* map_lru_hash.c */
extern const struct rt_map_ops rt_lru_percpu_hash_ops;    /* map_lru_hash.c */
extern const struct rt_map_ops rt_lpm_trie_ops;           /* map_lpm.c */
extern const struct rt_map_ops rt_queue_ops;              /* map_queue_stack.c */
extern const struct rt_map_ops rt_stack_ops;              /* map_queue_stack.c */
extern const struct rt_map_ops rt_bloom_filter_ops;       /* map_bloom.c */
extern const struct rt_map_ops rt_prog_array_ops;         /* map_prog_array.c */
extern const struct rt_map_ops rt_perf_event_array_ops;   /* map_perf.c */
extern const struct rt_map_ops rt_cgroup_array_ops;       /* map_perf.c */
extern const struct rt_map_ops rt_array_of_maps_ops;      /* map_in_map.c */
extern const struct rt_map_ops rt_hash_of_maps_ops;       /* map_in_map.c */
extern const struct rt_map_ops rt_task_storage_ops;       /* map_storage.c */
extern const struct rt_map_ops rt_cgrp_storage_ops;       /* map_storage.c */

/* Refusals shared by types. */
s64 rt_map_refuse_einval(struct rt_map *map, const void *key);
bool rt_map_same_shape(const struct rt_map *template, const struct rt_map *map);
/* RDONLY_PROG and WRONLY_PROG exclude each other. */
bool rt_map_access_flags_ok(u32 flags);

#endif
