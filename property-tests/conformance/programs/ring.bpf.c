// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every way to put a record into a ring buffer, and what the ring says of itself. */
#include "operations.h"

#define BUFFER_BYTES 16384
#define NO_SPACE (-1)
#define OUTER_BYTES 100

enum ring_operation {
	/* bpf_ringbuf_output of the first `value` bytes of the buffer. */
	RING_OUTPUT = 101,
	/* Reserves `value` bytes (8, 100, 1000 or 4080), stamps them, submits or discards. */
	RING_SUBMIT,
	RING_DISCARD,
	/* RING_OUTPUT while an older record of 100 bytes is reserved; that is then ended. */
	RING_OUTPUT_IN_SUBMIT,
	RING_OUTPUT_IN_DISCARD,
	RING_QUERY,
	/* Like RING_SUBMIT and RING_DISCARD, of any size, through a dynptr. Linux 5.19. */
	RING_DYNPTR_SUBMIT,
	RING_DYNPTR_DISCARD,
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct buffer {
	__u8 bytes[BUFFER_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct buffer);
} buffers SEC(".maps");

static __always_inline __s64 output(__u64 size, __u64 flags)
{
	__u32 zero = 0;
	struct buffer *buffer = bpf_map_lookup_elem(&buffers, &zero);

	if (!buffer || size > BUFFER_BYTES)
		return UNKNOWN_OPERATION;
	return bpf_ringbuf_output(&ring, buffer->bytes, size, flags);
}

/*
 * The verifier wants the size of a reservation to be a constant. Its check for NULL happens once: older
 * kernels follow a second one into the branch where the record is lost.
 */
#define RESERVE(size, stamp, reserve_flags, end, end_flags)                                        \
	({                                                                                         \
		__u64 *record = bpf_ringbuf_reserve(&ring, size, reserve_flags);                   \
		__s64 result = NO_SPACE;                                                           \
		if (record) {                                                                      \
			*record = stamp;                                                           \
			end(record, end_flags);                                                    \
			result = 0;                                                                \
		}                                                                                  \
		result;                                                                            \
	})

#define RESERVE_ANY(size, stamp, reserve_flags, end, end_flags)                                    \
	((size) == 8	  ? RESERVE(8, stamp, reserve_flags, end, end_flags) :                     \
	 (size) == 100	  ? RESERVE(100, stamp, reserve_flags, end, end_flags) :                   \
	 (size) == 1000	  ? RESERVE(1000, stamp, reserve_flags, end, end_flags) :                  \
	 (size) == 4080	  ? RESERVE(4080, stamp, reserve_flags, end, end_flags) :                  \
			    UNKNOWN_OPERATION)

/* `value` of the answer says whether the outer record got its space. */
#define OUTPUT_WITHIN(answer, size, flags, stamp, end)                                             \
	do {                                                                                       \
		__u64 *record = bpf_ringbuf_reserve(&ring, OUTER_BYTES, 0);                        \
		(answer)->value = 0;                                                               \
		(answer)->result = output(size, flags);                                            \
		if (record) {                                                                      \
			(answer)->value = 1;                                                       \
			*record = stamp;                                                           \
			end(record, 0);                                                            \
		}                                                                                  \
	} while (0)

/* In the place of a key. */
static __always_inline __u64 take_reserve_flags(struct bpf_raw_tracepoint_args *context)
{
	return context->args[ARGUMENT_KEY] | context->args[ARGUMENT_KEY_HIGH] << 32;
}

/* The limit holds the stamp. */
SEC("raw_tp/conformance")
int operate(struct bpf_raw_tracepoint_args *context)
{
	__u64 size = context->args[ARGUMENT_VALUE], flags = context->args[ARGUMENT_FLAGS];
	__u64 stamp = context->args[ARGUMENT_LIMIT], reserve_flags = take_reserve_flags(context);
	struct answer *answer = fresh_answer();

	if (!answer)
		return 1;
	switch (context->args[ARGUMENT_OPERATION]) {
	case RING_OUTPUT:
		answer->result = output(size, flags);
		break;
	case RING_SUBMIT:
		answer->result =
			RESERVE_ANY(size, stamp, reserve_flags, bpf_ringbuf_submit, flags);
		break;
	case RING_DISCARD:
		answer->result =
			RESERVE_ANY(size, stamp, reserve_flags, bpf_ringbuf_discard, flags);
		break;
	case RING_OUTPUT_IN_SUBMIT:
		OUTPUT_WITHIN(answer, size, flags, stamp, bpf_ringbuf_submit);
		break;
	case RING_OUTPUT_IN_DISCARD:
		OUTPUT_WITHIN(answer, size, flags, stamp, bpf_ringbuf_discard);
		break;
	case RING_QUERY:
		answer->result = bpf_ringbuf_query(&ring, flags);
		break;
	}
	return 0;
}

SEC("raw_tp/conformance")
int operate_dynptr(struct bpf_raw_tracepoint_args *context)
{
	__u64 size = context->args[ARGUMENT_VALUE], flags = context->args[ARGUMENT_FLAGS];
	__u64 stamp = context->args[ARGUMENT_LIMIT], reserve_flags = take_reserve_flags(context);
	struct answer *answer = fresh_answer();
	struct bpf_dynptr record;

	if (!answer)
		return 1;
	/* A reservation that failed has to be ended too. */
	answer->result = bpf_ringbuf_reserve_dynptr(&ring, size, reserve_flags, &record);
	answer->value = bpf_dynptr_write(&record, 0, &stamp, sizeof(stamp), 0);
	if (context->args[ARGUMENT_OPERATION] == RING_DYNPTR_SUBMIT)
		bpf_ringbuf_submit_dynptr(&record, flags);
	else
		bpf_ringbuf_discard_dynptr(&record, flags);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
