/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First process of a guest. Mounts what BPF needs, brings up lo, and does what the kernel command
 * line says after "--":
 *
 *   serve             relays requests of the host to /bin/kernel_process
 *   run PROGRAM ...   runs a program on the console
 *   limited PROGRAM ...   the same, with little locked memory and no right to take more
 *
 * The last thing it says on the console is "tapio-guest: exit CODE"; a host that does not read that
 * line takes the run as failed. Then the machine stops.
 *
 * Requests and responses lie in memory shared with the host (an ivshmem device); one byte on the
 * second serial port says that there is a new one. A port alone carries some 300 KB/s.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

#define PORT "/dev/ttyS1"
#define DEVICES "/sys/bus/pci/devices"
/* PCI vendor and device of ivshmem; its memory is the device's third resource. */
#define SHARED_VENDOR "0x1af4"
#define SHARED_DEVICE "0x1110"

/* The start of the shared memory. The host counts requests, we count responses. */
struct shared {
	volatile uint32_t requests;
	volatile uint32_t responses;
	uint32_t padding[14];
	/* u32 length of the rest, then the rest; first the request, then in its place the response. */
	uint8_t message[];
};

static size_t shared_size;

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

static int run(char **arguments)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0) {
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

static struct shared *map_shared_memory(void)
{
	DIR *devices = opendir(DEVICES);
	struct dirent *entry;
	char path[512];
	struct stat info;
	void *memory;
	int fd;

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
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info))
		fail(path);
	shared_size = info.st_size;
	memory = mmap(NULL, shared_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		fail(path);
	closedir(devices);
	close(fd);
	return memory;
}

static int open_port(void)
{
	int fd = open(PORT, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios settings;

	if (fd < 0 || tcgetattr(fd, &settings))
		fail(PORT);
	cfmakeraw(&settings);
	/* QEMU holds a lone byte back for the time of four more at this speed. */
	cfsetspeed(&settings, B115200);
	if (tcsetattr(fd, TCSANOW, &settings))
		fail(PORT);
	return fd;
}

static void transfer(int fd, uint8_t *bytes, size_t size, bool writes)
{
	while (size > 0) {
		ssize_t count = writes ? write(fd, bytes, size) : read(fd, bytes, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			say("tapio-guest: the kernel process ended\n");
			end(124);
		}
		bytes += count;
		size -= count;
	}
}

/* The kernel process opens pipes by the paths that /proc gives them. */
static void start_kernel_process(int *requests, int *responses)
{
	int down[2], up[2];
	char from[32], to[32];

	if (pipe(down) || pipe(up))
		fail("pipe");
	snprintf(from, sizeof(from), "/proc/self/fd/%d", down[0]);
	snprintf(to, sizeof(to), "/proc/self/fd/%d", up[1]);
	switch (fork()) {
	case -1:
		fail("fork");
	case 0:
		close(down[1]);
		close(up[0]);
		execl("/bin/kernel_process", "kernel_process", from, to, (char *)NULL);
		_exit(127);
	}
	close(down[0]);
	close(up[1]);
	*requests = down[1];
	*responses = up[0];
}

static void relay(struct shared *shared, int requests, int responses)
{
	uint32_t length;

	memcpy(&length, shared->message, sizeof(length));
	if (length == 0)
		end(0);
	if (length > shared_size - sizeof(*shared) - sizeof(length)) {
		say("tapio-guest: a request of %u bytes is too large\n", length);
		end(124);
	}
	transfer(requests, shared->message, sizeof(length) + length, true);
	transfer(responses, (uint8_t *)&length, sizeof(length), false);
	if (length > shared_size - sizeof(*shared) - sizeof(length)) {
		say("tapio-guest: a response of %u bytes is too large\n", length);
		end(124);
	}
	memcpy(shared->message, &length, sizeof(length));
	transfer(responses, shared->message + sizeof(length), length, false);
}

/* The port interrupts CPU 0; waking a process there needs no message between emulated CPUs. */
static void stay_on_one_cpu(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		fail("sched_setaffinity");
}

_Noreturn static void serve(void)
{
	struct shared *shared = map_shared_memory();
	int port = open_port(), requests, responses;
	struct utsname names;
	uint8_t bell;

	stay_on_one_cpu();
	start_kernel_process(&requests, &responses);
	uname(&names);
	say("\ntapio-guest: ready %s %ld\n", names.release, sysconf(_SC_NPROCESSORS_CONF));
	for (;;) {
		transfer(port, &bell, 1, false);
		relay(shared, requests, responses);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		shared->responses = shared->requests;
		transfer(port, &bell, 1, true);
	}
}

_Noreturn static void usage(void)
{
	say("tapio-guest: the command line must end in \"-- serve\", \"-- run PROGRAM\" or "
	    "\"-- limited PROGRAM\"\n");
	end(2);
}

int main(int argc, char **argv)
{
	prepare();
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve();
	if (argc >= 3 && strcmp(argv[1], "limited") == 0)
		limit_locked_memory();
	else if (argc < 3 || strcmp(argv[1], "run") != 0)
		usage();
	end(run(argv + 2));
}
