/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the suite asks a program for one operation and reads what came of it. Programs are raw
 * tracepoint programs that nothing triggers: they run on request only, with their arguments in the
 * context. The constants are repeated in `program_abi.ts`.
 */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum operation {
	OPERATION_LOOKUP = 1,
	OPERATION_UPDATE,
	OPERATION_DELETE,
	/* Adds to the value in place, through the pointer of a lookup. */
	OPERATION_ADD,
	/* Reads through the pointer of a lookup after the key was deleted, or updated. */
	OPERATION_READ_DELETED,
	OPERATION_READ_UPDATED,
	OPERATION_PUSH,
	OPERATION_POP,
	OPERATION_PEEK,
	/* Reads another CPU's value. */
	OPERATION_LOOKUP_PERCPU,
	/* Visits elements with bpf_for_each_map_elem. */
	OPERATION_VISIT,
};

/* Positions in the context. */
enum argument {
	ARGUMENT_OPERATION,
	ARGUMENT_KEY,
	ARGUMENT_KEY_HIGH,
	ARGUMENT_VALUE,
	ARGUMENT_FLAGS,
	/* CPU of OPERATION_LOOKUP_PERCPU, most elements of OPERATION_VISIT. */
	ARGUMENT_LIMIT,
};

#define NOT_FOUND (-2) /* -ENOENT, for helpers that answer with a pointer */
#define UNKNOWN_OPERATION (-1000)
#define UNTOUCHED 0x5a5a5a5a5a5a5a5aull

struct answer {
	__s64 result;
	__u64 value;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct answer);
} answers SEC(".maps");

static __always_inline struct answer *fresh_answer(void)
{
	__u32 zero = 0;
	struct answer *answer = bpf_map_lookup_elem(&answers, &zero);

	if (answer) {
		answer->result = UNKNOWN_OPERATION;
		answer->value = UNTOUCHED;
	}
	return answer;
}

#endif
