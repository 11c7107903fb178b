/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes bpf(2) calls for the suites, which run outside the guest.
 *
 * usage: kernel_process REQUESTS RESPONSES, which serves requests until REQUESTS ends
 *
 * Both are FIFOs. A request is u32 length of the rest, u32 operation, fields; a response is u32
 * length of the rest, s32 result (0 or -errno, or a new descriptor), bytes. Numbers are in the byte
 * order of the machine. A request that is not well formed ends the process: it is a bug of the
 * other side. Descriptors are the kernel's own; all die with the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel_process.h"

enum operation {
	OP_CREATE = 1,
	OP_CLOSE,
	OP_LOOKUP,
	OP_UPDATE,
	OP_DELETE,
	OP_TAKE,
	OP_NEXT_KEYS,
	OP_LOOKUP_BATCH,
	OP_UPDATE_BATCH,
	OP_DELETE_BATCH,
	OP_OPEN_OBJECT,
	OP_CLOSE_OBJECT,
	OP_RUN_PROGRAM,
	OP_OPEN_RING,
	OP_CLOSE_RING,
	OP_PEEK_RING,
	OP_ADVANCE_RING,
	OP_RING_AVAILABLE,
	OP_ATTACH,
	OP_DETACH,
	OP_RUN_BARE,
	OP_READ_FILE,
};

struct buffer {
	u8 *data;
	u32 capacity;
	u32 length;
	u32 position;
};

static struct buffer request, response;

_Noreturn void die(const char *problem)
{
	fprintf(stderr, "kernel_process: %s\n", problem);
	exit(1);
}

static void reserve(struct buffer *buffer, u32 capacity)
{
	if (capacity > MESSAGE_BYTES_MAX)
		die("a message is larger than 64 MiB");
	if (capacity <= buffer->capacity)
		return;
	buffer->data = realloc(buffer->data, capacity);
	if (!buffer->data)
		die("out of memory");
	buffer->capacity = capacity;
}

/* ---- fields of a request --------------------------------------------------------------------- */

u8 *take_bytes(u32 size)
{
	u8 *bytes = request.data + request.position;

	if (size > request.length - request.position)
		die("a request is too short for its operation");
	request.position += size;
	return bytes;
}

u32 take_u32(void)
{
	u32 value;

	memcpy(&value, take_bytes(sizeof(value)), sizeof(value));
	return value;
}

u64 take_u64(void)
{
	u64 value;

	memcpy(&value, take_bytes(sizeof(value)), sizeof(value));
	return value;
}

u8 *take_block(u32 *size)
{
	*size = take_u32();
	return *size ? take_bytes(*size) : NULL;
}

u8 *add_space(u32 size)
{
	u8 *space;

	if (size > MESSAGE_BYTES_MAX - response.length)
		die("a response is larger than 64 MiB");
	reserve(&response, response.length + size);
	space = response.data + response.length;
	memset(space, 0, size);
	response.length += size;
	return space;
}

u8 *response_bytes(void)
{
	return response.data + 2 * sizeof(u32);
}

/* ---- operations ------------------------------------------------------------------------------ */

static s32 serve(enum operation operation)
{
	switch (operation) {
	case OP_CREATE:
		return create_map();
	case OP_CLOSE:
		return close(take_u32()) ? -errno : 0;
	case OP_LOOKUP:
		return element(BPF_MAP_LOOKUP_ELEM, true, true);
	case OP_UPDATE:
		return element(BPF_MAP_UPDATE_ELEM, true, false);
	case OP_DELETE:
		return element(BPF_MAP_DELETE_ELEM, false, false);
	case OP_TAKE:
		return element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, true, true);
	case OP_NEXT_KEYS:
		return next_keys();
	case OP_LOOKUP_BATCH:
		return lookup_batch();
	case OP_UPDATE_BATCH:
		return change_batch(BPF_MAP_UPDATE_BATCH);
	case OP_DELETE_BATCH:
		return change_batch(BPF_MAP_DELETE_BATCH);
	case OP_OPEN_OBJECT:
		return open_object();
	case OP_CLOSE_OBJECT:
		return close_object();
	case OP_RUN_PROGRAM:
		return run_program();
	case OP_OPEN_RING:
		return open_ring();
	case OP_CLOSE_RING:
		return close_ring();
	case OP_PEEK_RING:
		return peek_ring();
	case OP_ADVANCE_RING:
		return advance_ring();
	case OP_RING_AVAILABLE:
		return ring_available();
	case OP_ATTACH:
		return attach_program();
	case OP_DETACH:
		return detach_program();
	case OP_RUN_BARE:
		return run_bare();
	case OP_READ_FILE:
		return read_file();
	}
	die("an operation is unknown");
}

/* ---- messages -------------------------------------------------------------------------------- */

/* False at the end of the file before the first byte. */
static bool read_exactly(int fd, void *destination, u32 size)
{
	u32 done = 0;

	while (done < size) {
		ssize_t count = read(fd, (u8 *)destination + done, size - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count == 0 && done == 0)
			return false;
		if (count <= 0)
			die("a request ends in the middle");
		done += count;
	}
	return true;
}

static void write_exactly(int fd, const u8 *source, u32 size)
{
	while (size > 0) {
		ssize_t count = write(fd, source, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			die("nobody reads the responses");
		source += count;
		size -= count;
	}
}

static bool serve_one(int requests, int responses)
{
	const u32 header_size = 2 * sizeof(u32);
	u32 length, rest;
	s32 result;

	if (!read_exactly(requests, &length, sizeof(length)))
		return false;
	reserve(&request, length);
	if (!read_exactly(requests, request.data, length))
		die("a request is empty");
	request.length = length;
	request.position = 0;
	/* Operations add to the response: its space must not move while the kernel writes there. */
	reserve(&response, header_size);
	response.length = header_size;
	result = serve(take_u32());
	rest = response.length - sizeof(u32);
	memcpy(response.data, &rest, sizeof(rest));
	memcpy(response.data + sizeof(u32), &result, sizeof(result));
	write_exactly(responses, response.data, response.length);
	return true;
}

int main(int argc, char **argv)
{
	/* Linux before 5.11 accounts maps here. */
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int requests, responses;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (argc != 3) {
		fprintf(stderr, "usage: kernel_process REQUESTS RESPONSES\n");
		return 2;
	}
	requests = open(argv[1], O_RDONLY | O_CLOEXEC);
	responses = open(argv[2], O_WRONLY | O_CLOEXEC);
	if (requests < 0 || responses < 0)
		die("cannot open the FIFOs");
	while (serve_one(requests, responses))
		;
	return 0;
}
