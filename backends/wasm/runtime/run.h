/* SPDX-License-Identifier: Apache-2.0 */
/* What a run lays out in memory, for engines that address it relative to r10. */
#ifndef TAPIO_RUN_H
#define TAPIO_RUN_H

#include "program.h"

/*
 * For every frame, RT_FRAME_SIZE bytes at this distance below it belong to the engine. They lie
 * beyond all frames, and closed to programs unless the engine opens them.
 */
#define RT_SCRATCH_DISTANCE 24576

#endif
