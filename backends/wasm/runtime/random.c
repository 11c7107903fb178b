// SPDX-License-Identifier: Apache-2.0
#include "random.h"

static u32 rotate_left(u32 x, u32 by)
{
	return x << by | x >> (32 - by);
}

/* SplitMix64: spreads a seed over the whole state, so that it is never all zero. */
static u64 split_mix(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void rt_random_seed(struct rt_random *random, u64 seed, u32 stream)
{
	u64 state = seed ^ (u64)stream << 56;
	u64 low = split_mix(&state);
	u64 high = split_mix(&state);

	random->state[0] = (u32)low;
	random->state[1] = (u32)(low >> 32);
	random->state[2] = (u32)high;
	random->state[3] = (u32)(high >> 32) | 1;
}

u32 rt_random_next(struct rt_random *random)
{
	u32 *s = random->state;
	u32 result = rotate_left(s[1] * 5, 7) * 9;
	u32 shifted = s[1] << 9;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 11);
	return result;
}
