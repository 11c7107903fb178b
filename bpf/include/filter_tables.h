/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rules as lookups find them. User space writes these tables (core/filters/) and reads their layout
 * from BTF; hashes must agree with core/filters/hash.ts.
 */
#ifndef TAPIO_FILTER_TABLES_H
#define TAPIO_FILTER_TABLES_H

#include "event.h"
#include <bpf/bpf_helpers.h>

#define FILTER_SHAPES_MAX 64
#define FILTER_CGROUP_LEVELS 16
#define FILTER_CGROUP_HIGHS 8
#define FILTER_COUNTED_RULES_MAX 1024
#define FILTER_COUNTED_PER_EVENT 32

/* Bits of masks of rule types, in the order in which they are looked at. */
enum filter_type {
	FILTER_PID = 1,
	FILTER_NAMESPACE = 2,
	FILTER_NETWORK = 4,
	FILTER_CGROUP = 8,
	FILTER_UID = 16,
	FILTER_COMMAND = 32,
};
#define FILTER_OUTCOMES 64

/* What a number in the scalar table means. Below 32; shadow rules have 32 added. */
enum filter_kind {
	FILTER_KIND_PID = 1,
	FILTER_KIND_UID = 2,
	FILTER_KIND_NAMESPACE = 3, /* and the next six, see enum filter_namespace */
	FILTER_KIND_COMMAND = 10,  /* in the wide table */
	FILTER_KIND_CGROUP = 16,   /* and the next seven: upper half of the id is cgroup_high[n] */
	FILTER_KIND_SHADOW = 32,
};

enum filter_namespace {
	FILTER_NAMESPACE_PID,
	FILTER_NAMESPACE_NET,
	FILTER_NAMESPACE_MNT,
	FILTER_NAMESPACE_UTS,
	FILTER_NAMESPACE_IPC,
	FILTER_NAMESPACE_CGROUP,
	FILTER_NAMESPACE_USER,
	FILTER_NAMESPACES,
};

/* A value: 0 = the slot is free. */
#define FILTER_RULE_MASK 0xffffff
#define FILTER_VALUE_KIND_SHIFT 24
#define FILTER_VALUE_KIND_MASK 0x3f
#define FILTER_VALUE_COUNTED (1u << 30)
#define FILTER_VALUE_DENY (1u << 31)

/* Parts of the tables that are sized on their own. */
enum filter_region {
	FILTER_REGION_PID,
	FILTER_REGION_NAMESPACE,
	FILTER_REGION_CGROUP,
	FILTER_REGION_UID,
	FILTER_REGION_NETWORK4,
	FILTER_REGION_NETWORK6,
	FILTER_REGION_COMMAND,
	FILTER_REGIONS,
};

/* 8 bytes a rule: a number, and rule id, kind and action. */
struct filter_scalar_bucket {
	__u32 keys[4];
	__u32 values[4];
};

/*
 * 12 bytes a rule: address, port << 32, protocol << 48, shape's tag << 56. A bucket is a cache line;
 * `overflow` is 0 where every rule whose first bucket it is lies in it.
 */
struct filter_network4_bucket {
	__u64 keys[5];
	__u32 values[5];
	__u32 overflow;
};

/* 24 bytes a rule: IPv6 address or command name; port, protocol << 16, tag << 24. */
struct filter_wide_bucket {
	__u64 high[2];
	__u64 low[2];
	__u32 rest[2];
	__u32 values[2];
	__u32 overflow;
	__u32 reserved[3];
};

_Static_assert(sizeof(struct filter_network4_bucket) == 64, "a bucket is a cache line");
_Static_assert(sizeof(struct filter_wide_bucket) == 64, "a bucket is a cache line");

/*
 * Rules of one prefix length, with or without port, with or without protocol, for one end or both:
 * an event's endpoint becomes their key by one mask. Addresses are as they lie in memory.
 */
struct filter_shape4 {
	__u64 mask;
	__u64 tag;
	__u32 sides; /* bit 0: source, bit 1: destination */
	__u32 shadow;
};

struct filter_shape6 {
	__u64 mask_high;
	__u64 mask_low;
	__u32 mask_rest;
	__u32 tag;
	__u32 sides;
	__u32 shadow;
};

/* A rule set. Masks are of enum filter_type, but for kinds: bits 1 << enum filter_kind. */
struct filter_generation {
	__u32 judges;	       /* 0: every event passes */
	__u32 consulted;       /* types with rules */
	__u32 required;	       /* types with allow rules */
	__u32 shadow_required; /* types with shadow allow rules */
	__u32 deny_by_default; /* what no rule matches is rejected */
	__u32 kinds;
	__u32 shadow_kinds;
	__u32 seed;
	__u32 shapes4_count;
	__u32 shapes6_count;
	__u32 cgroup_highs_count;
	__u32 cgroup_high[FILTER_CGROUP_HIGHS];
	__u32 region_base[FILTER_REGIONS]; /* first bucket */
	__u32 region_count[FILTER_REGIONS]; /* buckets */
	struct filter_shape4 shapes4[FILTER_SHAPES_MAX];
	struct filter_shape6 shapes6[FILTER_SHAPES_MAX];
};

