/** Turns symbolic operations into calls with bytes for one map. */

import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import type {
  KeyChoice,
  MapOperation,
  ValueChoice,
} from "#property-tests/arbitraries/map_operations.ts";
import { roundUp8, u32Bytes } from "#property-tests/models/bytes.ts";
import { isPerCpu, type ModelContext, valueBytesOf } from "#property-tests/models/map_model.ts";
import type { MapCall } from "./map_call.ts";

export function resolve(operation: MapOperation, spec: MapSpec, context: ModelContext): MapCall {
  const key = (choice: KeyChoice) => resized(keyBytes(choice, spec), choice.excess);
  const value = (choice: ValueChoice) => resized(valueBytes(choice, spec, context), choice.excess);
  switch (operation.kind) {
    case "lookup":
      return { ...operation, key: key(operation.key), value: value(operation.value) };
    case "update":
      return { ...operation, key: key(operation.key), value: value(operation.value) };
    case "delete":
    case "lookup_and_delete":
      return { kind: operation.kind, key: key(operation.key) };
    case "walk":
      return { kind: "walk", from: operation.from === null ? null : key(operation.from) };
    case "lookup_batch":
      return { kind: "lookup_batch", count: operation.count };
    case "update_batch": {
      const keys = operation.entries.map(([choice]) => key(choice));
      const values = operation.entries.map(([, choice]) => value(choice));
      return { kind: "update_batch", keys, values, flags: operation.flags };
    }
    case "delete_batch":
      return { kind: "delete_batch", keys: operation.keys.map(key) };
  }
}

const INDEXED_TYPES: ReadonlySet<number> = new Set([
  MAP_TYPE.array,
  MAP_TYPE.percpu_array,
  MAP_TYPE.array_of_maps,
  MAP_TYPE.prog_array,
  MAP_TYPE.perf_event_array,
]);

/** The bytes of a key; `excess` is not applied. */
export function keyBytes(choice: KeyChoice, spec: MapSpec): Uint8Array {
  if (spec.keySize === 0) return new Uint8Array(0);
  if (INDEXED_TYPES.has(spec.type)) return u32Bytes(indexOf(choice, spec.maxEntries));
  return spec.type === MAP_TYPE.lpm_trie ? prefixOf(choice, spec) : hashKeyOf(choice, spec);
}

function indexOf({ from, index }: KeyChoice, maxEntries: number): number {
  if (from === "hot") return index;
  if (from === "any") return index % (2 * maxEntries);
  return [0, maxEntries - 1, maxEntries, maxEntries + 1, 0x7fffffff, 0xffffffff][index % 6]!;
}

function hashKeyOf({ from, index }: KeyChoice, { keySize }: MapSpec): Uint8Array {
  const key = new Uint8Array(keySize);
  if (from === "hot") {
    // Two differ in the first byte only, two in the last: a hash that skips bytes is seen.
    key[index < 2 ? 0 : keySize - 1] = index + 1;
  } else if (from === "any") {
    for (let at = 0; at < keySize; at += 1) key[at] = (index >> (8 * (at % 2))) & 0xff;
  } else {
    const fill = [0, 0xff, 0x80, 0x7f, 0, 0][index % 6]!;
    key.fill(fill);
    if (index % 6 === 4) key[0] = 0x80;
    if (index % 6 === 5) key[keySize - 1] = 0x80;
  }
  return key;
}

/** Prefixes that nest and part: a base pattern, cut anywhere, with at most one bit flipped. */
function prefixOf({ from, index }: KeyChoice, { keySize }: MapSpec): Uint8Array {
  const data = new Uint8Array(keySize - 4).fill(0xa5);
  const bits = data.length * 8;
  if (from === "hot") {
    if (index === 3) data[0] = 0xa4;
    return prefix([5, 8, bits, bits - 1][index]!, data);
  }
  if (from === "any") {
    const flipped = (index >> 8) % bits;
    data[flipped >> 3]! ^= 0x80 >> (flipped & 7);
    return prefix(index % (bits + 1), data);
  }
  if (index % 6 > 3) data.fill(index % 6 === 4 ? 0 : 0xff);
  return prefix([0, bits + 1, 0xffffffff, bits, bits, bits][index % 6]!, data);
}

function prefix(length_bits: number, data: Uint8Array): Uint8Array {
  const key = new Uint8Array(4 + data.length);
  key.set(u32Bytes(length_bits));
  key.set(data, 4);
  return key;
}

/** Values below take one of the first two known maps, which are like the template. */
const GOOD_DESCRIPTORS = 9;

/** Descriptors for outer maps (good ones, maps unlike the template, none at all), else patterns. */
function valueBytes({ index }: ValueChoice, spec: MapSpec, context: ModelContext): Uint8Array {
  if (holdsDescriptors(spec.type)) {
    const known = context.maps[index < GOOD_DESCRIPTORS ? index % 2 : index - GOOD_DESCRIPTORS];
    return u32Bytes(known?.handle ?? (index % 2 === 0 ? 0xffffffff : 0x7ffffff0));
  }
  const value = new Uint8Array(valueBytesOf(spec, context.cpus));
  if (index === 0) return value;
  const pattern = (at: number) => (index === 15 ? 0xff : (index * 37 + at * 11) & 0xff);
  return value.map((_, at) => (isPadding(at, spec, context) ? 0 : pattern(at)));
}

/** Whether a byte lies behind a CPU's value, on kernels that keep none such (`DIFFERENCES.percpuPadding`). */
function isPadding(at: number, spec: MapSpec, { kernel }: ModelContext): boolean {
  return (
    !kernel.percpuPaddingKept &&
    isPerCpu(spec.type) &&
    at % roundUp8(spec.valueSize) >= spec.valueSize
  );
}

export function holdsDescriptors(type: number): boolean {
  return (
    type === MAP_TYPE.array_of_maps ||
    type === MAP_TYPE.hash_of_maps ||
    type === MAP_TYPE.prog_array ||
    type === MAP_TYPE.perf_event_array
  );
}

function resized(bytes: Uint8Array, excess: number): Uint8Array {
  const size = Math.max(0, bytes.length + excess);
  const changed = new Uint8Array(size);
  changed.set(bytes.subarray(0, size));
  return changed;
}
