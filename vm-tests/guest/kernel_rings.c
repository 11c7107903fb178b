/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading ring buffers. A peek copies committed records and leaves them; an advance frees what the
 * peek covered, once the other side has handled it.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel_process.h"

#define RINGS_MAX 64

struct ring {
	u32 size;
	u64 *consumer;
	const u64 *producer;
	const u8 *data;
};

static struct ring rings[RINGS_MAX];

static struct ring *take_ring(void)
{
	u32 slot = take_u32();

	if (slot >= RINGS_MAX || !rings[slot].size)
		die("a ring is not open");
	return &rings[slot];
}

s32 open_ring(void)
{
	u32 fd = take_u32(), size = take_u32(), slot;
	long page = sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	for (slot = 0; slot < RINGS_MAX && rings[slot].size; slot++)
		;
	if (slot == RINGS_MAX)
		die("more than 64 rings are open");
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	/* The kernel maps the data twice, so that every record lies in one piece. */
	producer = mmap(NULL, page + 2 * (size_t)size, PROT_READ, MAP_SHARED, fd, page);
	if (producer == MAP_FAILED) {
		munmap(consumer, page);
		return -errno;
	}
	rings[slot] = (struct ring){ size, consumer, producer, (u8 *)producer + page };
	return slot;
}

s32 close_ring(void)
{
	struct ring *ring = take_ring();
	long page = sysconf(_SC_PAGESIZE);

	munmap(ring->consumer, page);
	munmap((void *)ring->producer, page + 2 * (size_t)ring->size);
	*ring = (struct ring){};
	return 0;
}

static u64 produced(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

/* Answers the position after the last record, then each record's length and bytes. */
s32 peek_ring(void)
{
	struct ring *ring = take_ring();
	u64 position = *ring->consumer, end = produced(ring);
	u32 records_max = take_u32(), count = 0;

	add_space(sizeof(position));
	while (count < records_max && position < end) {
		const u8 *record = ring->data + (position & (ring->size - 1));
		u32 header = __atomic_load_n((const u32 *)record, __ATOMIC_ACQUIRE);
		u32 length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		u8 *answer;

		if (header & BPF_RINGBUF_BUSY_BIT)
			break;
		position += (length + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
		if (header & BPF_RINGBUF_DISCARD_BIT)
			continue;
		answer = add_space(sizeof(length) + length);
		memcpy(answer, &length, sizeof(length));
		memcpy(answer + sizeof(length), record + BPF_RINGBUF_HDR_SZ, length);
		count++;
	}
	memcpy(response_bytes(), &position, sizeof(position));
	return count;
}

s32 advance_ring(void)
{
	struct ring *ring = take_ring();

	__atomic_store_n(ring->consumer, take_u64(), __ATOMIC_RELEASE);
	return 0;
}

s32 ring_available(void)
{
	struct ring *ring = take_ring();

	return produced(ring) - *ring->consumer;
}
