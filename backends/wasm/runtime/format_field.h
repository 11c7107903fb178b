/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel accepts in a format, and what it means. */
#ifndef TAPIO_FORMAT_FIELD_H
#define TAPIO_FORMAT_FIELD_H

#include "format_number.h"

enum rt_conversion {
	RT_CONVERT_SIGNED,
	RT_CONVERT_UNSIGNED,
	RT_CONVERT_HEX,
	RT_CONVERT_POINTER, /* %p %pK %px: 16 hexadecimal digits */
	RT_CONVERT_SYMBOL,	 /* %ps %pS %pB: no symbols are known here, so an address */
	RT_CONVERT_STRING,
	RT_CONVERT_CHARACTER,
	RT_CONVERT_ADDRESS, /* %pI4 %pi4 %pI6 %pi6 */
};

struct rt_field {
	enum rt_conversion conversion;
	struct rt_number_style style;
	u32 width;
	u32 bytes;  /* of an integer */
	char kind;  /* strings: s, k or u; addresses: I or i */
	char digit; /* addresses: 4 or 6 */
};

/*
 * Parses a conversion; `at` points behind the percent sign. Returns what follows it, or NULL if the
 * kernel refuses it.
 */
const char *rt_field_parse(const char *at, struct rt_field *field);

/* Whether a byte outside of conversions may stand in a format. */
bool rt_format_is_text(char c);
/* Letters and digits, which the kernel swallows behind a pointer conversion. */
bool rt_format_is_alnum(char c);

#endif
