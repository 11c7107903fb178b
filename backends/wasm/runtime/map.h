/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps: what every type has in common. Included by runtime.h.
 *
 * A map is named by its handle in user space (the kernel's file descriptor and id in one) and by the
 * address of its struct rt_map in programs. It lives as long as it has references: the open handle,
 * slots of maps-in-maps, and whoever called rt_map_get().
 */
#ifndef TAPIO_MAP_H
#define TAPIO_MAP_H

#include "runtime.h"

/* enum bpf_map_type */
enum rt_map_type {
	RT_MAP_HASH = 1,
	RT_MAP_ARRAY = 2,
	RT_MAP_PROG_ARRAY = 3,
	RT_MAP_PERF_EVENT_ARRAY = 4,
	RT_MAP_PERCPU_HASH = 5,
	RT_MAP_PERCPU_ARRAY = 6,
	RT_MAP_CGROUP_ARRAY = 8,
	RT_MAP_LRU_HASH = 9,
	RT_MAP_LRU_PERCPU_HASH = 10,
	RT_MAP_LPM_TRIE = 11,
	RT_MAP_ARRAY_OF_MAPS = 12,
	RT_MAP_HASH_OF_MAPS = 13,
	RT_MAP_QUEUE = 22,
	RT_MAP_STACK = 23,
	RT_MAP_RINGBUF = 27,
	RT_MAP_TASK_STORAGE = 29,
	RT_MAP_BLOOM_FILTER = 30,
	RT_MAP_CGRP_STORAGE = 32,
	RT_MAP_TYPES,
};

/* map_flags */
#define RT_MAP_NO_PREALLOC (1u << 0)
#define RT_MAP_NO_COMMON_LRU (1u << 1)
#define RT_MAP_NUMA_NODE (1u << 2)
#define RT_MAP_RDONLY (1u << 3)
#define RT_MAP_WRONLY (1u << 4)
#define RT_MAP_ZERO_SEED (1u << 6)
#define RT_MAP_RDONLY_PROG (1u << 7)
#define RT_MAP_WRONLY_PROG (1u << 8)
#define RT_MAP_CLONE (1u << 9)
#define RT_MAP_MMAPABLE (1u << 10)
#define RT_MAP_PRESERVE_ELEMS (1u << 11)
#define RT_MAP_INNER_MAP (1u << 12)
#define RT_MAP_ACCESS_FLAGS \
	(RT_MAP_RDONLY | RT_MAP_WRONLY | RT_MAP_RDONLY_PROG | RT_MAP_WRONLY_PROG)

/* Flags of an update (of a lookup: only LOCK). */
#define RT_ANY 0
#define RT_NOEXIST 1
#define RT_EXIST 2
#define RT_LOCK 4

#define RT_SPIN_LOCK_SIZE 4
#define RT_TIMER_SIZE 16

struct rt_map;

/* Batch operations that the kernel has for a type; everything else is -ENOTSUPP. */
enum rt_batch {
	RT_BATCH_LOOKUP = 1 << 0,
	RT_BATCH_UPDATE = 1 << 1,
	RT_BATCH_DELETE = 1 << 2,
	RT_BATCH_TAKE = 1 << 3,
	RT_BATCH_BUCKETS = 1 << 4, /* lookups go bucket by bucket, through ops->copy_bucket */
};

/*
 * What a map type does. Operations of programs that are NULL are those the kernel's verifier refuses
 * for the type: a helper faults (RT_FAULT_ARGUMENT).
 */
struct rt_map_ops {
	/* Sizes and flags as the kernel checks them, before anything is allocated; 0 or -errno. */
	int (*check)(const struct rt_map *map);
	/* Allocates the state; 0 or -errno. After a failure `destroy` is not called. */
	int (*create)(struct rt_map *map);
	void (*destroy)(struct rt_map *map);

	/* What a program sees (helpers 1-3): per-CPU maps act on the slot of rt_cpu. */
	void *(*lookup)(struct rt_map *map, const void *key);
	s64 (*update)(struct rt_map *map, const void *key, const void *value, u64 flags);
	s64 (*remove)(struct rt_map *map, const void *key);
	void *(*lookup_percpu)(struct rt_map *map, const void *key, u32 cpu);
	s64 (*push)(struct rt_map *map, const void *value, u64 flags);
	s64 (*pop)(struct rt_map *map, void *value);
	s64 (*peek)(struct rt_map *map, void *value);
	/* Calls back for every element; returns the number visited, or -errno. */
	s64 (*for_each)(struct rt_map *map, u64 callback, u64 context, u64 flags);

	/*
	 * What a system call sees: whole values, rt_map_value_bytes(map) long. Descriptor, permission
	 * and RT_LOCK were checked (map_syscall.c). None is NULL but `take` (-ENOTSUPP).
	 */
	s64 (*copy_out)(struct rt_map *map, const void *key, void *value, u64 flags);
	s64 (*copy_in)(struct rt_map *map, const void *key, const void *value, u64 flags);
	s64 (*erase)(struct rt_map *map, const void *key);
	s64 (*next_key)(struct rt_map *map, const void *key /* or NULL */, void *next);
	s64 (*take)(struct rt_map *map, const void *key, void *value, u64 flags); /* and delete */

	u32 batch; /* enum rt_batch */
	/*
	 * Copies bucket `bucket`, if it has at most `room` entries; removes them if `take`. Returns how
	 * many it has, -ENOSPC where there is no room, -ENOENT past the last bucket.
	 */
	s64 (*copy_bucket)(struct rt_map *map, u32 bucket, void *keys, void *values, u32 room,
			   bool take);

	/*
	 * User space closed its handle while programs or outer maps still hold the map: timers stop,
	 * program arrays are emptied. NULL: nothing to do.
	 */
	void (*user_gone)(struct rt_map *map);
	/* Whether `map` may stand where `template` stood; NULL: the type cannot be an inner map. */
	bool (*same_shape)(const struct rt_map *template, const struct rt_map *map);
	u32 (*memory_bytes)(const struct rt_map *map);
};

struct rt_map {
	u32 magic; /* RT_MAP_MAGIC: helpers reject an address that is not a map */
	u32 handle;
	u32 type; /* enum rt_map_type */
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u32 flags;
	u32 references;   /* the handle, map-in-map slots, rt_map_get() */
	s32 lock_offset;  /* of struct bpf_spin_lock in the value, or -1 */
	s32 timer_offset; /* of struct bpf_timer in the value, or -1 */
	u32 extra;        /* map_extra: hash functions of a bloom filter */
	u32 stride;       /* arrays: distance of values, in bytes */
	u8 *values;       /* arrays: value of key 0; what rt_map_memory() shares */
	const struct rt_map_ops *ops;
	struct rt_map *inner; /* template for map-in-map, else NULL; keeps no reference */
	void *state;          /* of the map type */
	struct rt_map *storage_next;
	struct rt_map *next_doomed;
	bool open;            /* the handle is open in user space */
	bool frozen;          /* user space may no longer write */
	bool typed;           /* BTF says what keys and values are */
};
#define RT_MAP_MAGIC 0x6d617070u

/* Handles of maps and programs are told apart: writing one where the other belongs is EINVAL. */
#define RT_MAP_HANDLE_BASE 0x10000u

/* Bytes of a value as a system call copies it: all CPUs' for per-CPU maps, in CPU order. */
u32 rt_map_value_bytes(const struct rt_map *map);
bool rt_map_is_percpu(const struct rt_map *map);
struct rt_map *rt_map_from_handle(u32 handle); /* or NULL where no open handle has this number */
/* The map behind a program's pointer, or a fault. */
struct rt_map *rt_map_from_pointer(u64 address);
void rt_map_visit(void (*visit)(struct rt_map *map)); /* every map, also those that are closed */
void rt_map_get(struct rt_map *map);
/* Destroys it with the last reference, once no program runs: one may hold an inner map's value or record. */
void rt_map_put(struct rt_map *map);
extern struct rt_map *rt_maps_doomed; /* without references, but perhaps still in use */
void rt_maps_reap(void);	      /* no program runs: destroys those that waited for it */

/* Shadow state of values: RT_ACCESS_READ for RDONLY_PROG maps, else RT_ACCESS_WRITE. */
enum rt_access rt_map_access(const struct rt_map *map);

/* Copies a value but for lock and timer, which stay as they are in the destination. */
void rt_map_copy_value(const struct rt_map *map, void *to, const void *from);
/* Zeroes lock and timer of a value that was just born, or copied to user space. */
void rt_map_clear_special(const struct rt_map *map, void *value);
/* An element's value dies or is overwritten: its timer is cancelled. Memory stays readable. */
void rt_map_value_released(struct rt_map *map, void *value);

/*
 * Memory for the key that a for_each callback is handed: readable to the program until given back,
 * also when the run faults. NULL where the run holds too much or memory is used up.
 */
void *rt_key_cell_take(u32 size);
void rt_key_cell_give(void *cell);

/* The timer helpers define it; maps without timers never call it. */
void rt_timer_cancel_in(struct rt_map *map, void *value);

extern const struct rt_map_ops rt_ringbuf_ops; /* map_ringbuf.c */

#endif
