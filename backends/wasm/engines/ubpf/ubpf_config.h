/* SPDX-License-Identifier: Apache-2.0 */
/* What uBPF's own build system would generate: no ELF reader, so nothing is defined. */
#ifndef TAPIO_UBPF_CONFIG_H
#define TAPIO_UBPF_CONFIG_H
#endif
