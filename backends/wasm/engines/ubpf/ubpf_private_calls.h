/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TAPIO_UBPF_PRIVATE_CALLS_H
#define TAPIO_UBPF_PRIVATE_CALLS_H

#include "ubpf_engine.h"

/*
 * Does what `site` says with r1 to r5; the result is r0. `register_number` carries the helper's number
 * from SITE_REGISTER_NUMBER to SITE_REGISTER_CALL.
 */
u64 ubpf_private_call(const struct site *site, const u64 *arguments, u64 *register_number);

#endif
