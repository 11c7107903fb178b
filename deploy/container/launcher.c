// SPDX-License-Identifier: Apache-2.0
/*
 * Starts tapio-bpf in a container as a user other than root, keeping what the container was granted.
 *
 * An engine's --cap-add reaches only root: for another user the kernel drops capabilities at exec.
 * This file carries file capabilities that are permitted but not effective, so that it starts in a
 * container that was granted none of them; it hands those that were granted on as ambient ones.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODE "/usr/local/bin/node"
#define MAIN "/opt/tapio-bpf/cli/main.ts"
#define ARGUMENTS_MAX 256

/* What collectors use: to load, to trace, the fallback for both, and to read tracefs. */
static const int wanted[] = { CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH };

/* Makes every permitted capability of the list ambient. Returns 0, or -1 with errno set. */
static int keep_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &header, data))
		return -1;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct __user_cap_data_struct *word = &data[CAP_TO_INDEX(wanted[i])];

		/* Ambient capabilities have to be inheritable. */
		word->inheritable |= word->permitted & CAP_TO_MASK(wanted[i]);
	}
	if (syscall(SYS_capset, &header, data))
		return -1;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!(data[CAP_TO_INDEX(wanted[i])].permitted & CAP_TO_MASK(wanted[i])))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0))
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	char *arguments[ARGUMENTS_MAX + 4] = { "node", "--disable-warning=ExperimentalWarning", MAIN };

	if (argc > ARGUMENTS_MAX) {
		fprintf(stderr, "tapio-bpf: more than %d arguments\n", ARGUMENTS_MAX);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		arguments[2 + i] = argv[i];
	if (geteuid() != 0 && keep_capabilities())
		fprintf(stderr, "tapio-bpf: capabilities cannot be kept: %s\n", strerror(errno));
	execv(NODE, arguments);
	fprintf(stderr, "tapio-bpf: %s: %s\n", NODE, strerror(errno));
	return 1;
}
