// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that a kernel would refuse, each for one reason; the simulated machine stops them. */
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, 2);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

SEC("raw_tp/bad")
int out_of_bounds(__u64 *context)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return value ? value[context[0]] : 0;
}

SEC("raw_tp/bad")
int null_pointer(__u64 *context)
{
	__u32 key = context[0];
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return *value;
}

SEC("raw_tp/bad")
int endless(__u64 *context)
{
	volatile __u64 odd = 1;

	while (odd)
		odd += 2;
	return context[0];
}

SEC("raw_tp/bad")
int stack_overflow(__u64 *context)
{
	volatile char buffer[400];
	__u64 length = context[0];

	for (__u64 i = 0; i < length; i++)
		buffer[i] = 1;
	return buffer[1];
}

SEC("raw_tp/bad")
int divides_by_zero(__u64 *context)
{
	return context[0] / context[1] + 7;
}

char LICENSE[] SEC("license") = "GPL";
