// SPDX-License-Identifier: Apache-2.0
/* Counters of a program for the host; doubles, exact to 2^53. */
#include "program.h"

RT_EXPORT(program_run_count) double program_run_count(u32 handle)
{
	struct rt_program *program = rt_program_from_handle(handle);

	return program ? (double)program->run_count : 0;
}

RT_EXPORT(program_recursion_misses) double program_recursion_misses(u32 handle)
{
	struct rt_program *program = rt_program_from_handle(handle);

	return program ? (double)program->recursion_misses : 0;
}
