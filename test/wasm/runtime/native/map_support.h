/* SPDX-License-Identifier: Apache-2.0 */
/* Maps for native cases: creation by a few words, operations by number. */
#ifndef TAPIO_TEST_MAP_SUPPORT_H
#define TAPIO_TEST_MAP_SUPPORT_H

#include "harness.h"

#include "map_syscall.h"
#include "memory.h"

struct rt_map *test_map(u32 type, u32 key_size, u32 value_size, u32 max_entries, u32 flags);
/* Closes the handle; the map lives on if something else holds it. */
void test_map_close(struct rt_map *map);

/* As a program: with a key and the first 8 bytes of a value as numbers. */
s64 test_update(struct rt_map *map, u64 key, u64 value, u64 flags);
u64 *test_lookup(struct rt_map *map, u64 key);
s64 test_remove(struct rt_map *map, u64 key);
/* As a system call: whether the key is there. */
bool test_has(struct rt_map *map, u64 key);
/* Whether a program may read, or write, that memory. */
bool test_readable(const void *start, u32 size);
bool test_writable(const void *start, u32 size);

/* Runs `body` as a program on rt_cpu; its argument is `context`. */
void test_run_program(u64 (*body)(void *context), void *context);
/* Inside: what the program passes as a callback; called with r1 to r5. */
u64 test_callback(u64 (*body)(const u64 *arguments));

#endif
