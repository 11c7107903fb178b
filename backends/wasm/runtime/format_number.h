/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and network addresses as the kernel's printf writes them. */
#ifndef TAPIO_FORMAT_NUMBER_H
#define TAPIO_FORMAT_NUMBER_H

#include "runtime.h"

#define RT_NUMBER_SIZE 24
/* Wider fields would only pad; the kernel has a limit of its own. */
#define RT_FORMAT_WIDTH_MAX 0x7fffffu

struct rt_number_style {
	bool zero, plus, left, space; /* flags of the conversion */
	bool upper;
	bool is_signed;
};

/* A number, ready to be written from left to right. */
struct rt_number {
	u32 spaces_before;
	char sign; /* or NUL */
	u32 zeroes;
	u32 length; /* of the digits */
	u32 spaces_after;
};

/* Digits (at most RT_NUMBER_SIZE) and how to pad them. `base` is 10 or 16. */
void rt_number_lay_out(struct rt_number *number, char *digits, u64 value, u32 base,
		       struct rt_number_style style, u32 width);

/* 0x and digits; returns the length, at most 18. */
u32 rt_format_hex(char *to, u64 value);
/* Both return the length, at most 40. `bare`: the %pi forms, with leading zeroes or no colons. */
u32 rt_format_ipv4(char *to, const u8 *bytes, bool bare);
u32 rt_format_ipv6(char *to, const u8 *bytes, bool bare);

#endif
