// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What tracer.test.ts and vm_trace.test.ts follow: a map, a subprogram, a callback, a tail call. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, unsigned int);
	__type(value, unsigned long long);
} visits SEC(".maps");

int rounds(unsigned int *context);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, unsigned int);
	__array(values, int(void *));
} next SEC(".maps") = {
	.values = { (void *)&rounds },
};

unsigned int total = 0;

static __attribute__((noinline)) int twice(unsigned int number)
{
	total += number;
	return number * 2; /* doubled */
}

static long each(unsigned int index, unsigned int *sum)
{
	*sum += index; /* in the callback */
	return 0;
}

SEC("tp/test/visit")
int visit(unsigned int *context)
{
	unsigned int key = *context;
	unsigned long long one = 1;
	unsigned long long *count = bpf_map_lookup_elem(&visits, &key);

	if (count)
		*count += 1; /* seen before */
	else
		bpf_map_update_elem(&visits, &key, &one, BPF_ANY);
	return twice(key) + 1;
}

SEC("tp/test/rounds")
int rounds(unsigned int *context)
{
	unsigned int sum = 0;

	bpf_loop(*context, each, &sum, 0);
	return sum;
}

SEC("tp/test/jump")
int jump(unsigned int *context)
{
	bpf_tail_call(context, &next, 0);
	return 1; /* the tail call failed */
}

SEC("tp/test/overrun")
int overrun(unsigned int *context)
{
	return context[*context]; /* wherever */
}
