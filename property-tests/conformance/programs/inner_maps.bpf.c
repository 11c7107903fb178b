// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A counter in a map in a map. Compiled with OUTER_TYPE defined. */
#include "operations.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
};

struct {
	__uint(type, OUTER_TYPE);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} subject SEC(".maps");

#define NO_INNER_MAP 1
#define NO_ELEMENT 2

SEC("raw_tp/conformance")
int add(struct bpf_raw_tracepoint_args *context)
{
	struct answer *answer = fresh_answer();
	__u32 outer_key = context->args[ARGUMENT_KEY];
	__u32 inner_key = context->args[ARGUMENT_KEY_HIGH];
	void *inner = bpf_map_lookup_elem(&subject, &outer_key);
	__u64 *value;

	if (!answer)
		return 1;
	answer->result = NO_INNER_MAP;
	if (!inner)
		return 0;
	answer->result = NO_ELEMENT;
	value = bpf_map_lookup_elem(inner, &inner_key);
	if (!value)
		return 0;
	*value += context->args[ARGUMENT_VALUE];
	answer->result = 0;
	answer->value = *value;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
