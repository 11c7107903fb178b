// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A value with a spin lock: user space never sees nor writes the lock. Compiled with SUBJECT_TYPE
 * defined. No program: those that run on request (tracing) may not hold locks.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct locked {
	__u64 before;
	struct bpf_spin_lock lock;
	__u32 after;
};

struct {
	__uint(type, SUBJECT_TYPE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct locked);
} subject SEC(".maps");

char LICENSE[] SEC("license") = "GPL";
