// SPDX-License-Identifier: Apache-2.0
/* The registry of programs. A handle plays the part of a program's file descriptor. */
#include "program.h"

#define PROGRAMS_MAX 4096

static struct rt_program *programs[PROGRAMS_MAX]; /* programs[handle - 1] */
struct rt_program *rt_programs_doomed;

struct rt_program *rt_program_from_handle(u32 handle)
{
	struct rt_program *program;

	if (handle == 0 || handle > PROGRAMS_MAX)
		return NULL;
	program = programs[handle - 1];
	return program == NULL || program->references == 0 ? NULL : program;
}

/*
 * A program without code: an engine gives it an entry function. Returns its handle, or -ENOMEM.
 * Handles are the lowest free ones, so that replays see equal handles.
 */
RT_EXPORT(program_create) s32 program_create(u32 context_size)
{
	struct rt_program *program;
	u32 index;

	for (index = 0; index < PROGRAMS_MAX && programs[index] != NULL; index++)
		;
	if (index == PROGRAMS_MAX)
		return -ENOMEM;
	program = rt_alloc(sizeof(*program));
	if (program == NULL)
		return -ENOMEM;
	program->magic = RT_PROGRAM_MAGIC;
	program->handle = index + 1;
	program->references = 1;
	program->context_size = context_size;
	programs[index] = program;
	return (s32)program->handle;
}

/* Where the program lies; for engines that set its entry function from the host. */
RT_EXPORT(program_address) struct rt_program *program_address(u32 handle)
{
	return rt_program_from_handle(handle);
}

static void program_free(struct rt_program *program)
{
	if (program->destroy != NULL)
		program->destroy(program);
	rt_program_maps_put(program);
	programs[program->handle - 1] = NULL;
	program->magic = 0;
	rt_free(program);
}

void rt_program_put(struct rt_program *program)
{
	if (--program->references != 0)
		return;
	program->next_doomed = rt_programs_doomed;
	rt_programs_doomed = program;
	if (rt_program_current() == NULL)
		rt_programs_reap();
}

void rt_programs_reap(void)
{
	while (rt_programs_doomed != NULL) {
		struct rt_program *program = rt_programs_doomed;

		rt_programs_doomed = program->next_doomed;
		program_free(program);
	}
}

/* Drops the handle's reference: the program stays callable while a program array holds it. */
RT_EXPORT(program_put) void program_put(u32 handle)
{
	struct rt_program *program = rt_program_from_handle(handle);

	if (program != NULL)
		rt_program_put(program);
}
