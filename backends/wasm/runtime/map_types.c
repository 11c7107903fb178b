// SPDX-License-Identifier: Apache-2.0
#include "map_types.h"

/* Types that other files bring along later are weak: a runtime without them still links. */
extern const struct rt_map_ops rt_ringbuf_ops __attribute__((weak));

const struct rt_map_ops *rt_map_type_ops(u32 type)
{
	switch (type) {
	case RT_MAP_HASH:
		return &rt_hash_ops;
	case RT_MAP_ARRAY:
		return &rt_array_ops;
	case RT_MAP_PERCPU_HASH:
		return &rt_percpu_hash_ops;
	case RT_MAP_PERCPU_ARRAY:
		return &rt_percpu_array_ops;
	case RT_MAP_LRU_HASH:
		return &rt_lru_hash_ops;
	case RT_MAP_LRU_PERCPU_HASH:
		return &rt_lru_percpu_hash_ops;
	case RT_MAP_ARRAY_OF_MAPS:
		return &rt_array_of_maps_ops;
	case RT_MAP_HASH_OF_MAPS:
		return &rt_hash_of_maps_ops;
	case RT_MAP_PROG_ARRAY:
		return &rt_prog_array_ops;
	case RT_MAP_PERF_EVENT_ARRAY:
		return &rt_perf_event_array_ops;
	case RT_MAP_CGROUP_ARRAY:
		return &rt_cgroup_array_ops;
	case RT_MAP_LPM_TRIE:
		return &rt_lpm_trie_ops;
	case RT_MAP_QUEUE:
		return &rt_queue_ops;
	case RT_MAP_STACK:
		return &rt_stack_ops;
	case RT_MAP_TASK_STORAGE:
		return &rt_task_storage_ops;
	case RT_MAP_BLOOM_FILTER:
		return &rt_bloom_filter_ops;
	case RT_MAP_CGRP_STORAGE:
		return &rt_cgrp_storage_ops;
	case RT_MAP_RINGBUF:
		return &rt_ringbuf_ops;
	default:
		return NULL;
	}
}

bool rt_map_access_flags_ok(u32 flags)
{
	u32 both = RT_MAP_RDONLY_PROG | RT_MAP_WRONLY_PROG;

	return (flags & both) != both;
}

bool rt_map_same_shape(const struct rt_map *template, const struct rt_map *map)
{
	return template->type == map->type && template->key_size == map->key_size &&
	       template->value_size == map->value_size && template->flags == map->flags &&
	       template->lock_offset == map->lock_offset &&
	       template->timer_offset == map->timer_offset;
}

s64 rt_map_refuse_einval(struct rt_map *map, const void *key)
{
	(void)map, (void)key;
	return -EINVAL;
}
