/* SPDX-License-Identifier: Apache-2.0 */
/* A slot of a map-in-map: the address of the inner map, to which it holds a reference; or empty. */
#ifndef TAPIO_MAP_IN_MAP_H
#define TAPIO_MAP_IN_MAP_H

#include "runtime.h"

#define RT_INNER_SLOT_SIZE 8u

void rt_inner_release(void *slot);
/* The inner map's id, as user space reads it. */
void rt_inner_copy_out(void *value, const void *slot);

#endif
