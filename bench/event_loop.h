/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events through a collector, one after the other, under the clock: after the collector's source, which says what one is. */

#define LOOP_EVENTS_MAX 8192
/* Before the clock starts: what else ran meanwhile has had the caches. */
#define LOOP_WARM_UP 128

struct loop_context {
	__u64 events;
	__u64 variant; /* what the events are, if they can be this or that */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} loop_elapsed_ns SEC(".maps");

/* What the hooks would be given; larger than any context of any kernel. */
struct loop_call {
	__u64 words[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct loop_call);
} loop_calls SEC(".maps");

/* One event, the `index`th. */
static __always_inline void loop_event(struct loop_call *call, __u32 index, __u32 variant);

__attribute__((noinline)) int loop_once(__u32 index, __u32 variant)
{
	__u32 first = 0;
	struct loop_call *call = bpf_map_lookup_elem(&loop_calls, &first);

	/* The verifier wants all arguments, the compiler passes those that are used. */
	asm volatile("" : : "r"(index), "r"(variant));
	if (call)
		loop_event(call, index, variant);
	return 0;
}

SEC("raw_tp/bench")
int loop(struct loop_context *context)
{
	__u32 first = 0;
	__u64 *elapsed_ns = bpf_map_lookup_elem(&loop_elapsed_ns, &first);
	__u64 events = context->events;
	__u32 variant = context->variant;
	__u64 started_ns;

	if (!elapsed_ns)
		return 0;
	for (__u32 i = 0; i < LOOP_WARM_UP; i++)
		loop_once(i, variant);
	started_ns = bpf_ktime_get_ns();
	for (__u32 i = 0; i < LOOP_EVENTS_MAX && i < events; i++)
		loop_once(i, variant);
	*elapsed_ns = bpf_ktime_get_ns() - started_ns;
	return 0;
}
