// SPDX-License-Identifier: Apache-2.0
/*
 * The types of the simulated kernel. Compiled to BTF; CO-RE resolves against it, and the world lays
 * its tasks out by it. Layouts differ on purpose from what any collector declares (neighbours,
 * nesting, order), as every real kernel's do, so that a relocation that is not applied shows.
 *
 * Tracepoint contexts are laid out as on Linux 6.18.
 */
typedef signed int s32;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef signed long long s64;
typedef unsigned long long u64;

struct ns_common {
	u64 stashed;
	const void *ops;
	unsigned int inum;
	u32 count;
};

struct pid_namespace {
	u64 idr[3];
	u32 pid_allocated;
	u32 level;
	struct pid_namespace *parent;
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct uts_namespace {
	char name[65];
	struct ns_common ns;
};

struct ipc_namespace {
	u64 ids[4];
	struct ns_common ns;
};

struct user_namespace {
	u64 uid_map[8];
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct time_namespace {
	struct ns_common ns;
};

struct net {
	u32 passive;
	u64 list[2];
	struct ns_common ns;
};

struct nsproxy {
	u32 count;
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct cred {
	u32 usage;
	u32 uid;
	u32 gid;
	struct user_namespace *user_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	u32 count;
	unsigned int level;
	u64 tasks[4];
	struct upid numbers[1];
};

struct task_struct {
	u64 thread_info[3];
	u32 __state;
	s32 prio;
	s32 pid;
	s32 tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	u64 start_time;
	u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct nsproxy *nsproxy;
};

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	volatile u8 skc_state;
};

struct sock {
	struct sock_common __sk_common;
};

struct trace_entry {
	u16 type;
	u8 flags;
	u8 preempt_count;
	int pid;
};

struct trace_event_raw_inet_sock_set_state {
	struct trace_entry ent;
	const void *skaddr;
	int oldstate;
	int newstate;
	u16 sport;
	u16 dport;
	u16 family;
	u16 protocol;
	u8 saddr[4];
	u8 daddr[4];
	u8 saddr_v6[16];
	u8 daddr_v6[16];
};

struct trace_event_raw_tcp_retransmit_skb {
	struct trace_entry ent;
	const void *skbaddr;
	const void *skaddr;
	int state;
	u16 sport;
	u16 dport;
	u16 family;
	u8 saddr[4];
	u8 daddr[4];
	u8 saddr_v6[16];
	u8 daddr_v6[16];
	int err;
};

struct trace_event_raw_sys_enter {
	struct trace_entry ent;
	s64 id;
	u64 args[6];
};

struct trace_event_raw_sys_exit {
	struct trace_entry ent;
	s64 id;
	s64 ret;
};

/*
 * One object of each: behind pointers alone, the compiler would leave bodies out of BTF.
 */
struct task_struct task;
struct cred cred;
struct pid pid;
struct nsproxy nsproxy;
struct pid_namespace pid_namespace;
struct net net;
struct mnt_namespace mnt_namespace;
struct uts_namespace uts_namespace;
struct ipc_namespace ipc_namespace;
struct user_namespace user_namespace;
struct cgroup_namespace cgroup_namespace;
struct time_namespace time_namespace;
struct sock sock;
struct trace_event_raw_inet_sock_set_state inet_sock_set_state;
struct trace_event_raw_tcp_retransmit_skb tcp_retransmit_skb;
struct trace_event_raw_sys_enter sys_enter;
struct trace_event_raw_sys_exit sys_exit;
