// SPDX-License-Identifier: Apache-2.0
/* Text: bpf_trace_printk, bpf_trace_vprintk, bpf_snprintf. */
#include "format.h"
#include "helpers.h"

/* The text, without a NUL; the host reads it during the call. */
RT_IMPORT(print) void host_print(const char *text, u32 length);

#define PRINTK_ARGUMENTS 3

static s64 print_line(const char *format, u32 format_size, const u64 *arguments, u32 count)
{
	char line[RT_FORMAT_LINE_SIZE];
	s64 length = rt_format(line, sizeof(line), format, format_size, arguments, count);

	if (length < 0)
		return length;
	/* A NUL that %c wrote ends the line in the kernel's trace, too. */
	host_print(line, (u32)strnlen(line, sizeof(line)));
	return length;
}

RT_HELPER(trace_printk)
{
	const u64 arguments[PRINTK_ARGUMENTS] = { r3, r4, r5 };

	rt_check_read(r1, (u32)r2);
	return (u64)print_line(rt_pointer(r1), (u32)r2, arguments, PRINTK_ARGUMENTS);
}

/* Arguments in memory: whole words, twelve at most. */
static bool valid_arguments(u64 address, u32 bytes)
{
	rt_check_read(address, bytes);
	return bytes % 8 == 0 && bytes <= RT_FORMAT_ARGUMENTS_MAX * 8 && (bytes == 0 || address != 0);
}

RT_HELPER(trace_vprintk)
{
	u64 arguments[RT_FORMAT_ARGUMENTS_MAX];
	u32 bytes = (u32)r4;

	rt_check_read(r1, (u32)r2);
	if (!valid_arguments(r3, bytes))
		return (u64)-EINVAL;
	if (bytes != 0)
		memcpy(arguments, rt_pointer(r3), bytes);
	return (u64)print_line(rt_pointer(r1), (u32)r2, arguments, bytes / 8);
}

/* Length of a string that the program must be able to read up to its NUL. */
static u32 checked_string_size(u64 address)
{
	u32 size = 0;

	do
		rt_check_read(address + size, 1);
	while (*(const char *)rt_pointer(address + size++) != '\0');
	return size;
}

RT_HELPER(snprintf)
{
	u64 arguments[RT_FORMAT_ARGUMENTS_MAX];
	u32 bytes = (u32)r5;
	s64 length;

	rt_check_write(r1, (u32)r2);
	if (!valid_arguments(r4, bytes))
		return (u64)-EINVAL;
	if (bytes != 0)
		memcpy(arguments, rt_pointer(r4), bytes);
	length = rt_format(rt_pointer(r1), (u32)r2, rt_pointer(r3), checked_string_size(r3), arguments,
			   bytes / 8);
	return (u64)(length < 0 ? length : length + 1);
}
