/* SPDX-License-Identifier: Apache-2.0 */
/* What a run lays out in memory, for engines that address it relative to r10. */
#ifndef TAPIO_RUN_H
#define TAPIO_RUN_H

#include "program.h"

/*
 * For every frame, the RT_SCRATCH_SIZE bytes that end at r10 - RT_SCRATCH_DISTANCE belong to the
 * engine. They lie beyond all frames, and closed to programs unless the engine opens them.
 */
#define RT_SCRATCH_DISTANCE 28672
#define RT_SCRATCH_SIZE 64

#endif
