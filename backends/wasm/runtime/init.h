/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the simulated machine up; the native tests do it without WebAssembly. */
#ifndef TAPIO_INIT_H
#define TAPIO_INIT_H

#include "runtime.h"

/*
 * Takes the zeroed memory [start, end), below 4 GiB and 16-byte aligned, for good. 0, -EINVAL (CPUs), or
 * -ENOMEM.
 */
s32 rt_machine_init(u8 *start, u8 *end, u32 cpus, u64 seed);

#endif
