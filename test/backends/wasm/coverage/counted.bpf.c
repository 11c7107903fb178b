// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A loop, branches, a subprogram and a tail call, whose counts coverage.test.ts knows by line. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, unsigned int);
	__array(values, int(void *));
} next SEC(".maps");

unsigned int total = 0;

static __attribute__((noinline)) int add_odd(unsigned int number)
{
	if (number & 1)
		total += number; /* odd */
	return total * 3;
}

SEC("tp/test/counted")
int counted(unsigned int *context)
{
	unsigned int rounds = *context;
	unsigned int i;

	if (rounds > 100) {
		total += 5; /* too many */
		return -1;
	}
#pragma clang loop unroll(disable)
	for (i = 0; i < rounds; i++)
		add_odd(i); /* each round */
	return total; /* after the loop */
}

SEC("tp/test/jump")
int jump(unsigned int *context)
{
	bpf_tail_call(context, &next, *context);
	total += 1000; /* the tail call failed */
	return total;
}

SEC("tp/test/target")
int target(unsigned int *context)
{
	return *context + 7; /* the tail call's target */
}
