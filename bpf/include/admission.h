/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the gates decided about one event; the record carries it, so that user space can check. */
#ifndef TAPIO_ADMISSION_H
#define TAPIO_ADMISSION_H

#include "kernel_types.h"

struct sampling_decision {
	__u64 word;	  /* epoch << 56 | T */
	__u64 randomness; /* R */
	__u16 stratum;	  /* row of the table that T came from */
	bool keep;
	__u8 reserved[5];
};

struct filter_verdict {
	__u32 generation; /* of the rule set that judged */
	__u32 rule;	  /* id of the rule that decided, 0 = none had to */
	bool pass;
	bool shadow_rejected; /* a shadow rule would have rejected the event */
	__u8 reserved[6];
};

struct admission {
	struct sampling_decision sampling;
	__u32 generation;
	__u32 rule;
	__u16 flags; /* enum event_flag */
	__u8 reserved[6];
};

#endif
