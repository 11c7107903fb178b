/* SPDX-License-Identifier: Apache-2.0 */
/* Map operations: fields of a request in, bpf(2), bytes of the response out. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_process.h"

#define KEY_BYTES_MAX 4096

s32 bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	long result = syscall(__NR_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : (s32)result;
}

u64 pointer(const void *memory)
{
	return (u64)(uintptr_t)memory;
}

s32 create_map(void)
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

s32 element(enum bpf_cmd command, bool has_value, bool answers)
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

/* Answers up to a number of following keys, one after another; an error only where there is none. */
s32 next_keys(void)
{
	union bpf_attr attr = {};
	u32 has_key, key_size, keys_max;
	u64 key;
	s32 error;

	attr.map_fd = take_u32();
	keys_max = take_u32();
	has_key = take_u32();
	key = pointer(take_block(&key_size));
	attr.key = has_key ? key : 0;
	for (u32 count = 0; count < keys_max; count++) {
		u8 next[KEY_BYTES_MAX];

		if (key_size > sizeof(next))
			die("a key is larger than a key can be");
		attr.next_key = pointer(next);
		error = bpf(BPF_MAP_GET_NEXT_KEY, &attr);
		if (error)
			return count ? 0 : error;
		memcpy(add_space(key_size), next, key_size);
		/* The response may move; the request's own copy of the key does not. */
		if (!key)
			return 0;
		memcpy((void *)(uintptr_t)key, next, key_size);
		attr.key = key;
	}
	return 0;
}

/* Answers count, cursor, keys and values, each with room for what was asked. */
s32 lookup_batch(void)
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

s32 change_batch(enum bpf_cmd command)
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

