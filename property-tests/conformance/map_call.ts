/**
 * One operation on a map with its bytes, and what came of it, in a form that prints, compares and
 * does not depend on the backend.
 */

import type { BpfMap } from "#core/backend.ts";
import { BpfError, ERRNO, errnoCode } from "#core/errors.ts";
import { hex } from "#property-tests/models/bytes.ts";

export type MapCall =
  /** `value` is what the buffer holds before: bloom filters read it. */
  | { kind: "lookup"; key: Uint8Array; value?: Uint8Array; flags: number }
  /** `byProgram`: a helper was called, not a system call; models only. */
  | { kind: "update"; key: Uint8Array; value: Uint8Array; flags: number; byProgram?: true }
  | { kind: "delete"; key: Uint8Array }
  | { kind: "lookup_and_delete"; key: Uint8Array }
  /** All keys from the start, and where `from` is not null also those after it. */
  | { kind: "walk"; from: Uint8Array | null }
  /** All entries, `count` at a time. */
  | { kind: "lookup_batch"; count: number }
  | { kind: "update_batch"; keys: Uint8Array[]; values: Uint8Array[]; flags: number }
  | { kind: "delete_batch"; keys: Uint8Array[] };

/** What a call answered. Bytes are hex, so that outcomes compare as text. */
export interface Outcome {
  /** 0, or the kernel's positive errno ("not there" is ENOENT). */
  readonly errno: number;
  readonly value?: string;
  /** Keys of a walk from the start, in the order they came. */
  readonly keys?: readonly string[];
  /** Keys that came after the walk's `from`, in the order they came. */
  readonly after?: readonly string[];
  /** Keys and values of a batched walk, in the order they came. */
  readonly entries?: readonly (readonly [key: string, value: string])[];
  /** How many elements of a batch were done. */
  readonly processed?: number;
}

export const DONE: Outcome = { errno: 0 };

export function failed(errno: number): Outcome {
  return { errno };
}

/** Runs one call. Only `BpfError`s with an errno are outcomes; anything else is a bug and thrown. */
export function perform(map: BpfMap, call: MapCall): Outcome {
  try {
    return performUnguarded(map, call);
  } catch (error) {
    if (!(error instanceof BpfError) || error.errno === 0) throw error;
    const batch = call.kind === "update_batch" || call.kind === "delete_batch";
    return batch ? { errno: error.errno, processed: error.processed ?? -1 } : failed(error.errno);
  }
}

function performUnguarded(map: BpfMap, call: MapCall): Outcome {
  switch (call.kind) {
    case "lookup": {
      const value = new Uint8Array(map.valueBytes);
      if (call.value !== undefined) value.set(call.value.subarray(0, value.length));
      const found = map.lookup(call.key, value, call.flags);
      return found ? { errno: 0, value: hex(value) } : failed(ERRNO.ENOENT);
    }
    case "update":
      map.update(call.key, call.value, call.flags);
      return DONE;
    case "delete":
      return map.delete(call.key) ? DONE : failed(ERRNO.ENOENT);
    case "lookup_and_delete": {
      const value = new Uint8Array(map.valueBytes);
      const found = map.lookupAndDelete(call.key, value);
      return found ? { errno: 0, value: hex(value) } : failed(ERRNO.ENOENT);
    }
    case "walk": {
      if (call.from === null) return { errno: 0, keys: keysAfter(map, null) };
      // The given key goes first: a wrong one must be refused as what it is.
      const after = keysAfter(map, call.from);
      return { errno: 0, keys: keysAfter(map, null), after };
    }
    case "lookup_batch":
      return walkInBatches(map, call.count);
    case "update_batch":
      map.updateBatch(joined(call.keys), joined(call.values), call.keys.length, call.flags);
      return { errno: 0, processed: call.keys.length };
    case "delete_batch":
      return { errno: 0, processed: map.deleteBatch(joined(call.keys), call.keys.length) };
  }
}

function keysAfter(map: BpfMap, from: Uint8Array | null): string[] {
  const keys: string[] = [];
  const next = new Uint8Array(map.spec.keySize);
  let key = from;
  while (map.nextKey(key, next)) {
    keys.push(hex(next));
    if (keys.length > limitOfWalk(map)) return [...keys, "... without an end"];
    key = next.slice();
  }
  return keys;
}

/** Where a bucket holds more than was asked for, asks for more (`DIFFERENCES.hashBatchBucket`). */
function walkInBatches(map: BpfMap, firstCount: number): Outcome {
  const entries: [string, string][] = [];
  const { keySize } = map.spec;
  let cursor: Uint8Array | null = null;
  let count = firstCount;
  for (;;) {
    const keys = new Uint8Array(keySize * count);
    const values = new Uint8Array(map.valueBytes * count);
    try {
      const batch = map.lookupBatch(cursor, keys, values, count);
      for (let index = 0; index < batch.count; index += 1) {
        entries.push([
          hex(keys.subarray(index * keySize, (index + 1) * keySize)),
          hex(values.subarray(index * map.valueBytes, (index + 1) * map.valueBytes)),
        ]);
      }
      if (batch.cursor === null) return { errno: 0, entries };
      if (entries.length > limitOfWalk(map)) throw new Error("a batched walk does not end");
      cursor = batch.cursor;
    } catch (error) {
      const bucketIsLarger = error instanceof BpfError && error.errno === ERRNO.ENOSPC;
      if (!bucketIsLarger || count > limitOfWalk(map)) throw error;
      count *= 2;
    }
  }
}

/** More than any map of the suite can hold, so that a walk that goes in circles ends. */
function limitOfWalk(map: BpfMap): number {
  return 2 * map.spec.maxEntries + 64;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

export function describeOutcome(outcome: Outcome): string {
  const parts = [outcome.errno === 0 ? "ok" : errnoCode(outcome.errno)];
  if (outcome.value !== undefined) parts.push(outcome.value);
  if (outcome.keys !== undefined) parts.push(`keys [${outcome.keys.join(" ")}]`);
  if (outcome.after !== undefined) parts.push(`after [${outcome.after.join(" ")}]`);
  if (outcome.entries !== undefined) {
    parts.push(`entries {${outcome.entries.map(([key, value]) => `${key}: ${value}`).join(", ")}}`);
  }
  if (outcome.processed !== undefined) parts.push(`processed ${outcome.processed}`);
  return parts.join(" ");
}
