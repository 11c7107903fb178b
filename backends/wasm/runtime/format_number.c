// SPDX-License-Identifier: Apache-2.0
#include "format_number.h"

static u32 write_digits(char *digits, u64 value, u32 base, bool upper)
{
	const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char reversed[RT_NUMBER_SIZE];
	u32 length = 0;

	do {
		reversed[length++] = alphabet[value % base];
		value /= base;
	} while (value != 0);
	for (u32 i = 0; i < length; i++)
		digits[i] = reversed[length - 1 - i];
	return length;
}

void rt_number_lay_out(struct rt_number *number, char *digits, u64 value, u32 base,
		       struct rt_number_style style, u32 width)
{
	u32 taken, padding;

	*number = (struct rt_number){ 0 };
	if (style.is_signed && (s64)value < 0) {
		number->sign = '-';
		value = -value;
	} else if (style.is_signed && (style.plus || style.space)) {
		number->sign = style.plus ? '+' : ' ';
	}
	number->length = write_digits(digits, value, base, style.upper);
	taken = number->length + (number->sign != '\0');
	padding = width > taken ? width - taken : 0;
	if (style.left)
		number->spaces_after = padding;
	else if (style.zero)
		number->zeroes = padding;
	else
		number->spaces_before = padding;
}

u32 rt_format_hex(char *to, u64 value)
{
	to[0] = '0';
	to[1] = 'x';
	return 2 + write_digits(to + 2, value, 16, false);
}

u32 rt_format_ipv4(char *to, const u8 *bytes, bool bare)
{
	u32 length = 0;

	for (u32 i = 0; i < 4; i++) {
		char digits[RT_NUMBER_SIZE];
		u32 count = write_digits(digits, bytes[i], 10, false);

		if (i != 0)
			to[length++] = '.';
		for (u32 zeroes = bare ? 3 - count : 0; zeroes != 0; zeroes--)
			to[length++] = '0';
		memcpy(to + length, digits, count);
		length += count;
	}
	return length;
}

u32 rt_format_ipv6(char *to, const u8 *bytes, bool bare)
{
	u32 length = 0;

	for (u32 i = 0; i < 16; i++) {
		if (i != 0 && i % 2 == 0 && !bare)
			to[length++] = ':';
		to[length++] = "0123456789abcdef"[bytes[i] >> 4];
		to[length++] = "0123456789abcdef"[bytes[i] & 15];
	}
	return length;
}
