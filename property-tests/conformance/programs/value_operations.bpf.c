// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The operations that programs have on a map without keys: queue, stack, bloom filter. Compiled
 * once for each, with SUBJECT_TYPE defined, and HAS_POP where elements can be taken out.
 */
#include "operations.h"

struct {
	__uint(type, SUBJECT_TYPE);
	__uint(max_entries, 4);
	__uint(key_size, 0);
	__uint(value_size, sizeof(__u64));
} subject SEC(".maps");

/*
 * Values come and go through the answer, not the stack: peeking into a Bloom filter reads its value, and
 * Linux 7.3 takes a store to the stack before it for dead.
 */
SEC("raw_tp/conformance")
int operate(struct bpf_raw_tracepoint_args *context)
{
	struct answer *answer = fresh_answer();

	if (!answer)
		return 1;
	answer->value = context->args[ARGUMENT_VALUE];
	switch (context->args[ARGUMENT_OPERATION]) {
	case OPERATION_PUSH:
		answer->result = bpf_map_push_elem(&subject, &answer->value,
						   context->args[ARGUMENT_FLAGS]);
		answer->value = UNTOUCHED;
		break;
#ifdef HAS_POP
	case OPERATION_POP:
		answer->result = bpf_map_pop_elem(&subject, &answer->value);
		break;
#endif
	case OPERATION_PEEK:
		answer->result = bpf_map_peek_elem(&subject, &answer->value);
		break;
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
