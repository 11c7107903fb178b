/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the lowering (ubpf_lowering.ts) and the glue (ubpf_engine.c) agree on. Every call of a lowered
 * program names a site, an index into a table; so a fault in a helper knows its instruction.
 */
#ifndef TAPIO_UBPF_ENGINE_H
#define TAPIO_UBPF_ENGINE_H

#include "program.h"

/* Numbers of SITE in sites.ts. */
enum site_kind {
	SITE_UNWIND,	    /* site 0 only: uBPF leaves the image, whatever the depth */
	SITE_HELPER,	    /* value = number of the helper */
	SITE_CALLBACK_HELPER, /* as SITE_HELPER, and r5 = r10 */
	SITE_POISON,	    /* must not be reached */
	SITE_LOOP,	    /* value = cost */
	SITE_FUNCTION,	    /* value = cost; argument = register that holds r10 */
	SITE_CHECK_LOAD,    /* argument = register that holds the base address */
	SITE_CHECK_STORE,
	SITE_CHECK_ATOMIC,  /* as SITE_CHECK_STORE, and aligned */
	SITE_CHECK_ACQUIRE, /* as SITE_CHECK_LOAD, and aligned */
	SITE_COMPARE_EXCHANGE, /* r1 = base, r2 = expected, r3 = new value; returns the old one */
	SITE_DIVIDE,	    /* signed r1 / r2, of 8 * size bits */
	SITE_MODULO,
	SITE_REGISTER_NUMBER, /* r1 = number of the helper that the next SITE_REGISTER_CALL calls */
	SITE_REGISTER_CALL,
	SITE_TAIL_CALL,	    /* the helper; SITE_UNWIND or SITE_TAIL_CALL_IN_FRAME follows */
	SITE_TAIL_CALL_IN_FRAME, /* r5 = r10 */
};

struct site {
	u32 kind;
	u32 value;
	u32 argument; /* 1 to 5 */
	s32 offset;   /* added to the base address */
	u32 size;     /* bytes of the access */
	rt_helper_fn helper; /* filled in at load */
};

/* rt_site of a memory access: this bit and the index of the lowered instruction. */
#define SITE_IS_PC 0x80000000u
/* rt_site once the entry function has returned: the program's end. */
#define SITE_IS_END 0xffffffffu

#endif
