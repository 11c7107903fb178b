/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Variants of a program, which observe the same tracepoint in different ways, have one body and a
 * constant that says how to read the context; the compiler leaves the rest of it out.
 *
 * Only the classic variant loads by itself (it is the one that recordings replay to); sections of the others begin
 * with `?`. User space asks for the one that this kernel takes (core/events/collectors.ts).
 */
#ifndef TAPIO_HOOKS_H
#define TAPIO_HOOKS_H

#include "kernel_types.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* What the context is. */
enum hook {
	HOOK_TRACEPOINT,     /* the tracepoint's event, laid out as tracefs describes it */
	HOOK_RAW_TRACEPOINT, /* its arguments, a word each; pointers are numbers */
	HOOK_TP_BTF,	     /* the same; pointers have types, and reading through one cannot fault */
};

/* An argument of a tracepoint, unless the hook gives its event. */
static __always_inline __u64 hook_argument(const void *context, __u32 index)
{
	return ((const __u64 *)context)[index];
}

/* A member of what a pointer among the arguments points to. */
#define HOOK_READ(hook, pointer, member)                                                           \
	((hook) == HOOK_TP_BTF ? (pointer)->member : BPF_CORE_READ(pointer, member))

#endif
