// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel prepares arguments first (and refuses there), then prints; both happen here in one pass
 * over the format per stage: `prepare` walks it to validate, `print` walks it again to write.
 */
#include "format.h"

#include "format_field.h"
#include "simulated_memory.h"

/* Copies of strings, addresses and integers share this much in the kernel. */
#define PREPARED_SIZE 512u

/* ---- arguments ------------------------------------------------------------------------------ */

/* Copies the string that `address` names; one that cannot be read is empty. */
static u32 fetch_string(char *to, u64 address, u32 size, char kind)
{
	bool user = kind == 'u' || (kind == 's' && rt_space_of(address) == RT_SPACE_USER);
	s64 length = user ? rt_string_from_user(to, address, size) :
			    rt_string_from_kernel(to, address, size);

	if (length > 0)
		return (u32)length - 1;
	to[0] = '\0';
	return 0;
}

static u32 fetch_address(char *to, const struct rt_field *field, u64 argument)
{
	u32 size = field->digit == '4' ? 4 : 16;
	u8 bytes[16];

	if (rt_copy_from_space(bytes, argument, size, RT_SPACE_KERNEL) != 0)
		memset(bytes, 0, sizeof(bytes));
	return field->digit == '4' ? rt_format_ipv4(to, bytes, field->kind == 'i') :
				     rt_format_ipv6(to, bytes, field->kind == 'i');
}

/* How much of the shared space an argument takes; `used` is what earlier ones took. */
static s64 prepared_bytes(const struct rt_field *field, u64 argument, u32 used, char *scratch)
{
	u32 room = PREPARED_SIZE - used;
	u32 aligned = (used + 3) & ~3u;

	switch (field->conversion) {
	case RT_CONVERT_STRING:
		if (room == 0)
			return -ENOSPC;
		return fetch_string(scratch, argument, room, field->kind) + 1;
	case RT_CONVERT_ADDRESS:
		if (room < (field->digit == '4' ? 4 : 16))
			return -ENOSPC;
		return fetch_address(scratch, field, argument) + 1;
	case RT_CONVERT_SYMBOL:
	case RT_CONVERT_CHARACTER:
		return room == 0 ? -ENOSPC : 1;
	default:
		if (aligned > PREPARED_SIZE || PREPARED_SIZE - aligned < field->bytes)
			return -ENOSPC;
		return aligned - used + field->bytes;
	}
}

/* ---- output --------------------------------------------------------------------------------- */

struct output {
	char *to;
	u32 size;
	u32 length; /* of the whole text, whether it fits or not */
};

static void put(struct output *output, char c)
{
	if (output->length < output->size)
		output->to[output->length] = c;
	output->length++;
}

static void put_repeated(struct output *output, char c, u32 times)
{
	while (times-- != 0)
		put(output, c);
}

static void put_padded(struct output *output, const char *text, u32 length, const struct rt_field *field)
{
	u32 padding = field->width > length ? field->width - length : 0;

	if (!field->style.left)
		put_repeated(output, ' ', padding);
	for (u32 i = 0; i < length; i++)
		put(output, text[i]);
	if (field->style.left)
		put_repeated(output, ' ', padding);
}

static void put_number(struct output *output, struct rt_field *field, u64 value, u32 base)
{
	char digits[RT_NUMBER_SIZE];
	struct rt_number number;

	field->style.is_signed = field->conversion == RT_CONVERT_SIGNED;
	rt_number_lay_out(&number, digits, value, base, field->style, field->width);
	put_repeated(output, ' ', number.spaces_before);
	if (number.sign != '\0')
		put(output, number.sign);
	put_repeated(output, '0', number.zeroes);
	for (u32 i = 0; i < number.length; i++)
		put(output, digits[i]);
	put_repeated(output, ' ', number.spaces_after);
}

static u64 integer_argument(const struct rt_field *field, u64 argument)
{
	if (field->bytes == 8)
		return argument;
	return field->conversion == RT_CONVERT_SIGNED ? (u64)(s32)argument : (u32)argument;
}

static void print_field(struct output *output, struct rt_field *field, u64 argument, char *scratch)
{
	u32 length;

	switch (field->conversion) {
	case RT_CONVERT_STRING:
		length = fetch_string(scratch, argument, PREPARED_SIZE, field->kind);
		/* A width applies to %s alone: the kernel prints %pks and %pus as they are. */
		if (field->kind != 's')
			field->width = 0;
		put_padded(output, scratch, length, field);
		break;
	case RT_CONVERT_ADDRESS:
		length = fetch_address(scratch, field, argument);
		field->width = 0;
		put_padded(output, scratch, length, field);
		break;
	case RT_CONVERT_CHARACTER:
		scratch[0] = (char)argument;
		put_padded(output, scratch, 1, field);
		break;
	case RT_CONVERT_POINTER:
		if (field->width == 0) {
			field->width = 16;
			field->style.zero = true;
		}
		put_number(output, field, argument, 16);
		break;
	case RT_CONVERT_SYMBOL:
		length = rt_format_hex(scratch, argument);
		put_padded(output, scratch, length, field);
		break;
	default:
		put_number(output, field, integer_argument(field, argument),
			   field->conversion == RT_CONVERT_HEX ? 16 : 10);
	}
}

/* ---- the two passes ------------------------------------------------------------------------- */

static s64 prepare(const char *format, const u64 *arguments, u32 count)
{
	char scratch[PREPARED_SIZE];
	u32 next = 0, used = 0;

	while (*format != '\0') {
		struct rt_field field;
		s64 bytes;

		if (!rt_format_is_text(*format))
			return -EINVAL;
		if (*format++ != '%')
			continue;
		if (*format == '%') {
			format++;
			continue;
		}
		if (next == count)
			return -EINVAL;
		format = rt_field_parse(format, &field);
		if (format == NULL)
			return -EINVAL;
		bytes = prepared_bytes(&field, arguments[next++], used, scratch);
		if (bytes < 0)
			return bytes;
		used += (u32)bytes;
	}
	return 0;
}

static void print(struct output *output, const char *format, const u64 *arguments)
{
	char scratch[PREPARED_SIZE];

	while (*format != '\0') {
		struct rt_field field;

		if (*format != '%' || format[1] == '%') {
			put(output, *format);
			format += *format == '%' ? 2 : 1;
			continue;
		}
		format = rt_field_parse(format + 1, &field);
		print_field(output, &field, *arguments++, scratch);
		/* The kernel's printer swallows letters behind a pointer: %pI6c prints as %pI6. */
		if (field.conversion == RT_CONVERT_ADDRESS || field.conversion == RT_CONVERT_SYMBOL ||
		    field.conversion == RT_CONVERT_POINTER)
			while (rt_format_is_alnum(*format))
				format++;
	}
}

s64 rt_format(char *to, u32 size, const char *format, u32 format_size, const u64 *arguments, u32 count)
{
	struct output output = { to, size, 0 };
	s64 error;

	if (strnlen(format, format_size) == format_size)
		return -EINVAL;
	error = prepare(format, arguments, count);
	if (error != 0)
		return error;
	print(&output, format, arguments);
	if (size != 0)
		to[output.length < size ? output.length : size - 1] = '\0';
	return output.length;
}
