/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime's C under AddressSanitizer and UBSan, without WebAssembly. Every case runs in a process
 * and a simulated machine of its own.
 */
#ifndef TAPIO_TEST_HARNESS_H
#define TAPIO_TEST_HARNESS_H

#include "runtime.h"

#include <setjmp.h>

#define MACHINE_START 0x10000000u
#define MACHINE_SIZE (64u << 20)

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};
void test_register(struct test_case *test);

#define TEST(function, title)                                               \
	static void function(void);                                         \
	static struct test_case function##_case = { title, function, NULL }; \
	__attribute__((constructor)) static void function##_add(void)       \
	{                                                                   \
		test_register(&function##_case);                            \
	}                                                                   \
	static void function(void)

_Noreturn void test_fail(const char *file, int line, const char *what);
#define CHECK(condition) \
	((condition) ? (void)0 : test_fail(__FILE__, __LINE__, #condition))

/* Runs a statement that must fault; leaves the kind in `fault_kind`. */
extern jmp_buf fault_target;
extern u32 fault_kind;
extern bool fault_expected;
#define CHECK_FAULT(kind, statement)                                        \
	do {                                                                \
		fault_expected = true;                                      \
		if (setjmp(fault_target) == 0) {                            \
			statement;                                          \
			test_fail(__FILE__, __LINE__, "no fault: " #statement); \
		}                                                           \
		fault_expected = false;                                     \
		CHECK(fault_kind == (kind));                                \
	} while (0)

/* A deterministic stream for stress tests. */
u32 test_random(u32 below);

/* How often each import of the runtime was called. */
extern u32 host_wakes;

#endif
