// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Verdicts under the clock, and hash and LPM maps that do the same job. Keys are drawn at random from
 * twice as many as there are rules, so that half of the lookups find one.
 */
#define PROGRAMS_MAX 1
#include "../bpf/include/bpf_filters.h"

#define ROUNDS_MAX 8192
enum { BPF_MAP_TYPE_LPM_TRIE = 11 };

/* What is measured; numbers from bench/filters.ts. */
enum bench_type {
	BENCH_PID,
	BENCH_NAMESPACE,
	BENCH_NETWORK4,
	BENCH_NETWORK6,
	BENCH_CGROUP,
	BENCH_UID,
	BENCH_COMMAND,
	BENCH_ALL,
};

enum bench_how {
	BENCH_LOOP,   /* nothing: what the loop itself costs */
	BENCH_FILTER,
	BENCH_HASH,
	BENCH_LPM,
};

struct bench_context {
	__u64 type;
	__u64 how;
	__u64 keys; /* twice the rules */
	__u64 seed;
};

/* Found by this run. */
struct bench_result {
	__u64 elapsed_ns;
	__u64 passed;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_result);
} bench_results SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct event_facts);
} bench_facts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} rival_hash SEC(".maps");

struct lpm_key {
	__u32 prefix;
	__u32 words[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct lpm_key);
	__type(value, __u32);
} rival_lpm SEC(".maps");

static __always_inline __u32 draw(__u64 *seed, __u32 keys)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*seed >> 32) * keys >> 32;
}

/* Key `number` of every type that is asked for; rules have the same in bench/filters.ts. */
static __always_inline void describe(struct event_facts *facts, struct filter_subject *subject,
				     __u32 type, __u32 number)
{
	__u32 *words = (__u32 *)facts->network.source_address;

	facts->task.pid = 1 + number;
	facts->task.uid = number * 2654435761u;
	facts->task.net_namespace = 0xf0000000 + number;
	facts->network.protocol = 6;
	facts->network.source_port = 443;
	if (type == BENCH_NETWORK6) {
		facts->network.family = FILTER_AF_INET6;
		words[0] = 0xb80d0120;
		words[2] = number;
		words[3] = 1;
	} else {
		facts->network.family = FILTER_AF_INET;
		words[0] = number << 8 | 10;
	}
#ifdef FILTER_SUBJECT_GIVEN
	subject->cgroups_count = 1;
	subject->cgroups[0] = 1000 + number;
	subject->command[0] = 0x40404040 | (number & 63) | (number & 63 << 6) << 2 |
			      (number & 63 << 12) << 4;
	subject->command[1] = 0;
#endif
}

static __always_inline bool rival(const struct event_facts *facts, __u32 type, __u32 how)
{
	if (how == BENCH_HASH) {
		__u32 key = type == BENCH_UID ? facts->task.uid : facts->task.pid;

		return bpf_map_lookup_elem(&rival_hash, &key);
	}
	if (how == BENCH_LPM) {
		struct lpm_key key = { .prefix = type == BENCH_NETWORK6 ? 128 : 32 };

		__builtin_memcpy(key.words, facts->network.source_address, 16);
		return bpf_map_lookup_elem(&rival_lpm, &key);
	}
	return false;
}

__attribute__((noinline)) int bench_one(__u32 type, __u32 how, __u32 number)
{
	__u32 first = 0;
	struct probe probe = {};
	struct filter_verdict verdict;
	struct event_facts *facts = bpf_map_lookup_elem(&bench_facts, &first);
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &first);

	if (!facts || !cpu)
		return 0;
	describe(facts, &cpu->subject, type, number);
	if (how != BENCH_FILTER)
		return rival(facts, type, how);
	filter_judge(&verdict, &probe, facts);
	return verdict.pass;
}

SEC("raw_tp/bench")
int bench(struct bench_context *context)
{
	__u32 first = 0;
	struct bench_result *result = bpf_map_lookup_elem(&bench_results, &first);
	__u64 seed = context->seed;
	__u32 keys = context->keys;
	__u32 type = context->type;
	__u32 how = context->how;
	__u64 passed = 0;
	__u64 started_ns;

	if (!result)
		return 0;
	started_ns = bpf_ktime_get_ns();
	for (__u32 i = 0; i < ROUNDS_MAX; i++)
		passed += bench_one(type, how, draw(&seed, keys));
	result->elapsed_ns = bpf_ktime_get_ns() - started_ns;
	result->passed = passed;
	return 0;
}

/* System calls of one thread. */
struct call_counts {
	__u64 thread;
	__u64 calls;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call_counts);
} bench_calls SEC(".maps");

SEC("tp/raw_syscalls/sys_enter")
int count_calls(void *context)
{
	__u32 first = 0;
	struct call_counts *counts = bpf_map_lookup_elem(&bench_calls, &first);

	if (counts && (__u32)bpf_get_current_pid_tgid() == counts->thread)
		counts->calls++;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
