// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Fills a ring on request with numbered records, for both readers of `bench ringbuf`. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define RECORD_BYTES 128
#define RECORDS_PER_RUN_MAX 512

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} ring SEC(".maps");

struct record {
	__u32 number;
	__u8 payload[RECORD_BYTES - 4];
};

/* Records asked for, and those that found no room. One program runs at a time. */
__u64 produced;
__u64 lost;

/* args: [0] records, at most RECORDS_PER_RUN_MAX. */
SEC("raw_tp/bench")
int produce(struct bpf_raw_tracepoint_args *context)
{
	__u64 wanted = context->args[0];

	for (__u32 i = 0; i < RECORDS_PER_RUN_MAX; i++) {
		struct record *record;

		if (i >= wanted)
			break;
		produced++;
		record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
		if (!record) {
			lost++;
			continue;
		}
		record->number = produced;
		bpf_ringbuf_submit(record, 0);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
