/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Map operations of the running kernel for a process that cannot call bpf(2) itself: the conformance
 * suite's way to the authority until the kernel backend takes its place.
 *
 * usage: kernel_maps --probe             exit 0 if maps can be created, else a line why not
 *        kernel_maps REQUESTS RESPONSES  serves requests until REQUESTS ends
 *
 * Both are FIFOs. A request is u32 length of the rest, u32 operation, fields; a response is u32
 * length of the rest, s32 result (0 or -errno, or a new descriptor), bytes. Numbers are in the byte
 * order of the machine. A request that is not well formed ends the process: it is a bug of the
 * other side. Descriptors are the kernel's own; all die with the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;

#define MESSAGE_BYTES_MAX (64u << 20)

enum operation {
	OP_CREATE = 1,
	OP_CLOSE,
	OP_LOOKUP,
	OP_UPDATE,
	OP_DELETE,
	OP_TAKE,
	OP_NEXT_KEY,
	OP_LOOKUP_BATCH,
	OP_UPDATE_BATCH,
	OP_DELETE_BATCH,
};

struct buffer {
	u8 *data;
	u32 capacity;
	u32 length;
	u32 position;
};

static struct buffer request, response;

static _Noreturn void die(const char *problem)
{
	fprintf(stderr, "kernel_maps: %s\n", problem);
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

static u8 *take_bytes(u32 size)
{
	u8 *bytes = request.data + request.position;

	if (size > request.length - request.position)
		die("a request is too short for its operation");
	request.position += size;
	return bytes;
}

static u32 take_u32(void)
{
	u32 value;

	memcpy(&value, take_bytes(sizeof(value)), sizeof(value));
	return value;
}

static u64 take_u64(void)
{
	u64 value;

	memcpy(&value, take_bytes(sizeof(value)), sizeof(value));
	return value;
}

/* A length and that many bytes; NULL where the length is 0, as maps without keys want it. */
static u8 *take_block(u32 *size)
{
	*size = take_u32();
	return *size ? take_bytes(*size) : NULL;
}

static u8 *add_space(u32 size)
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

/* ---- operations ------------------------------------------------------------------------------ */

static s32 bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	long result = syscall(__NR_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : (s32)result;
}

static u64 pointer(const void *memory)
{
	return (u64)(uintptr_t)memory;
}

static s32 create_map(void)
{
	union bpf_attr attr = {};

	attr.map_type = take_u32();
	attr.key_size = take_u32();
	attr.value_size = take_u32();
	attr.max_entries = take_u32();
	attr.map_flags = take_u32();
	attr.inner_map_fd = take_u32();
	memcpy(attr.map_name, take_bytes(sizeof(attr.map_name)), sizeof(attr.map_name));
	return bpf(BPF_MAP_CREATE, &attr);
}

/* Lookup, update, delete and lookup-and-delete of one element. */
static s32 element(enum bpf_cmd command, bool has_value, bool answers)
{
	union bpf_attr attr = {};
	u32 key_size, value_size = 0;
	u8 *value = NULL;
	s32 result;

	attr.map_fd = take_u32();
	attr.flags = take_u64();
	attr.key = pointer(take_block(&key_size));
	if (has_value)
		value = take_block(&value_size);
	attr.value = pointer(value);
	result = bpf(command, &attr);
	if (answers && value_size)
		memcpy(add_space(value_size), value, value_size);
	return result;
}

static s32 next_key(void)
{
	union bpf_attr attr = {};
	u32 has_key, key_size;
	u8 *key;

	attr.map_fd = take_u32();
	has_key = take_u32();
	key = take_block(&key_size);
	attr.key = has_key ? pointer(key) : 0;
	attr.next_key = pointer(add_space(key_size));
	return bpf(BPF_MAP_GET_NEXT_KEY, &attr);
}

/* Answers count, cursor, keys and values, each with room for what was asked. */
static s32 lookup_batch(void)
{
	union bpf_attr attr = {};
	u32 key_size, value_size, cursor_size, count, has_cursor;
	u8 *answer, *cursor;
	u64 size;
	s32 result;

	attr.batch.map_fd = take_u32();
	count = take_u32();
	key_size = take_u32();
	value_size = take_u32();
	has_cursor = take_u32();
	cursor = take_block(&cursor_size);
	size = sizeof(count) + cursor_size + (u64)count * (key_size + value_size);
	if (size > MESSAGE_BYTES_MAX)
		die("a batch is larger than 64 MiB");
	answer = add_space(size);
	attr.batch.count = count;
	attr.batch.in_batch = has_cursor ? pointer(cursor) : 0;
	attr.batch.out_batch = pointer(answer + sizeof(count));
	attr.batch.keys = pointer(answer + sizeof(count) + cursor_size);
	attr.batch.values = attr.batch.keys + (u64)count * key_size;
	result = bpf(BPF_MAP_LOOKUP_BATCH, &attr);
	memcpy(answer, &attr.batch.count, sizeof(count));
	return result;
}

static s32 change_batch(enum bpf_cmd command)
{
	union bpf_attr attr = {};
	u32 keys_size, values_size;
	s32 result;

	attr.batch.map_fd = take_u32();
	attr.batch.elem_flags = take_u64();
	attr.batch.count = take_u32();
	attr.batch.keys = pointer(take_block(&keys_size));
	attr.batch.values = pointer(take_block(&values_size));
	result = bpf(command, &attr);
	memcpy(add_space(sizeof(u32)), &attr.batch.count, sizeof(u32));
	return result;
}

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
	case OP_NEXT_KEY:
		return next_key();
	case OP_LOOKUP_BATCH:
		return lookup_batch();
	case OP_UPDATE_BATCH:
		return change_batch(BPF_MAP_UPDATE_BATCH);
	case OP_DELETE_BATCH:
		return change_batch(BPF_MAP_DELETE_BATCH);
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

static int probe(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 1,
	};
	s32 fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd >= 0)
		return 0;
	printf("bpf(BPF_MAP_CREATE): %s\n", strerror(-fd));
	return 1;
}

int main(int argc, char **argv)
{
	/* Linux before 5.11 accounts maps here. */
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int requests, responses;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (argc == 2 && strcmp(argv[1], "--probe") == 0)
		return probe();
	if (argc != 3) {
		fprintf(stderr, "usage: kernel_maps --probe | kernel_maps REQUESTS RESPONSES\n");
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
