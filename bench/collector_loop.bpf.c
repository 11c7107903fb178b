// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls through the collector of system calls. */
#include "../bpf/syscall_monitor.bpf.c"

#include "event_loop.h"

/* The variant: whether each call comes in before it goes out. */
static __always_inline void loop_event(struct loop_call *call, __u32 index, __u32 enters)
{
	if (enters)
		syscall_enter_run(call, HOOK_TRACEPOINT);
	syscall_exit_run(call, HOOK_TRACEPOINT);
}
