// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * System calls: how long each took and how it ended.
 *
 * One event a call, at its exit. The enter program only remembers when the thread went in.
 */
#define PROGRAMS_MAX 2
#include "include/collector.h"
#include "include/hooks.h"

enum syscall_program {
	PROGRAM_SYSCALL_ENTER = 0,
	PROGRAM_SYSCALL_EXIT = 1,
};

#define ERRNO_MAX 4095

struct syscall_start {
	__u64 enter_ns;
	__u64 number;
	__u64 check; /* enter_ns ^ CALLER of the thread that went in; 0 from exit to enter */
};

/* With a bit that no time has. */
#define CALLER(tid) ((tid) | 1ULL << 63)

/*
 * By thread. An entry stays where it is from one call to the next, because to insert and to delete one
 * costs more than all else that the enter program does. Threads end without a word, so entries are
 * left behind; the least recently used ones make room.
 *
 * An entry that makes room is another thread's at once, even under the hands of who has looked it up, and
 * what two threads write may come in any order. So the time is believed only with a check that fits both it
 * and the thread.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct syscall_start);
} syscall_starts SEC(".maps");

static __always_inline __s64 entered_number(const void *context, enum hook hook)
{
	if (hook == HOOK_TRACEPOINT)
		return ((const struct trace_event_raw_sys_enter *)context)->id;
	return hook_argument(context, 1);
}

static __always_inline void syscall_enter_note(struct probe *probe, __u64 number)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct syscall_start start = {
		.enter_ns = probe->now_ns,
		.number = number,
		.check = probe->now_ns ^ CALLER(tid),
	};
	struct syscall_start *kept = bpf_map_lookup_elem(&syscall_starts, &tid);

	if (kept)
		*kept = start;
	else if (bpf_map_update_elem(&syscall_starts, &tid, &start, BPF_ANY))
		probe_count(probe, errors);
}

static __always_inline int syscall_enter_run(const void *context, enum hook hook)
{
	struct probe probe;

	if (!probe_begin(&probe, PROGRAM_SYSCALL_ENTER))
		return 0;
	syscall_enter_note(&probe, entered_number(context, hook));
	probe_end(&probe);
	return 0;
}

SEC("tp/raw_syscalls/sys_enter")
int syscall_enter(void *context)
{
	return syscall_enter_run(context, HOOK_TRACEPOINT);
}

SEC("?raw_tp/sys_enter")
int syscall_enter_raw(void *context)
{
	return syscall_enter_run(context, HOOK_RAW_TRACEPOINT);
}

SEC("?tp_btf/sys_enter")
int syscall_enter_btf(void *context)
{
	return syscall_enter_run(context, HOOK_TP_BTF);
}

/* How a call ended. */
struct syscall_end {
	__s64 number;
	__s64 result;
};

static __always_inline void syscall_end_read(struct syscall_end *end, const void *context,
					     enum hook hook)
{
	if (hook == HOOK_TRACEPOINT) {
		const struct trace_event_raw_sys_exit *fields = context;

		end->number = fields->id;
		end->result = fields->ret;
	} else {
		const struct pt_regs *registers = (const void *)hook_argument(context, 0);

		/* The kernel takes the number for an int, and so does its event. */
		end->number = (__s32)HOOK_READ(hook, registers, orig_ax);
		end->result = hook_argument(context, 1);
	}
}

static __always_inline void syscall_exit_observe(struct probe *probe, const void *context,
						 enum hook hook)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct admission admission;
	struct event_facts facts;
	struct syscall_start *start;
	struct syscall_event *event;
	struct syscall_end end;

	syscall_end_read(&end, context, hook);
	event_facts_begin(&facts, EVENT_SYSCALL);
	start = bpf_map_lookup_elem(&syscall_starts, &tid);
	if (start) {
		/* Once: what is checked is what is used. */
		__u64 enter_ns = *(volatile __u64 *)&start->enter_ns;

		/* A signal return leaves another call than it entered; its latency would be a lie. */
		if ((enter_ns ^ start->check) == CALLER(tid) && start->number == (__u64)end.number)
			event_facts_latency(&facts, enter_ns, probe->now_ns);
		start->check = 0;
	}
	facts.error = end.result < 0 && end.result >= -ERRNO_MAX;
	if (!event_admit(probe, &facts, &admission))
		return;
	event = event_reserve(probe, &facts, sizeof(*event));
	if (!event)
		return;
	event_header_fill(&event->header, probe, &facts, &admission, sizeof(*event));
	if (!facts.latency_known)
		event->header.flags |= EVENT_DURATION_UNKNOWN;
	event->latency_ns = facts.latency_ns;
	event->result = end.result;
	event->number = end.number;
	event->error = facts.error ? -end.result : 0;
	event_submit(probe, &event->header);
}

static __always_inline int syscall_exit_run(const void *context, enum hook hook)
{
	struct probe probe;

	if (!probe_begin(&probe, PROGRAM_SYSCALL_EXIT))
		return 0;
	syscall_exit_observe(&probe, context, hook);
	probe_end(&probe);
	return 0;
}

SEC("tp/raw_syscalls/sys_exit")
int syscall_exit(void *context)
{
	return syscall_exit_run(context, HOOK_TRACEPOINT);
}

SEC("?raw_tp/sys_exit")
int syscall_exit_raw(void *context)
{
	return syscall_exit_run(context, HOOK_RAW_TRACEPOINT);
}

SEC("?tp_btf/sys_exit")
int syscall_exit_btf(void *context)
{
	return syscall_exit_run(context, HOOK_TP_BTF);
}

EMIT_TYPE(struct syscall_event, emit_syscall_event);
EMIT_TYPE(enum syscall_program, emit_syscall_program);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
