// SPDX-License-Identifier: Apache-2.0
/*
 * What libbpf makes of an object, without a kernel: the oracle of the loader's tests.
 *
 * Usage: libbpf_link OBJECT TARGET_BTF. Prints one line for each map and each program that loads:
 *
 *   map NAME KERNEL_FD TYPE KEY_SIZE VALUE_SIZE MAX_ENTRIES FLAGS KEY_TYPE VALUE_TYPE INITIAL_HEX
 *   program NAME INSTRUCTIONS_HEX
 *
 * bpf() is answered here: every creation succeeds with a descriptor of /dev/null, so that libbpf
 * goes through relocation and linking as it would before a real load. Warnings go to stderr.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long answer_bpf(int command)
{
	switch (command) {
	case BPF_MAP_CREATE:
	case BPF_PROG_LOAD:
	case BPF_BTF_LOAD:
	case BPF_LINK_CREATE:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case BPF_OBJ_GET_INFO_BY_FD:
		errno = EINVAL;
		return -1;
	default:
		return 0;
	}
}

/* Takes the place of libc's for libbpf, which reaches the kernel through it alone. */
long syscall(long number, ...)
{
	long argument[6];
	va_list arguments;
	long result;

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_bpf)
		return answer_bpf(argument[0]);
#if defined(__x86_64__)
	register long r10 __asm__("r10") = argument[3];
	register long r8 __asm__("r8") = argument[4];
	register long r9 __asm__("r9") = argument[5];
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(argument[0]), "S"(argument[1]), "d"(argument[2]), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = argument[0];
	register long x1 __asm__("x1") = argument[1];
	register long x2 __asm__("x2") = argument[2];
	register long x3 __asm__("x3") = argument[3];
	register long x4 __asm__("x4") = argument[4];
	register long x5 __asm__("x5") = argument[5];
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	result = x0;
#else
#error "no system call for this architecture"
#endif
	if (result < 0 && result > -4096) {
		errno = -result;
		return -1;
	}
	return result;
}

static int print_warnings(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static void print_hex(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", ((const unsigned char *)bytes)[i]);
	if (size == 0)
		printf("-");
}

static int refused(void)
{
	fprintf(stderr, "libbpf refuses the object: %s\n", strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	struct bpf_program *program;
	struct bpf_object *object;
	struct bpf_map *map;
	size_t size;

	if (argc != 3) {
		fprintf(stderr, "usage: libbpf_link OBJECT TARGET_BTF\n");
		return 2;
	}
	libbpf_set_print(print_warnings);
	options.btf_custom_path = argv[2];
	object = bpf_object__open_file(argv[1], &options);
	if (!object)
		return refused();
	bpf_object__for_each_map(map, object)
		bpf_map__set_pin_path(map, NULL);
	if (bpf_object__load(object))
		return refused();
	bpf_object__for_each_map(map, object) {
		const void *initial = bpf_map__initial_value(map, &size);

		printf("map %s %d %u %u %u %u %u %u %u ", bpf_map__name(map), bpf_map__fd(map),
		       bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map),
		       bpf_map__max_entries(map), bpf_map__map_flags(map), bpf_map__btf_key_type_id(map),
		       bpf_map__btf_value_type_id(map));
		print_hex(initial, initial ? size : 0);
		printf("\n");
	}
	bpf_object__for_each_program(program, object) {
		if (!bpf_program__autoload(program) || bpf_program__fd(program) < 0)
			continue;
		printf("program %s ", bpf_program__name(program));
		print_hex(bpf_program__insns(program), bpf_program__insn_cnt(program) * 8);
		printf("\n");
	}
	bpf_object__close(object);
	return 0;
}
