/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First process of a guest. Mounts what BPF needs, brings up lo, and does what the kernel command
 * line says after "--":
 *
 *   serve             lets /bin/kernel_process answer requests of the host
 *   run PROGRAM ...       runs a program on the console
 *   limited PROGRAM ...   the same, with little locked memory and no right to take more
 *   locked PROGRAM ...    the same, after the kernel has been locked down for good
 *
 * More commands follow after the word "then". Each ends with a line "tapio-guest: MODE ended with CODE".
 * The last thing it says on the console is "tapio-guest: exit CODE"; a host that does not read that
 * line takes the run as failed. Then the machine stops.
 *
 * Requests and responses lie in memory shared with the host (an ivshmem device).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"
#define LOCKDOWN_FOLDER "/sys/kernel/security"
/* PCI vendor and device of ivshmem; its memory is the device's third resource. */
#define SHARED_VENDOR "0x1af4"
#define SHARED_DEVICE "0x1110"

static void say(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(line) - 1)
		length = sizeof(line) - 1;
	while (write(STDOUT_FILENO, line, length) < 0 && errno == EINTR)
		;
}

_Noreturn static void end(int code)
{
	say("\ntapio-guest: exit %d\n", code);
	tcdrain(STDOUT_FILENO);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

_Noreturn static void fail(const char *what)
{
	say("tapio-guest: %s: %s\n", what, strerror(errno));
	end(125);
}

static void mount_on(const char *type, const char *path)
{
	mkdir(path, 0755);
	/* The kernel mounts /dev itself where it is built to. */
	if (mount(type, path, type, 0, NULL) && errno != EBUSY)
		fail(path);
}

static void bring_up_lo(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		fail("lo");
	close(fd);
}

static void prepare(void)
{
	mount_on("devtmpfs", "/dev");
	mount_on("proc", "/proc");
	mount_on("sysfs", "/sys");
	mount_on("tmpfs", "/tmp");
	mount_on("tracefs", "/sys/kernel/tracing");
	mount_on("bpf", "/sys/fs/bpf");
	mount_on("cgroup2", "/sys/fs/cgroup");
	bring_up_lo();
	signal(SIGPIPE, SIG_IGN);
}

/* ---- programs -------------------------------------------------------------------------------- */

static int wait_for(pid_t child)
{
	int status;

	/* Orphans of the guest become our children too. */
	for (;;) {
		pid_t ended = wait(&status);

		if (ended < 0 && errno != EINTR)
			fail("wait");
		if (ended == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

/* What containers of old are left with. */
static void limit_locked_memory(void)
{
	const struct rlimit little = { 64 << 10, 64 << 10 };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (setrlimit(RLIMIT_MEMLOCK, &little) || prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE) ||
	    syscall(SYS_capget, &header, sets))
		fail("limits");
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		const __u32 dropped = i == CAP_TO_INDEX(CAP_SYS_RESOURCE) ?
					      CAP_TO_MASK(CAP_SYS_RESOURCE) :
					      0;

		sets[i].effective &= ~dropped;
		sets[i].permitted &= ~dropped;
		sets[i].inheritable &= ~dropped;
	}
	if (syscall(SYS_capset, &header, sets))
		fail("capset");
}

static void lock_down(void)
{
	static const char mode[] = "confidentiality";
	int fd;

	mount_on("securityfs", LOCKDOWN_FOLDER);
	fd = open(LOCKDOWN_FOLDER "/lockdown", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, mode, strlen(mode)) != (ssize_t)strlen(mode))
		fail("lockdown");
	close(fd);
	/* As in containers: nobody can look the mode up. */
	umount(LOCKDOWN_FOLDER);
}

static bool is_mode(const char *mode)
{
	return strcmp(mode, "run") == 0 || strcmp(mode, "limited") == 0 ||
	       strcmp(mode, "locked") == 0;
}

static int run(const char *mode, char **arguments)
{
	pid_t child;

	if (strcmp(mode, "locked") == 0)
		lock_down();
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		if (strcmp(mode, "limited") == 0)
			limit_locked_memory();
		setsid();
		setenv("TAPIO_GUEST", "1", 1);
		execv(arguments[0], arguments);
		say("tapio-guest: %s: %s\n", arguments[0], strerror(errno));
		_exit(127);
	}
	return wait_for(child);
}

/* ---- the server ------------------------------------------------------------------------------ */

static bool file_says(const char *device, const char *file, const char *expected)
{
	char path[512], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strncmp(text, expected, strlen(expected)) == 0;
}

static void enable(const char *device)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/enable", device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		fail(path);
	close(fd);
}

/* Path of the file that is the memory shared with the host. */
static const char *shared_memory(void)
{
	static char path[512];
	DIR *devices = opendir(DEVICES);
	struct dirent *entry;

	if (!devices)
		fail(DEVICES);
	while ((entry = readdir(devices)))
		if (file_says(entry->d_name, "vendor", SHARED_VENDOR) &&
		    file_says(entry->d_name, "device", SHARED_DEVICE))
			break;
	if (!entry) {
		errno = ENODEV;
		fail("memory shared with the host");
	}
	enable(entry->d_name);
	snprintf(path, sizeof(path), DEVICES "/%s/resource2", entry->d_name);
	closedir(devices);
	return path;
}

_Noreturn static void serve(void)
{
	char *program[] = { "/bin/kernel_process", (char *)shared_memory(), NULL };
	struct utsname names;

	uname(&names);
	say("\ntapio-guest: ready %s %ld\n", names.release, sysconf(_SC_NPROCESSORS_CONF));
	end(run("run", program));
}

_Noreturn static void usage(void)
{
	say("tapio-guest: the command line must end in \"-- serve\" or in \"-- MODE PROGRAM\", where MODE is "
	    "run, limited or locked; more commands may follow after \"then\"\n");
	end(2);
}

/* Runs commands one after another; answers the last one's exit code. */
static int run_all(char **words)
{
	int code = 0;

	while (*words) {
		char *mode = *words++;
		char **program = words;

		while (*words && strcmp(*words, "then") != 0)
			words++;
		if (!is_mode(mode) || words == program)
			usage();
		if (*words)
			*words++ = NULL;
		code = run(mode, program);
		say("\ntapio-guest: %s ended with %d\n", mode, code);
	}
	return code;
}

int main(int argc, char **argv)
{
	prepare();
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve();
	if (argc < 3)
		usage();
	end(run_all(argv + 1));
}
