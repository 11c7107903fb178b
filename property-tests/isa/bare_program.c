/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps, loads and runs one bare program; see bare_program.h. */
#include "bare_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRAPPER_SLOTS 9
#define LOG_BYTES (1 << 20)

static char verifier_log[LOG_BYTES];

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
static struct bpf_insn *wrap(const struct bare_request *request, int memory, int result, size_t *count)
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

/* Sleepable system call programs may use the most; before Linux 5.14 there are none. */
static bool have_syscall_programs(void)
{
	static int answer = -1;

	if (answer < 0)
		answer = libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SYSCALL, NULL) == 1;
	return answer;
}

static int load(const struct bpf_insn *slots, size_t count, bool with_log)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options);
	enum bpf_prog_type type = BPF_PROG_TYPE_RAW_TRACEPOINT;

	if (have_syscall_programs()) {
		type = BPF_PROG_TYPE_SYSCALL;
		options.prog_flags = BPF_F_SLEEPABLE;
	}
	verifier_log[0] = '\0';
	if (with_log) {
		options.log_level = 1;
		options.log_buf = verifier_log;
		options.log_size = sizeof(verifier_log);
	}
	return bpf_prog_load(type, "isa_case", "GPL", slots, count, &options);
}

static bool too_deep_for_wrapper(const struct bare_request *request)
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

static struct bare_answer run(int program, int result, bool wrapped)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	struct bare_answer answer = { .kind = BARE_RAN, .bits = wrapped ? 64 : 32 };
	uint32_t key = 0;

	if (bpf_prog_test_run_opts(program, &options) != 0 ||
	    bpf_map_lookup_elem(result, &key, &answer.r0) != 0)
		return (struct bare_answer){ .kind = BARE_FAILED, .error = errno, .text = "run" };
	if (!wrapped)
		answer.r0 = options.retval;
	return answer;
}

static struct bare_answer run_with_maps(const struct bare_request *request, int memory, int result)
{
	size_t count;
	struct bpf_insn *slots = wrap(request, memory, result, &count);
	struct bare_answer answer;
	bool wrapped = true;
	int program = load(slots, count, false);

	if (program < 0)
		program = load(slots, count, true);
	if (program < 0 && too_deep_for_wrapper(request)) {
		wrapped = false;
		program = load(slots + WRAPPER_SLOTS, count - WRAPPER_SLOTS, true);
	}
	if (program < 0) {
		answer = (struct bare_answer){ .kind = BARE_REFUSED, .error = errno };
		answer.text = last_line();
	} else {
		answer = run(program, result, wrapped);
		close(program);
	}
	free(slots);
	return answer;
}

struct bare_answer bare_run(const struct bare_request *request)
{
	size_t length = request->memory_length + request->constants_length;
	struct bare_answer answer = { .kind = BARE_FAILED, .text = "map" };
	unsigned char *bytes = calloc(1, length + 1);
	int memory, result;

	if (request->memory_length > 0)
		memcpy(bytes, request->memory, request->memory_length);
	if (request->constants_length > 0)
		memcpy(bytes + request->memory_length, request->constants,
		       request->constants_length);
	memory = create_map(bytes, length > 0 ? length : 1);
	result = create_map(NULL, sizeof(uint64_t));
	answer.error = errno;
	if (memory >= 0 && result >= 0)
		answer = run_with_maps(request, memory, result);
	if (memory >= 0)
		close(memory);
	if (result >= 0)
		close(result);
	free(bytes);
	return answer;
}
