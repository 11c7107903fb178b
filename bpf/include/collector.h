/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The gates that every event passes, in this order: filters, rate limit, sampling. Whatever
 * stops an event counts it, so that each seen event has exactly one fate.
 */
#ifndef TAPIO_COLLECTOR_H
#define TAPIO_COLLECTOR_H

#include "bpf_batch.h"
#include "bpf_filters.h"
#include "bpf_sampling.h"
#include "bpf_stats.h"
#include "event.h"
#include "task.h"

struct admission {
	struct task_facts facts;
	struct sampling_decision sampling;
	__u32 generation;
};

/* Counts the event as seen and judges it; true if it is to be delivered. */
static __always_inline bool event_admit(struct probe *probe, struct admission *admission)
{
	bool passed;

	probe->statistics->events_seen++;
	task_facts_read(&admission->facts);
	admission->generation = filter_generation();
	passed = should_capture_task(&admission->facts);
	probe_count_filter(probe, passed);
	if (!passed)
		return false;
	if (!rate_limit_admits()) {
		probe->statistics->rate_limited++;
		return false;
	}
	sampling_decide(&admission->sampling, 0);
	if (!admission->sampling.keep) {
		probe->statistics->sampled_out++;
		return false;
	}
	return true;
}

#endif
