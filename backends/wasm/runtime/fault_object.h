/* SPDX-License-Identifier: Apache-2.0 */
/* Which object an address belongs to, or just misses: for people who read a fault. */
#ifndef TAPIO_FAULT_OBJECT_H
#define TAPIO_FAULT_OBJECT_H

#include "runtime.h"

enum rt_object_kind {
	RT_OBJECT_NONE,    /* nothing is near */
	RT_OBJECT_NULL,    /* the page of NULL */
	RT_OBJECT_FRAME,   /* of the running program's stack */
	RT_OBJECT_CONTEXT, /* what r1 points to at the start */
	RT_OBJECT_VALUE,   /* of a map */
	RT_OBJECT_RECORD,  /* of a ring buffer */
};

struct rt_object {
	u32 kind;
	u32 map;    /* handle, for values and records */
	s32 offset; /* of the address: from the object's start, for a frame from r10 */
	u32 size;
	u32 closed; /* the value was deleted, the record given back */
};

/* Objects of equal size in a row: `size` bytes at first + start + n * stride, for n below `count`. */
struct rt_object_row {
	const u8 *first;
	u32 count;
	u32 stride;
	u32 start;
	u32 size;
};

/* The nearest object; RT_OBJECT_NONE where the nearest is further away than a page. */
struct rt_object rt_object_near(u64 address);

/* ---- where the objects of maps are ---------------------------------------------------------- */

/* Called for all rows of a map, by rt_hash_consider and rt_lpm_consider. */
void rt_object_consider(const struct rt_map *map, const struct rt_object_row *row);
void rt_hash_consider(const struct rt_map *map);
void rt_lpm_consider(const struct rt_map *map);

#endif
