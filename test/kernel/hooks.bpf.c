// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One program for each kind of hook. All count the runs in the process of the test, `watched_pid`. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

enum hook {
	HOOK_TRACEPOINT,
	HOOK_RAW_TRACEPOINT,
	HOOK_TP_BTF,
	HOOK_KPROBE,
	HOOK_KRETPROBE,
	HOOK_FENTRY,
	HOOK_FEXIT,
	HOOK_UPROBE,
	HOOK_URETPROBE,
	HOOK_XDP,
	HOOK_TC,
	HOOK_CGROUP,
	HOOK_PERF_EVENT,
	HOOK_MAX,
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HOOK_MAX);
	__type(key, __u32);
	__type(value, __u64);
} runs SEC(".maps");

const volatile __u32 watched_pid = 0;

static __always_inline int count(__u32 hook)
{
	__u64 *value = bpf_map_lookup_elem(&runs, &hook);

	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}

static __always_inline int count_own(__u32 hook)
{
	return (bpf_get_current_pid_tgid() >> 32) == watched_pid ? count(hook) : 0;
}

SEC("tp/syscalls/sys_enter_getpid")
int on_tracepoint(void *context) { return count_own(HOOK_TRACEPOINT); }

SEC("raw_tp/sys_enter")
int on_raw_tracepoint(void *context) { return count_own(HOOK_RAW_TRACEPOINT); }

SEC("tp_btf/sys_enter")
int on_tp_btf(void *context) { return count_own(HOOK_TP_BTF); }

SEC("kprobe/ksys_read")
int on_kprobe(void *context) { return count_own(HOOK_KPROBE); }

SEC("kretprobe/ksys_read")
int on_kretprobe(void *context) { return count_own(HOOK_KRETPROBE); }

SEC("fentry/ksys_read")
int on_fentry(void *context) { return count_own(HOOK_FENTRY); }

SEC("fexit/ksys_read")
int on_fexit(void *context) { return count_own(HOOK_FEXIT); }

SEC("uprobe")
int on_uprobe(void *context) { return count_own(HOOK_UPROBE); }

SEC("uretprobe")
int on_uretprobe(void *context) { return count_own(HOOK_URETPROBE); }

SEC("xdp")
int on_xdp(struct xdp_md *packet)
{
	count(HOOK_XDP);
	return XDP_PASS;
}

SEC("tc")
int on_tc(struct __sk_buff *packet)
{
	count(HOOK_TC);
	return TC_ACT_OK;
}

SEC("cgroup/sock_create")
int on_cgroup(struct bpf_sock *socket)
{
	count(HOOK_CGROUP);
	return 1;
}

SEC("perf_event")
int on_perf_event(void *context) { return count(HOOK_PERF_EVENT); }

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	void *task;
} __attribute__((preserve_access_index));

SEC("iter/task")
int on_task(struct bpf_iter__task *context)
{
	static const char format[] = "task\n";

	if (context->task)
		bpf_seq_printf(context->meta->seq, format, sizeof(format), 0, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
