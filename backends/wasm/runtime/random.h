/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro128**: small, fast in 32-bit arithmetic, and far better than its users here need. */
#ifndef TAPIO_RANDOM_H
#define TAPIO_RANDOM_H

#include "runtime.h"

struct rt_random {
	u32 state[4];
};

/* Any seed is good, 0 too. Different `stream`s of one seed are independent. */
void rt_random_seed(struct rt_random *random, u64 seed, u32 stream);
u32 rt_random_next(struct rt_random *random);

#endif
