/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes bpf(2) calls for the suites, which run outside the guest.
 *
 * usage: kernel_process MEMORY, a file that the host shares (`struct shared`); ends with an empty request
 *
 * A request is u32 operation, fields; a response is s32 result (0 or -errno, or a new descriptor),
 * bytes. Numbers are in the byte order of the machine. A request that is not well formed ends the
 * process: it is a bug of the other side. Descriptors are the kernel's own; all die with the process.
 *
 * Both sides watch the shared counts: an interrupt would take some 3 ms from one to the other, a look
 * at memory takes microseconds. Who waits for long sleeps between looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* The host counts requests, we count responses. */
struct shared {
	u32 requests;
	u32 responses;
	/* Of the host alone. */
	u32 ended;
	u32 padding[13];
	/* Of the message: first the request, then in its place the response. */
	u32 length;
	u8 message[];
};

/* Looks before the first nap, and how long naps are. */
#define LOOKS_MAX 20000
#define NAP_US 200

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
	return response.data + sizeof(s32);
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

static struct shared *map_shared(const char *path, u32 *message_size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct shared *shared;
	struct stat info;

	if (fd < 0 || fstat(fd, &info))
		die("cannot open the shared memory");
	shared = mmap(NULL, info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		die("cannot map the shared memory");
	*message_size = info.st_size - sizeof(*shared);
	close(fd);
	return shared;
}

static void await_request(const struct shared *shared, u32 served)
{
	u32 looks = 0;

	while (__atomic_load_n(&shared->requests, __ATOMIC_ACQUIRE) == served)
		if (++looks > LOOKS_MAX)
			usleep(NAP_US);
}

/* False where the request is empty. */
static bool serve_one(struct shared *shared, u32 message_size)
{
	s32 result;

	if (shared->length == 0)
		return false;
	if (shared->length > message_size)
		die("a request is larger than the shared memory");
	/* A copy, because operations write into their request. */
	reserve(&request, shared->length);
	memcpy(request.data, shared->message, shared->length);
	request.length = shared->length;
	request.position = 0;
	/* Operations add to the response: its space must not move while the kernel writes there. */
	reserve(&response, sizeof(result));
	response.length = sizeof(result);
	result = serve(take_u32());
	if (response.length > message_size)
		die("a response is larger than the shared memory");
	memcpy(response.data, &result, sizeof(result));
	memcpy(shared->message, response.data, response.length);
	shared->length = response.length;
	return true;
}

/* Where programs run that are free to choose. */
static void stay_on_one_cpu(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		die("cannot stay on CPU 0");
}

int main(int argc, char **argv)
{
	/* Linux before 5.11 accounts maps here. */
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct shared *shared;
	u32 message_size;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (argc != 2) {
		fprintf(stderr, "usage: kernel_process MEMORY\n");
		return 2;
	}
	stay_on_one_cpu();
	shared = map_shared(argv[1], &message_size);
	for (u32 served = 0;; served++) {
		await_request(shared, served);
		if (!serve_one(shared, message_size))
			return 0;
		__atomic_store_n(&shared->responses, served + 1, __ATOMIC_RELEASE);
	}
}
