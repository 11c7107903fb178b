/* SPDX-License-Identifier: Apache-2.0 */
/* Formatted text as bpf_trace_printk and bpf_snprintf produce it. */
#ifndef TAPIO_FORMAT_H
#define TAPIO_FORMAT_H

#include "runtime.h"

#define RT_FORMAT_ARGUMENTS_MAX 12
#define RT_FORMAT_LINE_SIZE 1024

/*
 * Writes at most size - 1 bytes and a NUL (size 0 writes nothing) and returns the length that the whole
 * text has. -EINVAL: a conversion the kernel refuses, fewer arguments than conversions, or a format
 * without NUL within format_size. -ENOSPC: arguments that take more than 512 bytes.
 */
s64 rt_format(char *to, u32 size, const char *format, u32 format_size, const u64 *arguments,
	      u32 count);

#endif
