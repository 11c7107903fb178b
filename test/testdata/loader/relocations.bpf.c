// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every way in which code refers to something else. */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} second SEC(".maps");

int initialized = 7;
static volatile int initialized_static = 9;
int zero;
static int zero_static;
const volatile __u32 limit = 3;
const volatile __s16 negative = -2;
const volatile bool enabled = true;
static const volatile __u64 table[4] = { 10, 20, 30, 40 };
int custom SEC(".data.shared") = 5;

#ifndef WITHOUT_EXTERNS
extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF_SYSCALL __kconfig __weak;
extern char CONFIG_HOSTNAME[16] __kconfig __weak;
extern const void absent_symbol __ksym __weak;
extern const void present_symbol __ksym __weak;
extern int absent_function(int x) __ksym __weak;
extern int present_function(int x) __ksym;
#endif

/* A static function in .text, called through its section. */
static __noinline int add_static(int x)
{
	zero_static += x;
	return zero_static + initialized_static;
}

/* A global one, called through its name; calls the static one without a relocation. */
__noinline int add_global(int x)
{
	return add_static(x) + initialized;
}

__weak __noinline int add_weak(int x)
{
	return x + zero;
}

static long callback(__u32 index, void *context)
{
	*(__u64 *)context += table[index & 3];
	return 0;
}

SEC("tp/test/calls")
int calls(void *context)
{
	return add_global(1) + add_static(2) + add_weak(3);
}

SEC("raw_tp/test")
int data(void *context)
{
	__u32 key = limit;
	__u64 *value = bpf_map_lookup_elem(&first, &key);

	if (!value)
		value = bpf_map_lookup_elem(&second, &key);
	custom++;
	return value && enabled ? *value + negative : initialized + zero;
}

SEC("tp/test/callbacks")
int callbacks(void *context)
{
	__u64 sum = 0;

	bpf_loop(4, callback, &sum, 0);
	return sum;
}

#ifndef WITHOUT_EXTERNS
SEC("tp/test/externs")
int externs(void *context)
{
	int result = LINUX_KERNEL_VERSION;

	if (CONFIG_BPF_SYSCALL)
		result += CONFIG_HOSTNAME[0];
	if (&absent_symbol)
		result++;
	if (&present_symbol)
		result += 2;
	if (absent_function)
		result += absent_function(1);
	return result + present_function(2);
}
#endif

SEC("?tp/test/optional")
int optional(void *context)
{
	return zero;
}

char LICENSE[] SEC("license") = "GPL";
__u32 VERSION SEC("version") = 0x50a00;
