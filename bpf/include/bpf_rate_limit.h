/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Token buckets sit here, between filters and sampling; without a limit everything is admitted. */
#ifndef TAPIO_BPF_RATE_LIMIT_H
#define TAPIO_BPF_RATE_LIMIT_H

#include "bpf_stats.h"
#include "event_facts.h"

static __always_inline bool rate_limit_admits(struct probe *probe, const struct event_facts *facts)
{
	return true;
}

#endif
