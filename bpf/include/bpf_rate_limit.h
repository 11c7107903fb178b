/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rate limits, between filters and sampling: token buckets as GCRA. A bucket is one number, its
 * theoretical arrival time (TAT): an event is admitted while TAT <= now, and moves it by the interval
 * of its rate. TAT lags behind now by the credit that is left, at most a burst.
 *
 * Buckets are shared by all CPUs and cost one atomic addition, which every kernel since 5.10 has. What
 * additions cannot do is pull a bucket forward that was idle; whoever finds one that has more than
 * its credit takes a lock, an element that must not exist, and adds what is missing. Additions of
 * others meanwhile are not lost, and others who find it still behind are limited.
 *
 * So, for every bucket and window: admitted <= burst + rate * window + CPUs, the last because each CPU
 * may have read the bucket before the others added to it.
 */
#ifndef TAPIO_BPF_RATE_LIMIT_H
#define TAPIO_BPF_RATE_LIMIT_H

#include "bpf_stats.h"
#include "event_facts.h"

/* Times of buckets are in 1/256 ns: intervals of millions a second keep their rate. */
#define RATE_LIMIT_SHIFT 8

/* What a bucket belongs to. */
enum rate_limit_key {
	RATE_LIMIT_PROGRAM = 0, /* one for each program */
	RATE_LIMIT_TYPE = 1,
	RATE_LIMIT_PID = 2,
	RATE_LIMIT_CGROUP = 3,
	RATE_LIMIT_REMOTE = 4, /* destination address */
	RATE_LIMIT_KEYS = 5,
};

struct rate_limit {
	__u64 interval; /* between two events, 1/256 ns; 0: no limit */
	__u64 credit;	/* that a bucket keeps, in time */
	__u64 slack;	/* credit beyond that before the bucket is put right */
};

struct rate_limit_rules {
	struct rate_limit limits[RATE_LIMIT_KEYS];
};

/* As the sampling table: user space writes the idle rules and counts the generation up. */
struct rate_limit_table {
	__u64 generation;
	struct rate_limit_rules rules[2];
};

struct rate_limit_table rate_limits SEC(".data.limits");

struct rate_limit_bucket_key {
	__u32 kind; /* enum rate_limit_key, or RATE_LIMIT_OVERFLOW */
	__u32 program;
	__u64 value[2];
};

struct rate_limit_bucket {
	__u64 arrival; /* TAT */
};

#define RATE_LIMIT_BUCKETS 8192
/* Keys beyond the table's size share one bucket of their kind: limited together, never unlimited. */
#define RATE_LIMIT_OVERFLOW 0x100

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RATE_LIMIT_BUCKETS);
	__type(key, struct rate_limit_bucket_key);
	__type(value, struct rate_limit_bucket);
} rate_limit_buckets SEC(".maps");

/* Buckets that are being put right, by key. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct rate_limit_bucket_key);
	__type(value, __u32);
} rate_limit_locks SEC(".maps");

static __always_inline void rate_limit_key_fill(struct rate_limit_bucket_key *key, __u32 kind,
						const struct probe *probe,
						const struct event_facts *facts)
{
	const __u64 *remote = (const __u64 *)facts->network.destination_address;

	key->kind = kind;
	key->program = probe->program;
	key->value[0] = 0;
	key->value[1] = 0;
	switch (kind) {
	case RATE_LIMIT_TYPE:
		key->value[0] = facts->type;
		break;
	case RATE_LIMIT_PID:
		key->value[0] = facts->task.pid;
		break;
	case RATE_LIMIT_CGROUP:
		key->value[0] = facts->task.cgroup_id;
		break;
	case RATE_LIMIT_REMOTE:
		key->value[0] = remote[0];
		key->value[1] = remote[1];
		break;
	}
}

/* A bucket starts with its whole credit. NULL only where not even the overflow bucket could be made. */
static __always_inline struct rate_limit_bucket *
rate_limit_bucket_of(struct rate_limit_bucket_key *key, __u64 now, __u64 credit)
{
	struct rate_limit_bucket fresh = { .arrival = now - credit };
	struct rate_limit_bucket *bucket = bpf_map_lookup_elem(&rate_limit_buckets, key);

	if (bucket)
		return bucket;
	if (bpf_map_update_elem(&rate_limit_buckets, key, &fresh, BPF_NOEXIST) == -7 /* E2BIG */) {
		key->kind |= RATE_LIMIT_OVERFLOW;
		key->value[0] = 0;
		key->value[1] = 0;
		bpf_map_update_elem(&rate_limit_buckets, key, &fresh, BPF_NOEXIST);
	}
	return bpf_map_lookup_elem(&rate_limit_buckets, key);
}

/* Takes away what the bucket has beyond its credit; false where somebody else is at it. */
static __always_inline bool rate_limit_put_right(struct rate_limit_bucket *bucket,
						 const struct rate_limit_bucket_key *key,
						 __u64 oldest)
{
	__u64 arrival;
	__u32 held = 1;

	if (bpf_map_update_elem(&rate_limit_locks, key, &held, BPF_NOEXIST))
		return false;
	arrival = *(volatile __u64 *)&bucket->arrival;
	if ((__s64)(oldest - arrival) > 0)
		__sync_fetch_and_add(&bucket->arrival, oldest - arrival);
	bpf_map_delete_elem(&rate_limit_locks, key);
	return true;
}

static __noinline bool rate_limit_take(const struct rate_limit *limit,
				       struct rate_limit_bucket_key *key, __u64 now)
{
	struct rate_limit_bucket *bucket = rate_limit_bucket_of(key, now, limit->credit);
	__u64 arrival, oldest = now - limit->credit;

	if (!bucket)
		return false;
	arrival = *(volatile __u64 *)&bucket->arrival;
	if ((__s64)(oldest - limit->slack - arrival) > 0) {
		if (!rate_limit_put_right(bucket, key, oldest))
			return false;
		arrival = *(volatile __u64 *)&bucket->arrival;
	}
	if ((__s64)(arrival - now) > 0)
		return false;
	__sync_fetch_and_add(&bucket->arrival, limit->interval);
	return true;
}

/*
 * Limits in the order of their kinds; the first that refuses ends it. What the ones before it took
 * stays taken: an event that is refused counts as demand.
 */
static __always_inline bool rate_limit_admits(struct probe *probe, const struct event_facts *facts)
{
	struct rate_limit_bucket_key key;
	struct rate_limit limit;
	__u64 generation = *(volatile __u64 *)&rate_limits.generation;
	__u64 now = probe->now_ns << RATE_LIMIT_SHIFT;

	if (!generation)
		return true;
#pragma clang loop unroll(disable)
	for (__u32 kind = 0; kind < RATE_LIMIT_KEYS; kind++) {
		limit = rate_limits.rules[generation & 1].limits[kind];
		asm volatile("" ::: "memory");
		/* Rewritten while it was read: refusing keeps the bound. */
		if (*(volatile __u64 *)&rate_limits.generation != generation)
			return false;
		if (!limit.interval || (kind == RATE_LIMIT_REMOTE && !facts->network.family))
			continue;
		rate_limit_key_fill(&key, kind, probe, facts);
		if (!rate_limit_take(&limit, &key, now))
			return false;
	}
	return true;
}

EMIT_TYPE(struct rate_limit_bucket_key, emit_rate_limit_bucket_key);
EMIT_TYPE(struct rate_limit_bucket, emit_rate_limit_bucket);
EMIT_TYPE(enum rate_limit_key, emit_rate_limit_key);

#endif
