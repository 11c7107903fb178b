// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes records on request: raw tracepoint arguments say how many, how long, and what becomes of them. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

enum { COUNTER_SENT = 0, COUNTER_LOST = 1 };

#define RECORD_BYTES 120

struct record {
	__u64 number;
	__u8 payload[RECORD_BYTES - 8];
};

const volatile __u64 first_number = 1;
__u64 last_number;

static __always_inline void count(__u32 index)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &index);

	if (value)
		(*value)++;
}

/* args: [0] records, at most 64; [1] flags of the submit; [2] 1 discards odd ones. */
SEC("raw_tp/native_test")
int produce(struct bpf_raw_tracepoint_args *context)
{
	__u64 wanted = context->args[0], flags = context->args[1], discard = context->args[2];

	for (__u32 i = 0; i < 64; i++) {
		struct record *record;

		if (i >= wanted)
			break;
		record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
		if (!record) {
			count(COUNTER_LOST);
			continue;
		}
		record->number = first_number + last_number++;
		__builtin_memset(record->payload, (__u8)record->number, sizeof(record->payload));
		if (discard && (record->number & 1)) {
			bpf_ringbuf_discard(record, flags);
			continue;
		}
		count(COUNTER_SENT);
		bpf_ringbuf_submit(record, flags);
	}
	return 7;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
