/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sampling decision: keep an event iff R >= T (both 56 bits). T is 0 here, so everything is
 * kept; R is drawn and recorded all the same, so that whoever comes later can raise T without a
 * second coin.
 */
#ifndef TAPIO_BPF_SAMPLING_H
#define TAPIO_BPF_SAMPLING_H

#include "admission.h"
#include "bpf_stats.h"
#include "event_facts.h"

#define SAMPLING_BITS 56
#define SAMPLING_MASK ((1ULL << SAMPLING_BITS) - 1)

static __always_inline void sampling_decide(struct sampling_decision *decision, struct probe *probe,
					    const struct event_facts *facts)
{
	__u64 high = bpf_get_prandom_u32();
	__u64 word = 0;

	decision->word = word;
	decision->stratum = 0;
	decision->randomness = ((high << 32) | bpf_get_prandom_u32()) & SAMPLING_MASK;
	decision->keep = decision->randomness >= (word & SAMPLING_MASK);
}

#endif
