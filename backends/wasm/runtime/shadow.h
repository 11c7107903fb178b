/* SPDX-License-Identifier: Apache-2.0 */
/* Set-up of the shadow; its everyday calls stand in runtime.h. */
#ifndef TAPIO_SHADOW_H
#define TAPIO_SHADOW_H

#include "runtime.h"

/* `shadow` has one zeroed byte for every 8 bytes of [0, memory_size). */
void rt_shadow_init(u8 *shadow, u32 memory_size);

#endif
