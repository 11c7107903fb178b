// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every kind of CO-RE relocation, on every form of instruction that clang puts it on. */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define CORE __attribute__((preserve_access_index))

struct point {
	int x, y;
} CORE;

struct inner {
	__u32 value;
} CORE;

union number {
	__u64 wide;
	float real;
} CORE;

enum colour { RED, GREEN, BLUE, VIOLET };
enum direction { UP = -1, DOWN = -2 };

struct only_declared;
struct nowhere {
	int at_all;
} CORE;

struct widget {
	int deep;
	struct point nested;
	__u32 qualified;
	__u32 grew;
	__u64 shrank;
	__u64 became_signed;
	char *pointer;
	struct inner *reference;
	struct inner array[4];
	struct point grid[2][4];
	__u8 bytes[8];
	enum colour colour;
	__u32 flag_a : 3;
	__u32 flag_b : 7;
	int flag_c : 5;
	__u64 wide_flag : 40;
	__u32 became_bits;
	__u32 no_bits_now : 4;
	union number number;
	int (*callback)(struct widget *self, long argument);
	int missing;
	struct inner flexible[];
} CORE;

/* Flavors: other views of the same kernel type. */
struct widget___old {
	int missing;
	__u32 grew;
} CORE;

struct widget___other {
	struct {
		long deep_long;
	};
	int deep; /* found, but through another path */
} CORE;

typedef struct {
	__u32 value;
} CORE anonymous_t;

struct huge {
	__u32 far;
} CORE;

struct uses {
	struct only_declared *declared;
	struct point *defined;
} CORE;

struct point___fewer {
	int x;
} CORE;

struct point___more {
	int x, y, z;
} CORE;

struct point___wrong_type {
	long x, y;
} CORE;

typedef int (*handler_t)(struct widget *, long);
typedef int (*handler_t___short)(struct widget *);
typedef int (*other_handler_t)(struct widget *, struct inner *);
typedef __u64 array_t[4];
typedef __u32 absent_t;

__u64 sink;
#define USE(value) (sink += (__u64)(value))

SEC("raw_tp/loads")
int loads(struct widget *widget)
{
	USE(widget->deep);
	USE(widget->nested.y);
	USE(widget->qualified);
	USE(widget->grew);
	USE(widget->shrank);
	USE(widget->pointer);
	USE(widget->reference->value);
	USE(widget->array[3].value);
	USE(widget->grid[1][2].x);
	USE(widget->bytes[5]);
	USE(widget->colour);
	USE(widget->number.wide);
	USE(widget->callback);
	USE(widget->flexible[3].value);
	USE(widget[1].qualified);
	return 0;
}

SEC("raw_tp/stores")
int stores(struct widget *widget)
{
	widget->deep = sink;
	widget->shrank = sink;
	widget->pointer = (char *)sink;
	widget->array[2].value = sink;
	__sync_fetch_and_add(&widget->qualified, 1);
	return 0;
}

SEC("raw_tp/addresses")
int addresses(struct widget *widget)
{
	__u64 point;

	bpf_core_read(&point, sizeof(point), &widget->nested);
	USE(point);
	USE(BPF_CORE_READ(widget, reference, value));
	USE(&widget->array[1]);
	USE(&widget->grid[1][3].y);
	return 0;
}

SEC("raw_tp/fields")
int fields(struct widget *widget)
{
	USE(bpf_core_field_exists(widget->missing));
	USE(bpf_core_field_exists(widget->deep));
	USE(bpf_core_field_exists(((struct nowhere *)0)->at_all));
	USE(bpf_core_field_exists(((struct widget___old *)0)->missing));
	USE(bpf_core_field_exists(((struct widget___old *)0)->grew));
	USE(bpf_core_field_exists(((struct widget___other *)0)->deep_long));
	USE(bpf_core_field_size(widget->array));
	USE(bpf_core_field_size(widget->nested));
	USE(bpf_core_field_size(widget->bytes[2]));
	USE(__builtin_preserve_field_info(widget->deep, BPF_FIELD_SIGNED));
	USE(__builtin_preserve_field_info(widget->qualified, BPF_FIELD_SIGNED));
	USE(__builtin_preserve_field_info(widget->colour, BPF_FIELD_SIGNED));
	USE(__builtin_preserve_field_info(widget->became_signed, BPF_FIELD_SIGNED));
	USE(__builtin_preserve_field_info(widget->grew, BPF_FIELD_LSHIFT_U64));
	USE(__builtin_preserve_field_info(widget->grew, BPF_FIELD_RSHIFT_U64));
	return 0;
}

