/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the kernel process share: the request being served and its response. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;

#define MESSAGE_BYTES_MAX (64u << 20)

/* Ends the process: the other side broke the protocol, or is gone. */
_Noreturn void die(const char *problem);

/* The next field of the request. A block is a length and bytes; NULL where the length is 0. */
u8 *take_bytes(u32 size);
u32 take_u32(void);
u64 take_u64(void);
u8 *take_block(u32 *size);

/* Zeroed space at the end of the response, valid until the next call. */
u8 *add_space(u32 size);
/* The start of the response's bytes. */
u8 *response_bytes(void);

/* ---- kernel_maps.c: 0, a descriptor, or -errno ----------------------------------------------- */

s32 bpf(enum bpf_cmd command, union bpf_attr *attr);
u64 pointer(const void *memory);
s32 create_map(void);
/* Lookup, update, delete and lookup-and-delete of one element. */
s32 element(enum bpf_cmd command, bool has_value, bool answers);
s32 next_keys(void);
s32 lookup_batch(void);
s32 change_batch(enum bpf_cmd command);

/* ---- kernel_programs.c ----------------------------------------------------------------------- */

/* Opens and loads an object; answers what it holds, or libbpf's last words. */
s32 open_object(void);
s32 close_object(void);
/* Attaches one program to what its section says; answers a slot for its link. */
s32 attach_program(void);
s32 detach_program(void);
/* One BPF_PROG_TEST_RUN; answers the return value. */
s32 run_program(void);

/* ---- kernel_bare.c --------------------------------------------------------------------------- */

/* Runs a bare program; answers how that went, bits, r0, errno and a text. */
s32 run_bare(void);

/* ---- kernel_files.c -------------------------------------------------------------------------- */

/* Bytes of a file (`/sys/kernel/btf/vmlinux`), or -errno. */
s32 read_file(void);

/* ---- kernel_rings.c -------------------------------------------------------------------------- */

s32 open_ring(void);
s32 close_ring(void);
s32 peek_ring(void);
s32 advance_ring(void);
/* Bytes between consumer and producer. */
s32 ring_available(void);

#endif
