/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paranoid checks, beyond what a program may touch: it must not read bytes of its stack that it never
 * wrote, nor use an element of a map after it deleted or replaced it. Kernels take the latter, and let
 * the program work on what nobody sees any more, or on another key's value.
 */
#ifndef TAPIO_PARANOID_H
#define TAPIO_PARANOID_H

#include "runtime.h"

extern bool rt_paranoid;

/* ---- paranoid_stack.c ----------------------------------------------------------------------- */

/* Nothing of the frame that ends at r10 = `frame` is written yet. Only where rt_paranoid. */
void rt_stack_forget(u64 frame);

enum rt_stack_answer { RT_STACK_FOREIGN, RT_STACK_ALLOWED, RT_STACK_UNWRITTEN };

/*
 * Judges an access that rt_shadow_allows refused, for frames with bytes that were never written. What is
 * written, or handed to a helper that writes it, counts as written from then on.
 */
enum rt_stack_answer rt_stack_use(u64 address, u32 size, bool write);

/* ---- paranoid_elements.c: freed elements wait for the end of the run that may point to them -- */

/* Whether the bytes lie in frames that are open, written or not. */
static inline bool rt_stack_holds(u64 address, u32 size)
{
	return rt_stack_use(address, size, false) != RT_STACK_FOREIGN;
}

struct rt_hash;
struct rt_hash_element;

/* Closes an element that was unlinked, where a program did it. Only where rt_paranoid. */
void rt_hash_poison(struct rt_hash *hash, struct rt_hash_element *element);
/* Whether the element waits for the end of the outermost run; then it is freed. */
bool rt_hash_quarantine(struct rt_hash *hash, struct rt_hash_element *element);
/* No program runs any more. */
void rt_quarantine_release(void);
/* The table dies, and what waits with it. */
void rt_quarantine_drop(struct rt_hash *hash);

#endif
