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

SEC("raw_tp/judge")
int judge(struct judge_context *context)
{
	__u64 count = context->count;
	struct probe probe = {};

	for (__u32 i = 0; i < CASES_MAX; i++) {
		struct filter_verdict verdict;
		struct filter_case *described;
		struct filter_cpu *cpu;
		__u32 index = i;

		if (i >= count)
			break;
		described = bpf_map_lookup_elem(&cases, &index);
		cpu = bpf_map_lookup_elem(&filter_cpus, &probe.program);
		if (!described || !cpu)
			break;
		__builtin_memset(&verdict, 0, sizeof(verdict));
		cpu->subject = described->subject;
		filter_judge(&verdict, &probe, &described->facts);
		described->verdict = verdict;
	}
	return 0;
}

EMIT_TYPE(struct filter_case, emit_filter_case);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
