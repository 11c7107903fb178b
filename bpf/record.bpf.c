// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records what the collectors' hooks saw: the raw context of each, and the facts of the task it ran
 * in. User space makes a trace of it that replays anywhere.
 */
#include "include/namespaces.h"

#define RING_BYTES (16 * 1024 * 1024)
#define CONTEXT_BYTES_MAX 96

enum recorded_hook {
	RECORDED_TCP_STATE = 0,
	RECORDED_TCP_RETRANSMIT = 1,
	RECORDED_SYSCALL_ENTER = 2,
	RECORDED_SYSCALL_EXIT = 3,
	RECORDED_HOOKS = 4,
};

struct recorded_task {
	__u64 cgroup_id;
	__u64 start_ns;
	__u32 pid;
	__u32 tid;
	__u32 parent_pid;
	__u32 uid;
	__u32 gid;
	__u32 pid_namespace;
	__u32 net_namespace;
	__u32 mnt_namespace;
	__u32 uts_namespace;
	__u32 ipc_namespace;
	__u32 cgroup_namespace;
	__u32 user_namespace;
	char command[COMMAND_LENGTH];
};

/* The first 16 bytes are what user space sorts by. */
struct recorded_event {
	__u64 time_ns;
	__u16 length; /* of the record with its context, a multiple of 8 */
	__u16 cpu;
	__u8 hook;
	__u8 reserved[3];
	struct recorded_task task;
	__u8 context[CONTEXT_BYTES_MAX];
};

_Static_assert(__builtin_offsetof(struct recorded_event, length) == 8, "see import_record.ts");
_Static_assert(__builtin_offsetof(struct recorded_event, task) == 16, "see import_record.ts");
_Static_assert(sizeof(struct recorded_event) <= 256, "see import_record.ts");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} events SEC(".maps");

/* Events that found no room in the ring, by hook. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RECORDED_HOOKS);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

/* Sizes of the contexts on this kernel, from its BTF. */
const volatile __u32 tcp_state_bytes = 0;
const volatile __u32 tcp_retransmit_bytes = 0;
const volatile __u32 syscall_enter_bytes = 0;
const volatile __u32 syscall_exit_bytes = 0;

/* The recorder, whose own system calls would feed it. */
const volatile __u32 excluded_pid = 0;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct___recorded {
	struct task_struct___recorded *real_parent;
	int tgid;
	__u64 start_time;
};

#pragma clang attribute pop

static __always_inline void record_task(struct recorded_task *recorded)
{
	struct task_struct___recorded *task = (void *)bpf_get_current_task();
	struct task_facts facts;

	task_facts_read(&facts);
	recorded->cgroup_id = facts.cgroup_id;
	recorded->start_ns = BPF_CORE_READ(task, start_time);
	recorded->pid = facts.pid;
	recorded->tid = facts.tid;
	recorded->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
	recorded->uid = facts.uid;
	recorded->gid = bpf_get_current_uid_gid() >> 32;
	recorded->pid_namespace = facts.pid_namespace;
	recorded->net_namespace = facts.net_namespace;
	recorded->mnt_namespace = facts.mnt_namespace;
	namespaces_read(&recorded->uts_namespace, &recorded->ipc_namespace,
			&recorded->cgroup_namespace, &recorded->user_namespace);
	bpf_get_current_comm(recorded->command, sizeof(recorded->command));
}

static __always_inline int record(void *context, __u32 hook, __u32 bytes)
{
	struct recorded_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__u64 *count = bpf_map_lookup_elem(&lost, &hook);

		if (count)
			(*count)++;
		return 0;
	}
	event->time_ns = bpf_ktime_get_ns();
	event->length = __builtin_offsetof(struct recorded_event, context) + (bytes + 7) / 8 * 8;
	event->cpu = bpf_get_smp_processor_id();
	event->hook = hook;
	__builtin_memset(event->reserved, 0, sizeof(event->reserved));
	record_task(&event->task);
	__builtin_memset(event->context, 0, sizeof(event->context));
	if (bytes <= CONTEXT_BYTES_MAX)
		bpf_probe_read_kernel(event->context, bytes, context);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline bool is_recorder(void)
{
	return excluded_pid && (bpf_get_current_pid_tgid() >> 32) == excluded_pid;
}

SEC("tp/sock/inet_sock_set_state")
int record_tcp_state(void *context)
{
	return record(context, RECORDED_TCP_STATE, tcp_state_bytes);
}

SEC("tp/tcp/tcp_retransmit_skb")
int record_tcp_retransmit(void *context)
{
	return record(context, RECORDED_TCP_RETRANSMIT, tcp_retransmit_bytes);
}

SEC("tp/raw_syscalls/sys_enter")
int record_syscall_enter(void *context)
{
	return is_recorder() ? 0 : record(context, RECORDED_SYSCALL_ENTER, syscall_enter_bytes);
}

SEC("tp/raw_syscalls/sys_exit")
int record_syscall_exit(void *context)
{
	return is_recorder() ? 0 : record(context, RECORDED_SYSCALL_EXIT, syscall_exit_bytes);
}

EMIT_TYPE(struct recorded_event, emit_recorded_event);
EMIT_TYPE(enum recorded_hook, emit_recorded_hook);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
