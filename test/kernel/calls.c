// SPDX-License-Identifier: Apache-2.0
/*
 * Waits for its standard input to end, then makes system calls whose number or result is a corner: failing, unknown, with
 * bits beyond the number's 32, ended by a signal, of the 32-bit interface.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define GETPID_32BIT 20

static void on_alarm(int number)
{
	(void)number;
}

static void call_with_high_bits(void)
{
	long result = SYS_getppid | 0x100000000L;

	__asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
}

static void call_through_32bit_gate(void)
{
	long result = GETPID_32BIT;

	__asm__ volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory");
}

int main(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 2000}};
	struct sigaction action = {.sa_handler = on_alarm};
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (int i = 0; i < 200; i++) {
		close(open("/proc/self/stat", O_RDONLY));
		open("/absent", O_RDONLY);
		close(-1);
		syscall(SYS_getppid);
		syscall(1000);
		syscall(-1L);
		call_with_high_bits();
	}
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	pause();
	/* Last: a kernel without that interface kills the process. */
	call_through_32bit_gate();
	return EXIT_SUCCESS;
}
