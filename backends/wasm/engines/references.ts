/** What a program's references become in an instance; the same for every engine. */
import { BpfError } from "#core/errors.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import type { DataReference } from "./engine.ts";
import type { ArrayPlace, HashPlace, Named } from "./register_flow.ts";

const SHADOW_READ_ONLY = 0x80;

/** What an LDDW loads that names something. */
export interface ResolvedReference {
  readonly address: number;
  readonly named: Named;
}

/** Where callbacks start, each once, in the order of their first mention. */
export function callbackTargets(program: LinkedProgram): number[] {
  const targets = new Set<number>();
  for (const reference of program.references) {
    if (reference.kind === "function") targets.add(reference.target);
  }
  return [...targets];
}

/** The program, by its handle, keeps the map; `name` is for people. */
export function resolveData(
  instance: RuntimeInstance,
  program: number,
  reference: DataReference,
  address: number,
): ResolvedReference {
  const { exports, u8, u32 } = instance;
  if (reference.kind === "map") {
    const kept = exports.program_keep_map(program, address) !== 0;
    if (!kept) throw outOfMemory(`handle ${program}`);
    const writable = exports.ubpf_engine_map_writable(address) !== 0;
    const valueBytes = exports.aot_value_bytes(address);
    const array = arrayPlace(instance, address);
    const hash = hashPlace(instance, address);
    const ringPositions = exports.aot_ring_positions(address);
    return { address, named: { kind: "map", writable, valueBytes, array, hash, ringPositions } };
  }
  const shadow = u8[exports.rt_shadow_address() + (address >>> 3)]!;
  const writable = (shadow & SHADOW_READ_ONLY) === 0;
  const place = exports.program_value_place(program, address) / 4;
  const [start, valueBytes] = place === 0 ? [address, 0] : u32.subarray(place, place + 2);
  const offset = place === 0 ? address : address - start!;
  return {
    address,
    named: { kind: "map_value", address, writable, offset, valueBytes: valueBytes! },
  };
}

/** `struct array_place` of aot_inline.c; undefined for what is no array that programs may read. */
function arrayPlace({ exports, u32 }: RuntimeInstance, map: number): ArrayPlace | undefined {
  const place = exports.aot_array_place(map) / 4;
  if (place === 0) return undefined;
  const [address, entries, stride, cpuStride] = u32.subarray(place, place + 4);
  return { address: address!, entries: entries!, stride: stride!, cpuStride: cpuStride! };
}

/** `struct hash_place` of aot_inline.c; undefined for what is no table of words that programs may read. */
function hashPlace({ exports, u32 }: RuntimeInstance, map: number): HashPlace | undefined {
  const place = exports.aot_hash_place(map) / 4;
  if (place === 0) return undefined;
  const [buckets, bucketMask, keyBytes, valueOffset, referencedOffset] = u32.subarray(
    place,
    place + 5,
  );
  return {
    buckets: buckets!,
    bucketMask: bucketMask!,
    keyBytes: keyBytes!,
    valueOffset: valueOffset!,
    referencedOffset: referencedOffset!,
  };
}

export function outOfMemory(program: string): BpfError {
  return new BpfError(`load program ${program}`, "the simulated machine's memory is used up", {
    errno: 12,
    hint: "create the instance with more memoryBytes",
  });
}
