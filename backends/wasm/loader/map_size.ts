/** Numbers of entries that libbpf changes between a map's definition and its creation. */

import { MAP_TYPE, type MapSpec } from "#core/backend.ts";

/** Page size of the simulated kernel. */
const PAGE_BYTES = 4096;
const SIZE_MAX = 0xffff_ffff;

/**
 * The map as it is to be created on a machine with so many possible CPUs: rings are a power of two
 * of whole pages, rounded up; a perf event array without a size has one entry for each CPU.
 * `maxEntries` overrides the definition.
 */
export function sizedMap(spec: MapSpec, cpus: number, maxEntries = spec.maxEntries): MapSpec {
  if (spec.type === MAP_TYPE.ringbuf) return { ...spec, maxEntries: ringBytes(maxEntries) };
  if (spec.type === MAP_TYPE.perf_event_array && maxEntries === 0) {
    return { ...spec, maxEntries: cpus };
  }
  return maxEntries === spec.maxEntries ? spec : { ...spec, maxEntries };
}

/** The size of a ring: 0 stays, and so does what is too large to be rounded up. */
export function ringBytes(bytes: number): number {
  if (bytes === 0) return 0;
  let rounded = PAGE_BYTES;
  while (rounded < bytes) rounded *= 2;
  return rounded > SIZE_MAX ? bytes : rounded;
}
