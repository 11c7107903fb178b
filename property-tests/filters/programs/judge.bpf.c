// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Judges described events by the tables of bpf_filters.h, many in one run. */
#define PROGRAMS_MAX 1
#define FILTER_SUBJECT_GIVEN
#include "../../../bpf/include/bpf_filters.h"

#define CASES_MAX 256

struct filter_case {
	struct event_facts facts;
	struct filter_subject subject;
	struct filter_verdict verdict; /* what came out */
	__u32 expected_pass;
	__u32 expected_slot; /* of the rule that decides, see `hammer` */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CASES_MAX);
	__type(key, __u32);
	__type(value, struct filter_case);
} cases SEC(".maps");

struct judge_context {
	__u64 count; /* cases from the first on */
};

/* Judges a case and leaves the verdict in it; a global function, verified once for all of them. */
__attribute__((noinline)) int judge_case(__u32 index)
{
	struct filter_verdict verdict = {};
	struct probe probe = {};
	struct filter_case *described = bpf_map_lookup_elem(&cases, &index);
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &probe.program);

	if (!described || !cpu)
		return 0;
	cpu->subject = described->subject;
	filter_judge(&verdict, &probe, &described->facts);
	described->verdict = verdict;
	return 0;
}

SEC("raw_tp/judge")
int judge(struct judge_context *context)
{
	__u64 count = context->count;

	for (__u32 i = 0; i < CASES_MAX; i++) {
		if (i >= count)
			break;
		judge_case(i);
	}
	return 0;
}

#define HAMMER_ROUNDS_MAX 4096

struct hammer_context {
	__u64 rounds;
};

struct hammer_counts {
	__u64 judged;
	__u64 wrong; /* not what the generation on it says */
	__u64 unjudged; /* no generation */
	__u64 backwards; /* an older generation than before */
	__u64 generations; /* other than the one before */
	__u32 last;
	__u32 wrong_generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hammer_counts);
} hammer_counts SEC(".maps");

static __always_inline void hammer_check(struct hammer_counts *counts,
					 const struct filter_verdict *verdict,
					 const struct filter_case *described)
{
	__u32 generation = verdict->generation;

	counts->judged++;
	if (!generation)
		counts->unjudged++;
	if (generation < counts->last)
		counts->backwards++;
	if (generation != counts->last)
		counts->generations++;
	counts->last = generation;
	if (verdict->pass != described->expected_pass ||
	    verdict->rule != ((generation & 0xffff) << 4 | described->expected_slot)) {
		counts->wrong++;
		counts->wrong_generation = generation;
	}
}

__attribute__((noinline)) int hammer_case(__u32 index)
{
	__u32 first = 0;
	struct filter_verdict verdict = {};
	struct probe probe = {};
	struct filter_case *described = bpf_map_lookup_elem(&cases, &index);
	struct hammer_counts *counts = bpf_map_lookup_elem(&hammer_counts, &first);
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &probe.program);

	if (!described || !counts || !cpu)
		return 0;
	cpu->subject = described->subject;
	filter_judge(&verdict, &probe, &described->facts);
	hammer_check(counts, &verdict, described);
	return 0;
}

/*
 * Judges while rule sets change: in generation g the rule of slot s has the id g << 4 | s, so the rule
 * that decided says of which generation it was.
 */
SEC("raw_tp/hammer")
int hammer(struct hammer_context *context)
{
	__u64 rounds = context->rounds;

	for (__u32 i = 0; i < HAMMER_ROUNDS_MAX; i++) {
		if (i >= rounds)
			break;
		hammer_case(i & (CASES_MAX - 1));
	}
	return 0;
}

EMIT_TYPE(struct hammer_counts, emit_hammer_counts);
EMIT_TYPE(struct filter_case, emit_filter_case);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
