// SPDX-License-Identifier: Apache-2.0
/* uBPF names a translator even where it has none. */
#include "ubpf_int.h"

struct ubpf_jit_result ubpf_translate_null(struct ubpf_vm *vm, uint8_t *buffer, size_t *size,
					   enum JitMode mode)
{
	(void)vm, (void)buffer, (void)size, (void)mode;
	return (struct ubpf_jit_result){ .compile_result = UBPF_JIT_COMPILE_FAILURE };
}
