/**
 * The operations of every map that is a table (arrays, hashes, tries) over the few rules in which
 * they differ.
 */

import type { MapSpec } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { DONE, failed, type MapCall, type Outcome } from "#property-tests/conformance/map_call.ts";
import type { AllowedDifference } from "#property-tests/differences.ts";
import { bytesOf, hex } from "./bytes.ts";
import { difference, differenceUnordered } from "./compare.ts";
import { knownFlags, type MapModel, type ModelContext, refusal } from "./map_model.ts";

/** The batches a type offers; the others answer ENOTSUPP. */
export interface Batches {
  readonly lookup: boolean;
  readonly update: boolean;
  readonly delete: boolean;
}

export const ALL_BATCHES: Batches = { lookup: true, update: true, delete: true };
export const NO_BATCHES: Batches = { lookup: false, update: false, delete: false };

export abstract class TableModel implements MapModel {
  readonly spec: MapSpec;
  protected readonly context: ModelContext;
  /** What allows any order of iteration; null where the order is part of the semantics. */
  protected abstract readonly anyOrder: AllowedDifference | null;
  /** Whether `lookupAndDelete` is offered; ENOTSUPP otherwise. */
  protected abstract readonly takes: boolean;
  protected abstract readonly batches: Batches;

  constructor(spec: MapSpec, context: ModelContext) {
    this.spec = spec;
    this.context = context;
  }

  /** The value that a lookup copies (hex), or an errno. */
  protected abstract find(key: Uint8Array): string | number;
  /** 0 or an errno. */
  protected abstract put(key: Uint8Array, value: Uint8Array, flags: number): number;
  /** 0 or an errno. */
  protected abstract remove(key: Uint8Array): number;
  /** Keys (hex) in the order of iteration. */
  protected abstract keys(): string[];
  /** Index in `keys()` of the key to go on after; −1 to (re)start. */
  protected abstract position(from: Uint8Array, keys: readonly string[]): number;

  judge(call: MapCall, actual: Outcome): string | undefined {
    const expected = this.apply(call);
    if (this.anyOrder === null) return difference(expected, actual);
    const from = call.kind === "walk" && call.from !== null ? hex(call.from) : undefined;
    return differenceUnordered(expected, actual, from);
  }

  apply(call: MapCall): Outcome {
    const errno = refusal(this.spec, this.context, call);
    switch (call.kind) {
      case "lookup":
        return errno === 0 ? outcomeOf(this.find(call.key)) : failed(errno);
      case "update":
        return failed(
          errno || this.put(call.key, call.value, knownFlags(this.spec, this.context, call)),
        );
      case "delete":
        return failed(errno || this.remove(call.key));
      case "lookup_and_delete":
        return errno === 0 ? this.take(call.key) : failed(errno);
      case "walk":
        return errno === 0 ? this.walk(call.from) : failed(errno);
      case "lookup_batch":
        return errno === 0 ? this.lookupBatch() : failed(errno);
      case "update_batch":
        return errno === 0 ? this.updateBatch(call) : { errno, processed: 0 };
      case "delete_batch":
        return errno === 0 ? this.deleteBatch(call) : { errno, processed: 0 };
    }
  }

  private take(key: Uint8Array): Outcome {
    if (!this.takes) return failed(ERRNO.ENOTSUPP);
    const found = outcomeOf(this.find(key));
    if (found.errno === 0) this.remove(key);
    return found;
  }

  private walk(from: Uint8Array | null): Outcome {
    const keys = this.keys();
    if (from === null) return { ...DONE, keys };
    return { ...DONE, keys, after: keys.slice(this.position(from, keys) + 1) };
  }

  private lookupBatch(): Outcome {
    if (!this.batches.lookup) return failed(ERRNO.ENOTSUPP);
    const entries: [string, string][] = [];
    for (const key of this.keys()) {
      const value = this.find(bytesOf(key));
      if (typeof value === "string") entries.push([key, value]);
      else if (!this.context.kernel.batchSkipsMissing) return failed(ERRNO.EINTR);
    }
    return { ...DONE, entries };
  }

  private updateBatch(call: Extract<MapCall, { kind: "update_batch" }>): Outcome {
    if (!this.batches.update) return { errno: ERRNO.ENOTSUPP, processed: 0 };
    // Flags of elements: only LOCK is known, and no model's value holds a lock.
    if (call.flags !== 0) return { errno: ERRNO.EINVAL, processed: 0 };
    for (const [index, key] of call.keys.entries()) {
      const errno = this.put(key, call.values[index]!, 0);
      if (errno !== 0) return { errno, processed: index };
    }
    return { ...DONE, processed: call.keys.length };
  }

  private deleteBatch(call: Extract<MapCall, { kind: "delete_batch" }>): Outcome {
    if (!this.batches.delete) return { errno: ERRNO.ENOTSUPP, processed: 0 };
    for (const [index, key] of call.keys.entries()) {
      const errno = this.remove(key);
      if (errno !== 0) return { errno, processed: index };
    }
    return { ...DONE, processed: call.keys.length };
  }
}

function outcomeOf(found: string | number): Outcome {
  return typeof found === "string" ? { ...DONE, value: found } : failed(found);
}
