// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpf_loop: iterations, stopping, limits. Linux 5.17. */
#include "operations.h"

struct progress {
	__u64 stop_at;
	__u64 sum;
};

static long step(__u64 index, struct progress *progress)
{
	progress->sum += index;
	return index == progress->stop_at;
}

SEC("raw_tp/conformance")
int iterate(struct bpf_raw_tracepoint_args *context)
{
	struct progress progress = { .stop_at = context->args[ARGUMENT_VALUE] };
	struct answer *answer = fresh_answer();

	if (!answer)
		return 1;
	answer->result = bpf_loop(context->args[ARGUMENT_LIMIT], step, &progress,
				  context->args[ARGUMENT_FLAGS]);
	answer->value = progress.sum;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
