// SPDX-License-Identifier: Apache-2.0
#include "format_field.h"

/* ---- characters, as the kernel's table classes them: bytes from 0xa0 on are Latin-1 --------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (u8)c == 0xa0;
}

bool rt_format_is_alnum(char c)
{
	bool latin = (u8)c >= 0xc0 && (u8)c != 0xd7 && (u8)c != 0xf7;

	return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z') || latin;
}

static bool is_punctuation(char c)
{
	return ((c > ' ' && c <= '~') || (u8)c > 0xa0) && !rt_format_is_alnum(c);
}

/* Text may be UTF-8 (Linux 6.16); of ASCII's control characters only white space is allowed. */
bool rt_format_is_text(char c)
{
	return (u8)c >= 0x80 || (c >= ' ' && c <= '~') || is_space(c);
}

/* What may follow %s and %p so that it ends there. */
static bool ends_conversion(char c)
{
	return c == '\0' || is_space(c) || is_punctuation(c);
}

/* ---- parsing -------------------------------------------------------------------------------- */

/* After "%p"; returns what follows the conversion, or NULL. */
static const char *parse_pointer(const char *at, struct rt_field *field)
{
	field->conversion = RT_CONVERT_POINTER;
	field->bytes = 8;
	if (ends_conversion(*at))
		return at;
	switch (*at) {
	case 'k':
	case 'u':
		if (at[1] != 's' || !ends_conversion(at[2]))
			return NULL;
		field->conversion = RT_CONVERT_STRING;
		field->kind = *at;
		return at + 2;
	case 'K':
	case 'x':
		return at + 1;
	case 'B':
		field->width = 0; /* the kernel prepares this one without its width */
		field->conversion = RT_CONVERT_SYMBOL;
		return at + 1;
	case 's':
	case 'S':
		field->conversion = RT_CONVERT_SYMBOL;
		return at + 1;
	case 'i':
	case 'I':
		if (at[1] != '4' && at[1] != '6')
			return NULL;
		field->conversion = RT_CONVERT_ADDRESS;
		field->kind = *at;
		field->digit = at[1];
		return at + 2;
	default:
		return NULL;
	}
}

static const char *parse_integer(const char *at, struct rt_field *field)
{
	field->bytes = 4;
	for (u32 i = 0; i < 2 && *at == 'l'; i++, at++)
		field->bytes = 8;
	switch (*at) {
	case 'd':
	case 'i':
		field->conversion = RT_CONVERT_SIGNED;
		return at + 1;
	case 'u':
		field->conversion = RT_CONVERT_UNSIGNED;
		return at + 1;
	case 'X':
		field->style.upper = true;
		field->conversion = RT_CONVERT_HEX;
		return at + 1;
	case 'x':
		field->conversion = RT_CONVERT_HEX;
		return at + 1;
	default:
		return NULL;
	}
}

static const char *parse_width(const char *at, struct rt_field *field)
{
	for (;; at++) {
		if (*at == '0')
			field->style.zero = true;
		else if (*at == '+')
			field->style.plus = true;
		else if (*at == '-')
			field->style.left = true;
		else if (*at == ' ')
			field->style.space = true;
		else
			break;
	}
	for (; is_digit(*at); at++)
		if (field->width < RT_FORMAT_WIDTH_MAX)
			field->width = field->width * 10 + (u32)(*at - '0');
	return at;
}

const char *rt_field_parse(const char *at, struct rt_field *field)
{
	*field = (struct rt_field){ 0 };
	at = parse_width(at, field);
	switch (*at) {
	case 'p':
		return parse_pointer(at + 1, field);
	case 's':
		field->conversion = RT_CONVERT_STRING;
		field->kind = 's';
		return ends_conversion(at[1]) ? at + 1 : NULL;
	case 'c':
		field->conversion = RT_CONVERT_CHARACTER;
		return at + 1;
	default:
		return parse_integer(at, field);
	}
}
