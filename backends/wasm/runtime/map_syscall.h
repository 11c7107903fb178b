/* SPDX-License-Identifier: Apache-2.0 */
/* The bpf(2) commands on maps; map_syscall.c says what each does. */
#ifndef TAPIO_MAP_SYSCALL_H
#define TAPIO_MAP_SYSCALL_H

#include "map_types.h"

/* The map behind an open handle, if user space may do this with it: 0, -EBADF or -EPERM. */
s32 rt_map_open(u32 handle, bool read, bool write, struct rt_map **map);

s32 rt_map_close(u32 handle);
s32 rt_map_lookup(u32 handle, const void *key, void *value, u32 flags_low, u32 flags_high);
s32 rt_map_update(u32 handle, const void *key, const void *value, u32 flags_low, u32 flags_high);
s32 rt_map_delete(u32 handle, const void *key);
s32 rt_map_take(u32 handle, const void *key, void *value, u32 flags_low, u32 flags_high);
s32 rt_map_next_key(u32 handle, const void *key, void *next);
s32 rt_map_freeze(u32 handle);

struct rt_map *rt_map_address(u32 handle);
u32 rt_map_size_of_value(u32 handle);
u32 rt_map_max_entries(u32 handle);
u32 rt_map_memory_bytes(u32 handle);
u8 *rt_map_values(u32 handle);
s32 rt_map_mmap(u32 handle);

/*
 * Batches (map_batch.c). *count is the room or the number given, then the number done. `cursor` is
 * rt_map_cursor_bytes() long; NULL starts at the beginning. -ENOENT: that was the end, *count of the
 * entries are valid.
 */
s32 rt_map_lookup_batch(u32 handle, const void *cursor, void *next_cursor, void *keys, void *values,
			u32 *count, u32 flags);
s32 rt_map_take_batch(u32 handle, const void *cursor, void *next_cursor, void *keys, void *values,
		      u32 *count, u32 flags);
s32 rt_map_update_batch(u32 handle, const void *keys, const void *values, u32 *count, u32 flags);
s32 rt_map_delete_batch(u32 handle, const void *keys, u32 *count, u32 flags);
u32 rt_map_cursor_bytes(u32 handle);

#endif
