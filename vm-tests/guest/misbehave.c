/* SPDX-License-Identifier: Apache-2.0 */
/* Ends in the ways that the harness has to notice. usage: misbehave exit CODE|panic|hang|silent */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static void panic(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0 || write(fd, "c", 1) != 1)
		perror("/proc/sysrq-trigger");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (argc > 2 && strcmp(how, "exit") == 0)
		return atoi(argv[2]);
	if (strcmp(how, "panic") == 0)
		panic();
	if (strcmp(how, "hang") == 0)
		for (;;)
			pause();
	/* The machine stops before the first process can say anything. */
	if (strcmp(how, "silent") == 0)
		reboot(RB_AUTOBOOT);
	return 99;
}
