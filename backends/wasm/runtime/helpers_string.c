// SPDX-License-Identifier: Apache-2.0
/* Text to numbers, and comparison. */
#include "helpers.h"

#define BASE_MASK 0x1fu
#define TEXT_MAX 63u /* the kernel copies so much and ignores the rest */

/* The kernel's table counts the no-break space of Latin-1 in. */
static bool is_space(u8 c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

/* The value of a digit, or 255. */
static u32 digit_value(u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 255;
}

struct scanner {
	const u8 *at;
	const u8 *end;
};

static u32 remaining(const struct scanner *scanner)
{
	return (u32)(scanner->end - scanner->at);
}

static u8 peek(const struct scanner *scanner, u32 ahead)
{
	return ahead < remaining(scanner) ? scanner->at[ahead] : 0;
}

/* Base 0 asks the text: 0x says 16, a leading 0 says 8. A prefix 0x is skipped. */
static u32 scan_base(struct scanner *scanner, u32 base)
{
	bool zero = peek(scanner, 0) == '0';
	bool prefixed = zero && (peek(scanner, 1) | 0x20) == 'x';

	if (base == 0 && prefixed && digit_value(peek(scanner, 2)) < 16)
		base = 16;
	else if (base == 0)
		base = zero ? 8 : 10;
	if (base == 16 && prefixed)
		scanner->at += 2;
	return base;
}

/* Number of characters consumed, or -errno: -EINVAL without a digit, -ERANGE beyond 64 bits. */
static s64 scan_number(const u8 *text, u32 size, u64 flags, u64 *value, bool *negative)
{
	struct scanner scanner = { text, text + size };
	u32 base = (u32)flags & BASE_MASK;
	const u8 *digits;
	bool overflow = false;

	if (size == 0 || flags & ~(u64)BASE_MASK)
		return -EINVAL;
	if (base != 0 && base != 8 && base != 10 && base != 16)
		return -EINVAL;
	while (scanner.at < scanner.end && is_space(*scanner.at))
		scanner.at++;
	*negative = peek(&scanner, 0) == '-';
	scanner.at += *negative;
	if (scanner.at == scanner.end)
		return -EINVAL;
	if (remaining(&scanner) > TEXT_MAX)
		scanner.end = scanner.at + TEXT_MAX;

	base = scan_base(&scanner, base);
	*value = 0;
	for (digits = scanner.at; digit_value(peek(&scanner, 0)) < base; scanner.at++)
		overflow |= __builtin_mul_overflow(*value, (u64)base, value) ||
			    __builtin_add_overflow(*value, digit_value(*scanner.at), value);
	if (overflow)
		return -ERANGE;
	return scanner.at == digits ? -EINVAL : scanner.at - text;
}

RT_HELPER(strtol)
{
	s64 *result = rt_pointer(r4);
	bool negative;
	u64 value;
	s64 consumed;

	rt_check_read(r1, (u32)r2);
	rt_check_write(r4, sizeof(*result));
	*result = 0;
	consumed = scan_number(rt_pointer(r1), (u32)r2, r3, &value, &negative);
	if (consumed < 0)
		return (u64)consumed;
	if (value > (u64)INT64_MAX + negative)
		return (u64)-ERANGE;
	*result = (s64)(negative ? -value : value);
	return (u64)consumed;
}

RT_HELPER(strtoul)
{
	u64 *result = rt_pointer(r4);
	bool negative;
	u64 value;
	s64 consumed;

	rt_check_read(r1, (u32)r2);
	rt_check_write(r4, sizeof(*result));
	*result = 0;
	consumed = scan_number(rt_pointer(r1), (u32)r2, r3, &value, &negative);
	if (consumed < 0)
		return (u64)consumed;
	if (negative)
		return (u64)-EINVAL;
	*result = value;
	return (u64)consumed;
}

/* The second string must end within memory that the program can read. */
RT_HELPER(strncmp)
{
	const u8 *first = rt_pointer(r1);
	u32 size = (u32)r2;

	rt_check_read(r1, size);
	for (u32 i = 0; i < size; i++) {
		u8 second;

		rt_check_read(r3 + i, 1);
		second = *(const u8 *)rt_pointer(r3 + i);
		if (first[i] != second)
			return (u64)(s64)(first[i] < second ? -1 : 1);
		if (second == '\0')
			break;
	}
	return 0;
}
