// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tail calls: through a program array that user space fills, until one fails. */
#include "operations.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

/* Counts its runs in the answer's value; falls through where the tail call fails. */
SEC("raw_tp/conformance")
int call_itself(struct bpf_raw_tracepoint_args *context)
{
	__u32 zero = 0;
	struct answer *answer = bpf_map_lookup_elem(&answers, &zero);

	if (!answer)
		return 1;
	answer->value++;
	bpf_tail_call(context, &programs, context->args[ARGUMENT_KEY]);
	answer->result = -1;
	return 2;
}

/* What a tail call does not come back from. */
SEC("raw_tp/conformance")
int target(struct bpf_raw_tracepoint_args *context)
{
	__u32 zero = 0;
	struct answer *answer = bpf_map_lookup_elem(&answers, &zero);

	if (!answer)
		return 1;
	answer->result = context->args[ARGUMENT_VALUE];
	return 3;
}

char LICENSE[] SEC("license") = "GPL";
