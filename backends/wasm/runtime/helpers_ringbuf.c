// SPDX-License-Identifier: Apache-2.0
#include "dynptr.h"
#include "helpers.h"
#include "ring.h"

enum query { QUERY_AVAILABLE, QUERY_SIZE, QUERY_CONSUMER, QUERY_PRODUCER };

static struct rt_ring *ring_argument(u64 address)
{
	struct rt_ring *ring = rt_ring_of(rt_map_from_pointer(address));

	if (ring == NULL)
		rt_fault(RT_FAULT_ARGUMENT, address, 0);
	return ring;
}

static void discard_abandoned(u64 record)
{
	rt_ring_commit(rt_pointer(record), 0, true);
}

/* A record that the run must give back, or NULL. */
static void *reserve_held(struct rt_ring *ring, u64 size)
{
	void *record = rt_ring_reserve(ring, size);

	if (record != NULL && !rt_reference_add(rt_address(record), discard_abandoned)) {
		rt_ring_commit(record, 0, true);
		rt_fault(RT_FAULT_REFERENCE, rt_address(record), RT_REFERENCES_MAX);
	}
	return record;
}

RT_HELPER(ringbuf_reserve)
{
	struct rt_ring *ring = ring_argument(r1);

	return r3 != 0 ? 0 : rt_address(reserve_held(ring, r2));
}

RT_HELPER(ringbuf_submit)
{
	rt_reference_remove(r1);
	rt_ring_commit(rt_pointer(r1), r2, false);
	return 0;
}

RT_HELPER(ringbuf_discard)
{
	rt_reference_remove(r1);
	rt_ring_commit(rt_pointer(r1), r2, true);
	return 0;
}

RT_HELPER(ringbuf_output)
{
	struct rt_ring *ring = ring_argument(r1);

	if (r3 > UINT32_MAX)
		rt_fault(RT_FAULT_HELPER_READ, r2, UINT32_MAX);
	rt_check_read(r2, (u32)r3);
	if (r4 & ~(u64)(RT_RING_NO_WAKEUP | RT_RING_FORCE_WAKEUP))
		return (u64)-EINVAL;
	return (u64)(rt_ring_output(ring, rt_pointer(r2), (u32)r3, r4) ? 0 : -EAGAIN);
}

RT_HELPER(ringbuf_query)
{
	struct rt_ring *ring = ring_argument(r1);

	switch (r2) {
	case QUERY_AVAILABLE:
		return rt_ring_available(ring);
	case QUERY_SIZE:
		return (u64)ring->mask + 1;
	case QUERY_CONSUMER:
		return ring->consumer;
	case QUERY_PRODUCER:
		return ring->producer;
	default:
		return 0;
	}
}

/* ---- records behind a dynptr ---------------------------------------------------------------- */

/* A dynptr must be given back even when nothing could be reserved: its slot is held as well. */
static void forget_slot(u64 slot)
{
	(void)slot;
}

RT_HELPER(ringbuf_reserve_dynptr)
{
	struct rt_ring *ring = ring_argument(r1);
	struct rt_dynptr *dynptr = rt_dynptr_slot(r4);
	u32 size = (u32)r2;
	void *record;

	*dynptr = (struct rt_dynptr){ 0 };
	if (rt_reference_held(r4) || !rt_reference_add(r4, forget_slot))
		rt_fault(RT_FAULT_REFERENCE, r4, 0);
	if (r3 != 0)
		return (u64)-EINVAL;
	if (size > RT_DYNPTR_SIZE_MAX)
		return (u64)-E2BIG;
	record = reserve_held(ring, size);
	if (record == NULL)
		return (u64)-EINVAL;
	*dynptr = (struct rt_dynptr){ .data = rt_address(record), .size = size };
	return 0;
}

static void give_back(u64 slot, u64 flags, bool discard)
{
	struct rt_dynptr *dynptr = rt_dynptr_slot(slot);
	u64 record = dynptr->data;

	rt_reference_remove(slot);
	*dynptr = (struct rt_dynptr){ 0 };
	if (record == 0)
		return;
	rt_reference_remove(record);
	rt_ring_commit(rt_pointer(record), flags, discard);
}

RT_HELPER(ringbuf_submit_dynptr)
{
	give_back(r1, r2, false);
	return 0;
}

RT_HELPER(ringbuf_discard_dynptr)
{
	give_back(r1, r2, true);
	return 0;
}
