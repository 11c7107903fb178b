/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs bare eBPF programs on the running kernel: one request a line on standard input, one answer a
 * line on standard output.
 *
 *   request   MEMORY PROGRAM CONSTANTS      hex bytes each, "-" for none
 *   answer    ok BITS 0xR0 | refused ERRNO LAST-LINE-OF-THE-LOG | failed WHAT ERRNO
 *
 * The program becomes a local function of a wrapper that passes it memory and length as r1 and r2 and
 * saves all 64 bits of r0 in a map (BPF_PROG_TEST_RUN itself returns 32). The wrapper needs a frame: a
 * program that is too deep with it, and has no memory, runs without it, for 32 bits of r0.
 *
 * The verifier knows nothing about the contents of the memory, nor of CONSTANTS, which the program
 * reaches with LDDW instructions of source 2: descriptor 0, and the offset into CONSTANTS.
 *
 * Needs root, Linux 5.14 (program type syscall). Leaves nothing behind.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRAPPER_SLOTS 9
#define LOG_BYTES (1 << 20)

struct request {
	unsigned char *memory, *program, *constants;
	size_t memory_length, program_length, constants_length;
};

static char verifier_log[LOG_BYTES];

static bool parse_hex(const char *text, unsigned char **bytes, size_t *length)
{
	size_t digits = strcmp(text, "-") == 0 ? 0 : strlen(text);
	unsigned int byte;

	if (digits % 2 != 0)
		return false;
	*length = digits / 2;
	*bytes = calloc(1, *length + 1);
	for (size_t i = 0; i < *length; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		(*bytes)[i] = byte;
	}
	return true;
}

static bool parse_request(char *line, struct request *request)
{
	char *memory = strtok(line, " \n");
	char *program = strtok(NULL, " \n");
	char *constants = strtok(NULL, " \n");

	memset(request, 0, sizeof(*request));
	return memory && program && constants &&
	       parse_hex(memory, &request->memory, &request->memory_length) &&
	       parse_hex(program, &request->program, &request->program_length) &&
	       parse_hex(constants, &request->constants, &request->constants_length);
}

static void load_map_value(struct bpf_insn *slots, int reg, int map, int offset)
{
	slots[0] = (struct bpf_insn){
		.code = BPF_LD | BPF_IMM | BPF_DW,
		.dst_reg = reg,
		.src_reg = BPF_PSEUDO_MAP_VALUE,
		.imm = map,
	};
	slots[1] = (struct bpf_insn){ .imm = offset };
}

/* The wrapper, then the program with its references to CONSTANTS resolved. */
static struct bpf_insn *wrap(const struct request *request, int memory, int result, size_t *count)
{
	size_t program = request->program_length / sizeof(struct bpf_insn);
	struct bpf_insn *slots = calloc(WRAPPER_SLOTS + program, sizeof(*slots));

	if (request->memory_length > 0)
		load_map_value(slots, BPF_REG_1, memory, 0);
	else
		slots[0] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1 };
	slots[2] = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_K,
		.dst_reg = BPF_REG_2,
		.imm = request->memory_length,
	};
	slots[3] = (struct bpf_insn){
		.code = BPF_JMP | BPF_CALL,
		.src_reg = BPF_PSEUDO_CALL,
		.imm = WRAPPER_SLOTS - 4,
	};
	load_map_value(slots + 4, BPF_REG_1, result, 0);
	slots[6] = (struct bpf_insn){
		.code = BPF_STX | BPF_MEM | BPF_DW,
		.dst_reg = BPF_REG_1,
		.src_reg = BPF_REG_0,
	};
	slots[7] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	slots[8] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	memcpy(slots + WRAPPER_SLOTS, request->program, program * sizeof(*slots));
	for (size_t i = WRAPPER_SLOTS; i + 1 < WRAPPER_SLOTS + program; i++) {
		if (slots[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (slots[i].src_reg == BPF_PSEUDO_MAP_VALUE && slots[i].imm == 0) {
			slots[i].imm = memory;
			slots[i + 1].imm += request->memory_length;
		}
		i++;
	}
	*count = WRAPPER_SLOTS + program;
	return slots;
}

/* The last line of the log that is not the statistics. */
static const char *last_line(void)
{
	char *end;
	char *statistics = strstr(verifier_log, "processed ");

	if (statistics != NULL)
		*statistics = '\0';
	for (;;) {
		end = strrchr(verifier_log, '\n');
		if (end == NULL)
			return verifier_log;
		if (end[1] != '\0')
			return end + 1;
		*end = '\0';
	}
}

static int load(const struct bpf_insn *slots, size_t count, bool with_log)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);

	verifier_log[0] = '\0';
	if (with_log) {
		options.log_level = 1;
		options.log_buf = verifier_log;
		options.log_size = sizeof(verifier_log);
	}
	return bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "isa_case", "GPL", slots, count, &options);
}

static bool too_deep_for_wrapper(const struct request *request)
{
	return request->memory_length == 0 && request->constants_length == 0 &&
	       (strstr(verifier_log, "the call stack of 9 frames") != NULL ||
		strstr(verifier_log, "combined stack size") != NULL);
}

/* Map of one value with these bytes (zeroes for NULL), or -1 and errno. */
static int create_map(const void *bytes, size_t length)
{
	uint32_t key = 0;
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "isa_case", sizeof(key), length, 1, NULL);

	if (map >= 0 && bytes != NULL && bpf_map_update_elem(map, &key, bytes, 0) != 0) {
		close(map);
		return -1;
	}
	return map;
}

static void run(int program, int result, bool wrapped)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	uint32_t key = 0;
	uint64_t r0;

	if (bpf_prog_test_run_opts(program, &options) != 0 ||
	    bpf_map_lookup_elem(result, &key, &r0) != 0)
		printf("failed run %d\n", errno);
	else if (wrapped)
		printf("ok 64 0x%llx\n", (unsigned long long)r0);
	else
		printf("ok 32 0x%x\n", options.retval);
}

static void answer_with_maps(const struct request *request, int memory, int result)
{
	size_t count;
	struct bpf_insn *slots = wrap(request, memory, result, &count);
	bool wrapped = true;
	int program = load(slots, count, false);

	if (program < 0)
		program = load(slots, count, true);
	if (program < 0 && too_deep_for_wrapper(request)) {
		wrapped = false;
		program = load(slots + WRAPPER_SLOTS, count - WRAPPER_SLOTS, true);
	}
	if (program < 0) {
		int error = errno;

		printf("refused %d %s\n", error, last_line());
	} else {
		run(program, result, wrapped);
		close(program);
	}
	free(slots);
}

static void answer(const struct request *request)
{
	size_t length = request->memory_length + request->constants_length;
	unsigned char *bytes = calloc(1, length + 1);
	int memory, result;

	memcpy(bytes, request->memory, request->memory_length);
	memcpy(bytes + request->memory_length, request->constants, request->constants_length);
	memory = create_map(bytes, length > 0 ? length : 1);
	result = create_map(NULL, sizeof(uint64_t));
	if (memory < 0 || result < 0)
		printf("failed map %d\n", errno);
	else
		answer_with_maps(request, memory, result);
	if (memory >= 0)
		close(memory);
	if (result >= 0)
		close(result);
	free(bytes);
}

int main(void)
{
	char *line = NULL;
	size_t capacity = 0;

	while (getline(&line, &capacity, stdin) > 0) {
		struct request request;

		if (parse_request(line, &request))
			answer(&request);
		else
			printf("failed request 0\n");
		free(request.memory);
		free(request.program);
		free(request.constants);
		fflush(stdout);
	}
	free(line);
	return 0;
}
