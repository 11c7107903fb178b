/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the simulated kernel and of simulated user processes. Programs cannot load from it; they
 * reach it through bpf_probe_read_kernel, bpf_probe_read_user and their relatives, which answer an
 * error for anything else. As on hardware, a page is either readable or it is not.
 */
#ifndef TAPIO_SIMULATED_MEMORY_H
#define TAPIO_SIMULATED_MEMORY_H

#include "runtime.h"

enum rt_space { RT_SPACE_NONE, RT_SPACE_KERNEL, RT_SPACE_USER };

extern u8 *rt_spaces; /* one byte a page: enum rt_space */

/* Everything starts out as RT_SPACE_NONE. 0 or -ENOMEM. */
int rt_simulated_memory_init(void);

/* Zeroed, aligned to its size's power of two up to a page; 0 when memory is used up. */
u32 rt_kernel_alloc(u32 size);
u32 rt_user_alloc(u32 size);
/* `size` as it was allocated. */
void rt_kernel_free(u32 address, u32 size);
void rt_user_free(u32 address, u32 size);

/* What a page belongs to. */
enum rt_space rt_space_of(u64 address);

/* Whether an address lies in the half of the address space that belongs to user processes. */
bool rt_is_user_address(u64 address);

/*
 * Copies without faulting; 0, or -EFAULT where a byte cannot be read (the destination is then
 * unspecified), or -ERANGE where a kernel read names an address of user space (NULL, too). What programs may load themselves counts as kernel memory.
 */
int rt_copy_from_space(void *to, u64 from, u32 size, enum rt_space space);
/* Copies a string of at most size - 1 bytes and its NUL; the length with NUL, or an error as above. */
s64 rt_string_from_kernel(char *to, u64 from, u32 size);
s64 rt_string_from_user(char *to, u64 from, u32 size);

#endif