SEC("raw_tp/bits")
int bits(struct widget *widget)
{
	USE(BPF_CORE_READ_BITFIELD(widget, flag_a));
	USE(BPF_CORE_READ_BITFIELD(widget, flag_b));
	USE(BPF_CORE_READ_BITFIELD(widget, flag_c));
	USE(BPF_CORE_READ_BITFIELD_PROBED(widget, wide_flag));
	USE(BPF_CORE_READ_BITFIELD_PROBED(widget, became_bits));
	USE(BPF_CORE_READ_BITFIELD_PROBED(widget, no_bits_now));
	return 0;
}

SEC("raw_tp/types")
int types(void *context)
{
	USE(bpf_core_type_exists(struct widget));
	USE(bpf_core_type_exists(struct nowhere));
	USE(bpf_core_type_exists(anonymous_t));
	USE(bpf_core_type_exists(absent_t));
	USE(bpf_core_type_exists(handler_t));
	USE(bpf_core_type_exists(handler_t___short));
	USE(bpf_core_type_exists(array_t));
	USE(bpf_core_type_exists(enum colour));
	USE(bpf_core_type_exists(union number));
	USE(bpf_core_type_size(struct widget));
	USE(bpf_core_type_size(struct nowhere));
	USE(bpf_core_type_size(anonymous_t));
	USE(bpf_core_type_size(array_t));
	USE(bpf_core_type_id_local(struct widget));
	USE(bpf_core_type_id_kernel(struct widget));
	USE(bpf_core_type_id_kernel(struct nowhere));
	USE(BPF_CORE_READ((anonymous_t *)context, value));
	return 0;
}

/* The test turns these existence checks into matches, which clang 14 cannot express. */
SEC("raw_tp/matches")
int matches(void *context)
{
	USE(bpf_core_type_exists(struct point));
	USE(bpf_core_type_exists(struct point___fewer));
	USE(bpf_core_type_exists(struct point___more));
	USE(bpf_core_type_exists(struct point___wrong_type));
	USE(bpf_core_type_exists(struct widget));
	USE(bpf_core_type_exists(struct uses));
	USE(bpf_core_type_exists(union number));
	USE(bpf_core_type_exists(enum direction));
	USE(bpf_core_type_exists(enum colour));
	USE(bpf_core_type_exists(handler_t));
	USE(bpf_core_type_exists(handler_t___short));
	USE(bpf_core_type_exists(other_handler_t));
	USE(bpf_core_type_exists(array_t));
	USE(bpf_core_type_exists(struct nowhere));
	return 0;
}

SEC("raw_tp/enums")
int enums(void *context)
{
	USE(bpf_core_enum_value_exists(enum colour, RED));
	USE(bpf_core_enum_value_exists(enum colour, VIOLET));
	USE(bpf_core_enum_value(enum colour, GREEN));
	USE(bpf_core_enum_value(enum colour, BLUE));
	USE(bpf_core_enum_value(enum direction, UP));
	if (bpf_core_enum_value_exists(enum colour, VIOLET))
		USE(bpf_core_enum_value(enum colour, VIOLET));
	return 0;
}

static __attribute__((noinline)) __u32 read_deep(struct widget *widget)
{
	return widget->deep + bpf_core_type_size(struct widget);
}

SEC("raw_tp/calls")
int calls(struct widget *widget)
{
	return read_deep(widget) + read_deep(widget + 1);
}

/* What cannot be relocated is poisoned, and the rest of the program still loads. */
SEC("raw_tp/poison")
int poison(struct widget *widget)
{
	if (bpf_core_field_exists(widget->missing))
		USE(widget->missing);
	USE(bpf_core_field_size(widget->missing));
	USE(widget->became_signed);
	USE(widget->became_bits);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
