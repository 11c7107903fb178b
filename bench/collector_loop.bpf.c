// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls through the collector of system calls, one after the other, under the clock. */
#include "../bpf/syscall_monitor.bpf.c"

#define LOOP_EVENTS_MAX 8192
/* Before the clock starts: what else ran meanwhile has had the caches. */
#define LOOP_WARM_UP 128

struct loop_context {
	__u64 events;
	__u64 enters; /* whether each call comes in before it goes out */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} loop_elapsed_ns SEC(".maps");

/* What the hooks would be given; larger than either context of any kernel. */
struct loop_call {
	__u64 words[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct loop_call);
} loop_calls SEC(".maps");

__attribute__((noinline)) int loop_event(__u32 first, __u32 enters)
{
	struct loop_call *call = bpf_map_lookup_elem(&loop_calls, &first);

	if (!call)
		return 0;
	if (enters)
		syscall_enter_run(call, HOOK_TRACEPOINT);
	syscall_exit_run(call, HOOK_TRACEPOINT);
	return 0;
}

SEC("raw_tp/bench")
int loop(struct loop_context *context)
{
	__u32 first = 0;
	__u64 *elapsed_ns = bpf_map_lookup_elem(&loop_elapsed_ns, &first);
	__u64 events = context->events;
	__u32 enters = context->enters;
	__u64 started_ns;

	if (!elapsed_ns)
		return 0;
	for (__u32 i = 0; i < LOOP_WARM_UP; i++)
		loop_event(first, enters);
	started_ns = bpf_ktime_get_ns();
	for (__u32 i = 0; i < LOOP_EVENTS_MAX && i < events; i++)
		loop_event(first, enters);
	*elapsed_ns = bpf_ktime_get_ns() - started_ns;
	return 0;
}
