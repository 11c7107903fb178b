// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include "fault.h"
#include "init.h"
#include "ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

jmp_buf fault_target;
u32 fault_kind;
bool fault_expected;
u32 host_wakes;

static struct test_case *first_case;
static u64 random_state = 0x9e3779b97f4a7c15ull;

struct rt_fault_record *rt_fault_record_address(void);

/* ---- imports of the runtime ----------------------------------------------------------------- */

_Noreturn void host_fault(void)
{
	fault_kind = rt_fault_record_address()->kind;
	if (!fault_expected)
		test_fail(__FILE__, __LINE__, "unexpected fault");
	longjmp(fault_target, 1);
}

void host_preempt(void)
{
}

void host_print(const char *text, u32 length)
{
	(void)text, (void)length;
}

void host_wake(struct rt_ring *ring)
{
	(void)ring;
	host_wakes++;
}

/* ---- cases ---------------------------------------------------------------------------------- */

void test_register(struct test_case *test)
{
	struct test_case **last = &first_case;

	while (*last != NULL)
		last = &(*last)->next;
	*last = test;
}

void test_fail(const char *file, int line, const char *what)
{
	printf("%s:%d: %s\n", file, line, what);
	fflush(stdout);
	_exit(1);
}

u32 test_random(u32 below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)((random_state >> 33) % below);
}

static void start_machine(void)
{
	u8 *memory = mmap((void *)(uintptr_t)MACHINE_START, MACHINE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(memory == (u8 *)(uintptr_t)MACHINE_START);
	/* The shadow covers the addresses below the machine too, which lie outside any memory. */
	CHECK(rt_machine_init(memory, memory + MACHINE_SIZE, 4, 1) == 0);
}

/* Prints "ok NAME" or "not ok NAME" for every case; the exit status says whether all are fine. */
int main(void)
{
	int failures = 0;

	for (struct test_case *test = first_case; test != NULL; test = test->next) {
		pid_t child = fork();
		int status = 1;

		if (child == 0) {
			start_machine();
			test->run();
			fflush(stdout);
			exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			status = 1;
		failures += status != 0;
		printf("%s %s\n", status == 0 ? "ok" : "not ok", test->name);
		fflush(stdout);
	}
	return failures != 0;
}
