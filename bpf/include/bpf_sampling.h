/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sampling decision: keep an event iff R >= T (both 56 bits). T is 0 here, so everything is
 * kept; R is drawn and recorded all the same, so that whoever comes later can raise T without a
 * second coin.
 */
#ifndef TAPIO_BPF_SAMPLING_H
#define TAPIO_BPF_SAMPLING_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

#define SAMPLING_BITS 56
#define SAMPLING_MASK ((1ULL << SAMPLING_BITS) - 1)

struct sampling_decision {
	__u64 word;       /* epoch << 56 | T */
	__u64 randomness; /* R */
	bool keep;
};

static __always_inline void sampling_decide(struct sampling_decision *decision, __u64 word)
{
	__u64 high = bpf_get_prandom_u32();

	decision->word = word;
	decision->randomness = ((high << 32) | bpf_get_prandom_u32()) & SAMPLING_MASK;
	decision->keep = decision->randomness >= (word & SAMPLING_MASK);
}

#endif
