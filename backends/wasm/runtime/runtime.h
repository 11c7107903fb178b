/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime of the wasm backend: one linear memory that owns maps, stacks, contexts and rings, shared
 * by every engine. Single-threaded; "CPUs" are a variable that the scheduler sets.
 *
 * A BPF pointer is a u64 whose value is an address in this linear memory. What a program may touch
 * is said by the shadow (below), never by the pointer itself.
 *
 * Conventions: functions that JavaScript or a compiled program calls are marked RT_EXPORT and keep
 * their C name; errors are negative kernel errno values (linux_errno.h; RT_ENOTSUPP is
 * the kernel-internal 524).
 */
#ifndef TAPIO_RUNTIME_H
#define TAPIO_RUNTIME_H

#include "linux_errno.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#ifdef __wasm__
#define RT_EXPORT(name) __attribute__((export_name(#name), used))
#define RT_IMPORT(name) __attribute__((import_module("host"), import_name(#name)))
#else /* the native test harness: plain functions, imports defined by the harness */
#define RT_EXPORT(name)
#define RT_IMPORT(name)
#endif
#define RT_ENOTSUPP 524
#define RT_CPUS_MAX 64
#define RT_PAGE_SHIFT 12
#define RT_PAGE_SIZE (1u << RT_PAGE_SHIFT)

static inline u32 rt_round_up8(u32 n) { return (n + 7u) & ~7u; }

/* ---- memory.c -------------------------------------------------------------------------------
 * All memory is taken at start (rt_init, exported: see init.c), so views in JavaScript never
 * detach. The C library's malloc family is served by the same allocator.
 */

/* Zeroed, 16-byte aligned, or NULL when the instance's memory is used up. Never moves. */
void *rt_alloc(u32 size);
void rt_free(void *block);

/* ---- shadow.c --------------------------------------------------------------------------------
 * One byte for each 8-byte granule of linear memory: the low nibble counts the accessible bytes
 * from the granule's start (0 to 8), bit 7 says read-only. Objects that programs may touch start
 * on an 8-byte boundary. Everything starts inaccessible, and the first page stays so (NULL).
 */
enum rt_access { RT_ACCESS_NONE, RT_ACCESS_READ, RT_ACCESS_WRITE };
#define RT_SHADOW_READ_ONLY 0x80

extern u8 *rt_shadow;      /* rt_shadow[address >> 3] */
extern u32 rt_memory_size; /* bytes covered */

void rt_shadow_set(const void *start, u32 size, enum rt_access access);
/* Whether a program may access [address, address + size); size > 0, any alignment. */
bool rt_shadow_allows(u64 address, u32 size, bool write);

/* The same for what lies in one granule, without a call; false for everything else. */
static inline bool rt_granule_allows(u64 address, u32 size, bool write)
{
	u32 end = ((u32)address & 7u) + size;

	if (address >= rt_memory_size || size > 8)
		return false;
	if (write) /* the sign says "read-only" */
		return (s32)end <= (s8)rt_shadow[address >> 3];
	return end <= (rt_shadow[address >> 3] & (u32)~RT_SHADOW_READ_ONLY);
}

/* ---- fault.c ---------------------------------------------------------------------------------
 * What the kernel's verifier would have refused. A fault ends the run: the host throws.
 */
enum rt_fault_kind {
	RT_FAULT_LOAD = 1,     /* out-of-bounds load by the program */
	RT_FAULT_STORE,        /* out-of-bounds or read-only store */
	RT_FAULT_HELPER_READ,  /* a helper was given memory it may not read */
	RT_FAULT_HELPER_WRITE, /* ... may not write */
	RT_FAULT_ARGUMENT,     /* a helper argument of the wrong kind (not a map, not a lock, ...) */
	RT_FAULT_BUDGET,       /* instruction budget used up */
	RT_FAULT_CALL_DEPTH,   /* more than 8 frames */
	RT_FAULT_LOCK,         /* double lock, unlock of a free lock, exit or helper call under a lock */
	RT_FAULT_REFERENCE,    /* reserved record not submitted, or submitted twice */
	RT_FAULT_ENGINE,       /* the engine itself gave up */
	RT_FAULT_MISALIGNED,   /* misaligned atomic */
	RT_FAULT_POISONED,     /* an instruction that could not be relocated was reached */
	RT_FAULT_UNWRITTEN,    /* read of stack that was never written (paranoid.h) */
};

/* Throws in the host, with the current call site (rt_site). */
_Noreturn void rt_fault(enum rt_fault_kind kind, u64 address, u32 size);

/* Faults with `kind` where the program may not access the memory; size > 0. */
void rt_check_access(u64 address, u32 size, bool write, enum rt_fault_kind kind);
void rt_check_read_slowly(u64 address, u32 size);
void rt_check_write_slowly(u64 address, u32 size);

/* Checks an argument of a helper; faults where the program may not access the memory. Size 0
 * passes with any address, as for the kernel's ARG_CONST_SIZE_OR_ZERO. */
static inline void rt_check_read(u64 address, u32 size)
{
	if (!rt_granule_allows(address, size, false))
		rt_check_read_slowly(address, size);
}

static inline void rt_check_write(u64 address, u32 size)
{
	if (!rt_granule_allows(address, size, true))
		rt_check_write_slowly(address, size);
}

/* ---- world.c: what helpers see (more in world.h, task.h) ------------------------------------- */

extern u32 rt_cpu_count; /* possible CPUs, 1 to RT_CPUS_MAX */
extern u32 rt_cpu;       /* CPU of the running program */
extern u64 rt_now_ns;    /* virtual CLOCK_MONOTONIC */
extern u32 rt_site;      /* call site of the helper being run, for faults (engine-defined) */

u32 rt_random_u32(void); /* seeded PRNG behind bpf_get_prandom_u32; per instance */

/* Runs a BPF subprogram from a helper (bpf_loop, for_each, timers): `callback` is the value that the
 * program passed; the engine that is running resolves it. Returns r0. */
u64 rt_call_callback(u64 callback, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);

#include "map.h"

#endif
