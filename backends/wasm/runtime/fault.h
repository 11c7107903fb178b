/* SPDX-License-Identifier: Apache-2.0 */
/* What the host reads after a fault. */
#ifndef TAPIO_FAULT_H
#define TAPIO_FAULT_H

#include "fault_object.h"

struct rt_fault_record {
	u32 kind; /* enum rt_fault_kind */
	u32 site; /* rt_site at the fault */
	u32 address_low;
	u32 address_high;
	u32 size; /* bytes of the access */
	u32 cpu;
	struct rt_object object; /* near the address */
};

#endif
