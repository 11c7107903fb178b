/* SPDX-License-Identifier: Apache-2.0 */
/* Bare programs: the same code as property-tests/isa/kernel_runner.c. */
#include <string.h>

#include "../../property-tests/isa/bare_program.h"
#include "kernel_process.h"

static size_t take_into(unsigned char **bytes)
{
	u32 size;

	*bytes = take_block(&size);
	return size;
}

static void add_u32(u32 value)
{
	memcpy(add_space(sizeof(value)), &value, sizeof(value));
}

s32 run_bare(void)
{
	struct bare_request request = {};
	struct bare_answer answer;

	request.memory_length = take_into(&request.memory);
	request.program_length = take_into(&request.program);
	answer = bare_run(&request);
	add_u32(answer.bits);
	add_u32(answer.error);
	memcpy(add_space(sizeof(answer.r0)), &answer.r0, sizeof(answer.r0));
	if (answer.text)
		memcpy(add_space(strlen(answer.text)), answer.text, strlen(answer.text));
	return answer.kind;
}
