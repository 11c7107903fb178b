// SPDX-License-Identifier: Apache-2.0
/* uBPF names what a JIT needs even where it has none; nothing here is ever called. */
#include "ubpf_int.h"

struct ubpf_jit_result ubpf_translate_null(struct ubpf_vm *vm, uint8_t *buffer, size_t *size,
					   enum JitMode mode)
{
	(void)vm, (void)buffer, (void)size, (void)mode;
	return (struct ubpf_jit_result){ .compile_result = UBPF_JIT_COMPILE_FAILURE };
}

/* The C library's would drag in its own allocator. */
int munmap(void *address, size_t length)
{
	(void)address, (void)length;
	return -1;
}

int mprotect(void *address, size_t length, int protection)
{
	(void)address, (void)length, (void)protection;
	return -1;
}
