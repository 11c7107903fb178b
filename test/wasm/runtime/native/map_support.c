// SPDX-License-Identifier: Apache-2.0
#include "map_support.h"

#include "run.h"

s32 program_create(u32 context_size);
s32 program_run(u32 handle, u32 context, u32 cpu);

static u64 (*program_body)(void *context);
static void *program_context;
static struct rt_callback *callback;
static u64 (*callback_body)(const u64 *arguments);

struct rt_map *test_map(u32 type, u32 key_size, u32 value_size, u32 max_entries, u32 flags)
{
	struct rt_map_spec spec = {
		.type = type,
		.key_size = key_size,
		.value_size = value_size,
		.max_entries = max_entries,
		.flags = flags,
		.lock_offset = -1,
		.timer_offset = -1,
	};
	s32 handle = rt_map_create(&spec);

	CHECK(handle > 0);
	return rt_map_from_handle((u32)handle);
}

void test_map_close(struct rt_map *map)
{
	CHECK(rt_map_close(map->handle) == 0);
}

/* Keys and values wider than 8 bytes are zero behind. */
static void widen(u8 to[512], u64 number)
{
	memset(to, 0, 512);
	memcpy(to, &number, sizeof(number));
}

s64 test_update(struct rt_map *map, u64 key, u64 value, u64 flags)
{
	u8 key_bytes[512], value_bytes[512];

	widen(key_bytes, key);
	widen(value_bytes, value);
	return map->ops->update(map, key_bytes, value_bytes, flags);
}

u64 *test_lookup(struct rt_map *map, u64 key)
{
	u8 key_bytes[512];

	widen(key_bytes, key);
	return map->ops->lookup(map, key_bytes);
}

s64 test_remove(struct rt_map *map, u64 key)
{
	u8 key_bytes[512];

	widen(key_bytes, key);
	return map->ops->remove(map, key_bytes);
}

bool test_has(struct rt_map *map, u64 key)
{
	u8 key_bytes[512], value_bytes[8192];

	widen(key_bytes, key);
	return rt_map_lookup(map->handle, key_bytes, value_bytes, 0, 0) == 0;
}

bool test_readable(const void *start, u32 size)
{
	return rt_shadow_allows((uintptr_t)start, size, false);
}

bool test_writable(const void *start, u32 size)
{
	return rt_shadow_allows((uintptr_t)start, size, true);
}

static u64 entry(struct rt_program *program, u64 context, u64 frame)
{
	(void)program, (void)context, (void)frame;
	return program_body(program_context);
}

void test_run_program(u64 (*body)(void *context), void *context)
{
	s32 handle = program_create(0);

	CHECK(handle > 0);
	rt_program_from_handle((u32)handle)->entry = entry;
	program_body = body;
	program_context = context;
	CHECK(program_run((u32)handle, 0, rt_cpu) == 0);
	rt_program_put(rt_program_from_handle((u32)handle));
}

static u64 run_callback(struct rt_callback *called, const u64 arguments[5], u64 frame)
{
	(void)called, (void)frame;
	return callback_body(arguments);
}

u64 test_callback(u64 (*body)(const u64 *arguments))
{
	if (callback == NULL)
		callback = rt_alloc(sizeof(*callback));
	callback_body = body;
	callback->magic = RT_CALLBACK_MAGIC;
	callback->program = rt_program_current();
	callback->run = run_callback;
	return (uintptr_t)callback;
}
