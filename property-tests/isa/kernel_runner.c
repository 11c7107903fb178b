/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs bare eBPF programs on the running kernel: one request a line on standard input, one answer a
 * line on standard output.
 *
 *   request   MEMORY PROGRAM CONSTANTS      hex bytes each, "-" for none
 *   answer    ok BITS 0xR0 | refused ERRNO LAST-LINE-OF-THE-LOG | failed WHAT ERRNO
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare_program.h"

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

static bool parse_request(char *line, struct bare_request *request)
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

static void print_answer(const struct bare_answer *answer)
{
	switch (answer->kind) {
	case BARE_RAN:
		printf("ok %d 0x%llx\n", answer->bits, (unsigned long long)answer->r0);
		break;
	case BARE_REFUSED:
		printf("refused %d %s\n", answer->error, answer->text);
		break;
	case BARE_FAILED:
		printf("failed %s %d\n", answer->text, answer->error);
		break;
	}
}

int main(void)
{
	char *line = NULL;
	size_t capacity = 0;

	while (getline(&line, &capacity, stdin) > 0) {
		struct bare_request request;

		if (parse_request(line, &request)) {
			struct bare_answer answer = bare_run(&request);

			print_answer(&answer);
		} else {
			printf("failed request 0\n");
		}
		free(request.memory);
		free(request.program);
		free(request.constants);
		fflush(stdout);
	}
	free(line);
	return 0;
}