struct filter_state {
	__u32 current; /* generation in force; its parity selects the half of everything */
	__u32 judging; /* programs that no change may overtake */
	struct filter_generation generations[2];
};

struct filter_state filters SEC(".data.filters");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* user space chooses */
	__type(key, __u32);
	__type(value, struct filter_scalar_bucket);
} filter_scalars SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct filter_network4_bucket);
} filter_networks4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct filter_wide_bucket);
} filter_wides SEC(".maps");

EMIT_TYPE(enum filter_type, emit_filter_type);
EMIT_TYPE(enum filter_kind, emit_filter_kind);
EMIT_TYPE(enum filter_region, emit_filter_region);

static __always_inline __u32 filter_mix(__u32 hash, __u32 word)
{
	hash = (hash ^ word) * 0x9e3779b1;
	return hash ^ hash >> 15;
}

static __always_inline __u32 filter_mix_end(__u32 hash)
{
	hash = (hash ^ hash >> 13) * 0xc2b2ae3d;
	return hash ^ hash >> 16;
}

/* A key's two buckets in a region: base << 32 | count. */
static __always_inline __u32 filter_first(__u64 region, __u32 hash)
{
	return (region >> 32) + ((__u64)hash * (__u32)region >> 32);
}

static __always_inline __u32 filter_second(__u64 region, __u32 hash)
{
	return filter_first(region, hash * 0x85ebca77);
}

/*
 * Lookups return a value, 0 where there is no such rule. They are global functions: verified once,
 * whatever their callers know.
 */
static __always_inline __u32 filter_scalar_in(__u32 index, __u32 number, __u32 kind)
{
	struct filter_scalar_bucket *bucket = bpf_map_lookup_elem(&filter_scalars, &index);

	if (!bucket)
		return 0;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		__u32 value = bucket->values[i];

		if (bucket->keys[i] == number &&
		    (value >> FILTER_VALUE_KIND_SHIFT & FILTER_VALUE_KIND_MASK) == kind)
			return value;
	}
	return 0;
}

__attribute__((noinline)) __u32 filter_find_scalar(__u32 number, __u32 kind, __u64 region,
						   __u32 seed)
{
	__u32 hash = filter_mix_end(filter_mix(seed + kind * 0x27d4eb2f, number));
	__u32 value = filter_scalar_in(filter_first(region, hash), number, kind);

	return value ? value : filter_scalar_in(filter_second(region, hash), number, kind);
}

/* The value, or overflow << 32. */
static __always_inline __u64 filter_network4_in(__u32 index, __u64 key)
{
	struct filter_network4_bucket *bucket = bpf_map_lookup_elem(&filter_networks4, &index);

	if (!bucket)
		return 0;
#pragma unroll
	for (int i = 0; i < 5; i++)
		if (bucket->keys[i] == key)
			return bucket->values[i];
	return (__u64)bucket->overflow << 32;
}

__attribute__((noinline)) __u32 filter_find_network4(__u64 key, __u64 region, __u32 seed)
{
	__u32 hash = filter_mix_end(filter_mix(filter_mix(seed, (__u32)key), key >> 32));
	__u64 value = filter_network4_in(filter_first(region, hash), key);

	if (value >> 32)
		value = filter_network4_in(filter_second(region, hash), key);
	return value;
}

static __always_inline __u64 filter_wide_in(__u32 index, __u64 high, __u64 low, __u32 rest)
{
	struct filter_wide_bucket *bucket = bpf_map_lookup_elem(&filter_wides, &index);

	if (!bucket)
		return 0;
	if (bucket->low[0] == low && bucket->high[0] == high && bucket->rest[0] == rest)
		return bucket->values[0];
	if (bucket->low[1] == low && bucket->high[1] == high && bucket->rest[1] == rest)
		return bucket->values[1];
	return (__u64)bucket->overflow << 32;
}

__attribute__((noinline)) __u32 filter_find_wide(__u64 high, __u64 low, __u32 rest, __u64 region,
						 __u32 seed)
{
	__u32 hash = filter_mix(filter_mix(seed, (__u32)high), high >> 32);
	__u64 value;

	hash = filter_mix_end(filter_mix(filter_mix(filter_mix(hash, (__u32)low), low >> 32), rest));
	value = filter_wide_in(filter_first(region, hash), high, low, rest);
	if (value >> 32)
		value = filter_wide_in(filter_second(region, hash), high, low, rest);
	return value;
}

static __always_inline __u64 filter_region(const struct filter_generation *rules, __u32 region)
{
	return (__u64)rules->region_base[region] << 32 | rules->region_count[region];
}

#endif
