/* SPDX-License-Identifier: Apache-2.0 */
/* The ring buffer behind maps of type RINGBUF: producers (helpers) and the one reader (host). */
#ifndef TAPIO_RING_H
#define TAPIO_RING_H

#include "runtime.h"

#define RT_RING_BUSY (1u << 31)
#define RT_RING_DISCARD (1u << 30)
#define RT_RING_HEADER_SIZE 8u
#define RT_RING_RECORD_MAX 0x3fffffffu

/* Flags of output, submit and discard. */
#define RT_RING_NO_WAKEUP 1u
#define RT_RING_FORCE_WAKEUP 2u

/* In front of every record, as in the kernel. */
struct rt_ring_header {
	u32 length;      /* | RT_RING_BUSY until committed, | RT_RING_DISCARD if discarded */
	u32 page_offset; /* of this header from the start of the kernel's struct, in pages */
};

/*
 * Lies right before the data, which starts on a page. Positions only grow; the data of position p is
 * at p & mask. The memory is twice the ring, so that a record that starts before the end never wraps.
 */
struct rt_ring {
	u64 consumer;
	u64 producer;
	u64 pending;  /* nothing before it is still reserved; may lag behind */
	u64 scanned;  /* what the reader was handed ends here */
	u32 wakeups;  /* how often a producer signalled data */
	u32 signaled; /* set by every signal, cleared by the host */
	u32 waiting;  /* the host wants host.wake at the next signal */
	u32 map;      /* struct rt_map that the reader keeps alive */
	u32 mask;
	u32 block;      /* what rt_free takes */
	u32 offsets;    /* the reader's arrays of `capacity` words each; 0 = no reader */
	u32 lengths;
	u32 capacity;
	u32 reserved;
};

static inline u8 *rt_ring_data(struct rt_ring *ring)
{
	return (u8 *)(ring + 1);
}

/* An empty ring; `size` is a power of two and a page at least. NULL when memory is used up. */
struct rt_ring *rt_ring_create(u32 size);
void rt_ring_destroy(struct rt_ring *ring);

/* The ring of a map, NULL for other types. */
struct rt_ring *rt_ring_of(const struct rt_map *map);

/* A record for the running program, or NULL when the ring is full. Not yet known as held. */
void *rt_ring_reserve(struct rt_ring *ring, u64 size);
/* Ends a reservation: the program loses access. */
void rt_ring_commit(void *record, u64 flags, bool discard);
/* A record at once, which no program gets to touch. False when the ring is full. */
bool rt_ring_output(struct rt_ring *ring, const void *data, u32 size, u64 flags);
u64 rt_ring_available(const struct rt_ring *ring);
/* Gives the reader its arrays; 0, -EBUSY where there is a reader, -EINVAL, -ENOMEM. */
s32 rt_ring_reader_attach(struct rt_ring *ring, struct rt_map *map, u32 capacity);


void rt_ring_close(struct rt_ring *ring);

#endif
