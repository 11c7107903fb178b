/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Holds the two ends of an event's traffic against the rules about networks. */
#ifndef TAPIO_FILTER_NETWORK_H
#define TAPIO_FILTER_NETWORK_H

#include "filter_hearing.h"

enum { FILTER_AF_INET = 2, FILTER_AF_INET6 = 10 };
enum { FILTER_SIDE_SOURCE = 1, FILTER_SIDE_DESTINATION = 2 };

__attribute__((noinline)) __u64 filter_match_network4(__u32 program, __u32 half, __u64 source,
						      __u64 destination)
{
	const struct filter_generation *rules = filter_generation_of(half);
	__u64 where = filter_region(rules, FILTER_REGION_NETWORK4);
	__u32 seed = rules->seed;
	__u64 said = 0;

	for (__u32 i = 0; i < FILTER_SHAPES_MAX; i++) {
		const struct filter_shape4 *shape = &rules->shapes4[i];
		__u64 mask = shape->mask;
		__u64 tag = shape->tag;
		__u32 shadow = shape->shadow;
		__u32 sides = shape->sides;
		__u32 value;

		if (i >= rules->shapes4_count)
			break;
		if (sides & FILTER_SIDE_SOURCE) {
			value = filter_find_network4((source & mask) | tag, where, seed);
			if (value)
				said = filter_hear(program, said, value, shadow);
		}
		if (sides & FILTER_SIDE_DESTINATION) {
			value = filter_find_network4((destination & mask) | tag, where, seed);
			if (value)
				said = filter_hear(program, said, value, shadow);
		}
	}
	return said;
}

static __always_inline __u32 filter_find_end6(const struct filter_shape6 *shape,
					      const __u64 *address, __u32 rest, __u64 where,
					      __u32 seed)
{
	return filter_find_wide(address[0] & shape->mask_high, address[1] & shape->mask_low,
				(rest & shape->mask_rest) | shape->tag, where, seed);
}

__attribute__((noinline)) __u64 filter_match_network6(__u32 program, __u32 half)
{
	const struct filter_generation *rules = filter_generation_of(half);
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &program);
	const struct network_facts *network;
	const __u64 *source, *destination;
	__u32 source_rest, destination_rest, seed;
	__u64 where, said = 0;

	if (!cpu)
		return 0;
	network = &cpu->facts.network;
	source = (const __u64 *)network->source_address;
	destination = (const __u64 *)network->destination_address;
	source_rest = network->source_port | network->protocol << 16;
	destination_rest = network->destination_port | network->protocol << 16;
	where = filter_region(rules, FILTER_REGION_NETWORK6);
	seed = rules->seed;
	for (__u32 i = 0; i < FILTER_SHAPES_MAX; i++) {
		const struct filter_shape6 *shape = &rules->shapes6[i];
		__u32 shadow = shape->shadow;
		__u32 sides = shape->sides;
		__u32 value;

		if (i >= rules->shapes6_count)
			break;
		if (sides & FILTER_SIDE_SOURCE) {
			value = filter_find_end6(shape, source, source_rest, where, seed);
			if (value)
				said = filter_hear(program, said, value, shadow);
		}
		if (sides & FILTER_SIDE_DESTINATION) {
			value = filter_find_end6(shape, destination, destination_rest, where, seed);
			if (value)
				said = filter_hear(program, said, value, shadow);
		}
	}
	return said;
}

/* The upper half of ::ffff:0:0/96, as it lies in memory. */
#define FILTER_MAPPED 0xffff0000u

/* Whether both ends are IPv4 addresses in IPv6 form, as sockets that speak both have them. */
static __always_inline bool filter_is_mapped(const __u64 *source, const __u64 *destination)
{
	return !source[0] && !destination[0] && (__u32)source[1] == FILTER_MAPPED &&
	       (__u32)destination[1] == FILTER_MAPPED;
}

static __always_inline __u64 filter_match_network(__u32 program, __u32 half,
						  const struct network_facts *network)
{
	const __u64 *source = (const __u64 *)network->source_address;
	const __u64 *destination = (const __u64 *)network->destination_address;
	__u64 protocol = (__u64)network->protocol << 48;
	__u64 source_port = (__u64)network->source_port << 32;
	__u64 destination_port = (__u64)network->destination_port << 32;

	if (network->family == FILTER_AF_INET)
		return filter_match_network4(program, half, (__u32)source[0] | source_port | protocol,
					     (__u32)destination[0] | destination_port | protocol);
	if (network->family != FILTER_AF_INET6)
		return 0;
	if (filter_is_mapped(source, destination))
		return filter_match_network4(program, half, source[1] >> 32 | source_port | protocol,
					     destination[1] >> 32 | destination_port | protocol);
	return filter_match_network6(program, half);
}

#endif
