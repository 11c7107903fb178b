/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The gates that every event passes, in this order: filters, rate limit, sampling. Whatever
 * stops an event counts it, so that each seen event has exactly one fate.
 */
#ifndef TAPIO_COLLECTOR_H
#define TAPIO_COLLECTOR_H

#include "admission.h"
#include "bpf_batch.h"
#include "bpf_filters.h"
#include "bpf_rate_limit.h"
#include "bpf_sampling.h"
#include "bpf_stats.h"
#include "event_facts.h"

/* Counts the event as seen and judges it; true if it is to be delivered. */
static __always_inline bool event_admit(struct probe *probe, const struct event_facts *facts,
					struct admission *admission)
{
	struct filter_verdict verdict;

	probe_count_seen(probe, facts->type);
	filter_judge(&verdict, probe, facts);
	admission->generation = verdict.generation;
	admission->rule = verdict.rule;
	admission->flags = verdict.shadow_rejected ? EVENT_SHADOW_REJECTED : 0;
	probe_count_filter(probe, verdict.pass);
	if (!verdict.pass)
		return false;
	if (!rate_limit_admits(probe, facts)) {
		probe_count(probe, rate_limited);
		return false;
	}
	sampling_decide(&admission->sampling, probe, facts);
	if (!admission->sampling.keep) {
		probe_count(probe, sampled_out);
		probe_raise(probe, left_out_latency_max_ns[facts->type & (EVENT_TYPES_MAX - 1)],
			    facts->latency_ns);
		return false;
	}
	return true;
}

#endif
