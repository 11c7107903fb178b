/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helpers that programs may call. One file a family (helpers_*.c); the table is in helpers.c.
 *
 * A helper checks every pointer against the shadow, with the size it reads or writes, because no
 * verifier did. What the verifier would have refused faults; what the kernel's helper answers at run
 * time with an errno is answered with that errno.
 */
#ifndef TAPIO_HELPERS_H
#define TAPIO_HELPERS_H

#include "held.h"
#include "runtime.h"

/* Number of enum bpf_func_id and name. */
#define RT_HELPERS(X)                     \
	X(1, map_lookup_elem)             \
	X(2, map_update_elem)             \
	X(3, map_delete_elem)             \
	X(4, probe_read)                  \
	X(5, ktime_get_ns)                \
	X(6, trace_printk)                \
	X(7, get_prandom_u32)             \
	X(8, get_smp_processor_id)        \
	X(12, tail_call)                  \
	X(14, get_current_pid_tgid)       \
	X(15, get_current_uid_gid)        \
	X(16, get_current_comm)           \
	X(25, perf_event_output)          \
	X(27, get_stackid)                \
	X(35, get_current_task)           \
	X(42, get_numa_node_id)           \
	X(45, probe_read_str)             \
	X(67, get_stack)                  \
	X(80, get_current_cgroup_id)      \
	X(87, map_push_elem)              \
	X(88, map_pop_elem)               \
	X(89, map_peek_elem)              \
	X(93, spin_lock)                  \
	X(94, spin_unlock)                \
	X(105, strtol)                    \
	X(106, strtoul)                   \
	X(112, probe_read_user)           \
	X(113, probe_read_kernel)         \
	X(114, probe_read_user_str)       \
	X(115, probe_read_kernel_str)     \
	X(118, jiffies64)                 \
	X(120, get_ns_current_pid_tgid)   \
	X(123, get_current_ancestor_cgroup_id) \
	X(125, ktime_get_boot_ns)         \
	X(130, ringbuf_output)            \
	X(131, ringbuf_reserve)           \
	X(132, ringbuf_submit)            \
	X(133, ringbuf_discard)           \
	X(134, ringbuf_query)             \
	X(156, task_storage_get)          \
	X(157, task_storage_delete)       \
	X(158, get_current_task_btf)      \
	X(160, ktime_get_coarse_ns)       \
	X(164, for_each_map_elem)         \
	X(165, snprintf)                  \
	X(169, timer_init)                \
	X(170, timer_set_callback)        \
	X(171, timer_start)               \
	X(172, timer_cancel)              \
	X(173, get_func_ip)               \
	X(174, get_attach_cookie)         \
	X(177, trace_vprintk)             \
	X(181, loop)                      \
	X(182, strncmp)                   \
	X(195, map_lookup_percpu_elem)    \
	X(197, dynptr_from_mem)           \
	X(198, ringbuf_reserve_dynptr)    \
	X(199, ringbuf_submit_dynptr)     \
	X(200, ringbuf_discard_dynptr)    \
	X(201, dynptr_read)               \
	X(202, dynptr_write)              \
	X(203, dynptr_data)               \
	X(208, ktime_get_tai_ns)          \
	X(210, cgrp_storage_get)          \
	X(211, cgrp_storage_delete)

#define RT_HELPER_ID_MAX 211

#define RT_HELPER_DECLARE(id, name) u64 rt_helper_##name(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5);
RT_HELPERS(RT_HELPER_DECLARE)
#undef RT_HELPER_DECLARE

#define RT_UNUSED __attribute__((unused))
#define RT_HELPER_PARAMETERS \
	RT_UNUSED u64 r1, RT_UNUSED u64 r2, RT_UNUSED u64 r3, RT_UNUSED u64 r4, RT_UNUSED u64 r5

/* Defines a helper. Under a spin lock only spin_unlock may be called, so everything else faults. */
#define RT_HELPER(name)                                                   \
	static inline u64 name##_helper(RT_HELPER_PARAMETERS);            \
	u64 rt_helper_##name(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)      \
	{                                                                 \
		if (rt_held_lock != 0)                                    \
			rt_fault(RT_FAULT_LOCK, rt_held_lock, 4);         \
		return name##_helper(r1, r2, r3, r4, r5);                 \
	}                                                                 \
	static inline u64 name##_helper(RT_HELPER_PARAMETERS)

static inline void *rt_pointer(u64 address)
{
	return (void *)(uintptr_t)address;
}

/* A size of 0 goes with any address, also one that the C library must not be given. */
static inline void rt_copy(u64 to, u64 from, u32 size)
{
	if (size != 0)
		memmove(rt_pointer(to), rt_pointer(from), size);
}

static inline void rt_clear(u64 to, u32 size)
{
	if (size != 0)
		memset(rt_pointer(to), 0, size);
}

static inline u64 rt_address(const void *pointer)
{
	return (uintptr_t)pointer;
}

#endif
