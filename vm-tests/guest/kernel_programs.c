/* SPDX-License-Identifier: Apache-2.0 */
/* Objects, their programs and links, through libbpf. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel_process.h"

#define OBJECTS_MAX 64
#define LINKS_MAX 64
#define LOG_BYTES 16384
#define LINE_BYTES 512

static struct bpf_object *objects[OBJECTS_MAX];
static struct bpf_link *links[LINKS_MAX];
static char log_text[LOG_BYTES];
static u32 log_length;

static int keep_log(enum libbpf_print_level level, const char *format, va_list arguments)
{
	int count;

	if (level == LIBBPF_DEBUG || log_length >= LOG_BYTES - 1)
		return 0;
	count = vsnprintf(log_text + log_length, LOG_BYTES - log_length, format, arguments);
	if (count > 0)
		log_length += count;
	if (log_length > LOG_BYTES - 1)
		log_length = LOG_BYTES - 1;
	return count;
}

static const char *take_string(void)
{
	u32 size;
	u8 *bytes = take_block(&size);

	if (!bytes || bytes[size - 1] != '\0')
		die("a name does not end");
	return (const char *)bytes;
}

static void add_line(const char *line)
{
	u32 length = strlen(line);

	memcpy(add_space(length), line, length);
}

/* max_entries of maps by name, then the programs to load by name (none: all). */
static s32 configure(struct bpf_object *object)
{
	struct bpf_program *program;
	u32 overrides = take_u32(), wanted;

	while (overrides-- > 0) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, take_string());

		if (!map || bpf_map__set_max_entries(map, take_u32()))
			return -ENOENT;
	}
	wanted = take_u32();
	if (wanted == 0)
		return 0;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, false);
	while (wanted-- > 0) {
		program = bpf_object__find_program_by_name(object, take_string());
		if (!program)
			return -ENOENT;
		bpf_program__set_autoload(program, true);
	}
	return 0;
}

static void describe(const struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map;
	char line[LINE_BYTES];

	bpf_object__for_each_map(map, object) {
		snprintf(line, sizeof(line), "map %s %d %u %u %u %u %u\n", bpf_map__name(map),
			 bpf_map__fd(map), bpf_map__type(map), bpf_map__key_size(map),
			 bpf_map__value_size(map), bpf_map__max_entries(map),
			 bpf_map__map_flags(map));
		add_line(line);
	}
	bpf_object__for_each_program(program, object) {
		if (!bpf_program__autoload(program))
			continue;
		snprintf(line, sizeof(line), "program %s %d %s\n", bpf_program__name(program),
			 bpf_program__fd(program), bpf_program__section_name(program));
		add_line(line);
	}
}

static s32 free_slot(void)
{
	for (s32 slot = 0; slot < OBJECTS_MAX; slot++)
		if (!objects[slot])
			return slot;
	die("more than 64 objects are open");
}

s32 open_object(void)
{
	s32 slot = free_slot(), error;
	struct bpf_object *object;
	u32 size;
	u8 *bytes = take_block(&size);

	libbpf_set_print(keep_log);
	log_length = 0;
	log_text[0] = '\0';
	object = bpf_object__open_mem(bytes, size, NULL);
	if (!object)
		return -errno;
	error = configure(object);
	if (error == 0)
		error = bpf_object__load(object);
	if (error) {
		bpf_object__close(object);
		add_line(log_text);
		return error;
	}
	objects[slot] = object;
	describe(object);
	return slot;
}

s32 close_object(void)
{
	u32 slot = take_u32();

	if (slot >= OBJECTS_MAX || !objects[slot])
		return -EBADF;
	bpf_object__close(objects[slot]);
	objects[slot] = NULL;
	return 0;
}

s32 attach_program(void)
{
	u32 object = take_u32();
	const char *name = take_string();
	struct bpf_program *program;
	u32 slot;

	for (slot = 0; slot < LINKS_MAX && links[slot]; slot++)
		;
	if (slot == LINKS_MAX)
		die("more than 64 links are open");
	if (object >= OBJECTS_MAX || !objects[object])
		return -EBADF;
	program = bpf_object__find_program_by_name(objects[object], name);
	if (!program)
		return -ENOENT;
	log_length = 0;
	log_text[0] = '\0';
	links[slot] = bpf_program__attach(program);
	if (links[slot])
		return slot;
	slot = errno;
	add_line(log_text);
	return -slot;
}

s32 detach_program(void)
{
	u32 slot = take_u32();
	s32 error;

	if (slot >= LINKS_MAX || !links[slot])
		return -EBADF;
	error = bpf_link__destroy(links[slot]);
	links[slot] = NULL;
	return error;
}

s32 run_program(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	u32 fd = take_u32(), has_cpu = take_u32(), cpu = take_u32(), context_size;
	s32 error;

	options.ctx_in = take_block(&context_size);
	options.ctx_size_in = context_size;
	if (has_cpu) {
		options.flags = BPF_F_TEST_RUN_ON_CPU;
		options.cpu = cpu;
	}
	error = bpf_prog_test_run_opts(fd, &options);
	memcpy(add_space(sizeof(options.retval)), &options.retval, sizeof(options.retval));
	return error;
}
