/** Batched operations of a kernel map. */
import type { MapCalls } from "#contract/map_calls.ts";
import { lengthError, mapError } from "#contract/map_errors.ts";
import type { MapSpec } from "#core/backend.ts";
import { type BpfError, ERRNO } from "#core/errors.ts";
import type { Addon } from "./addon.ts";

/** A hash's cursor is a bucket number whatever its key size; other maps' is a key. */
const BUCKET_BYTES = 4;

export class MapBatches {
  readonly #addon: Addon;
  readonly #spec: MapSpec;
  readonly #fd: number;
  readonly #calls: MapCalls;
  readonly #done = new Uint32Array(1);

  constructor(addon: Addon, spec: MapSpec, fd: number, calls: MapCalls) {
    this.#addon = addon;
    this.#spec = spec;
    this.#fd = fd;
    this.#calls = calls;
  }

  lookup(
    cursor: Uint8Array | null,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
  ): { readonly count: number; readonly cursor: Uint8Array | null } {
    const operation = "look up a batch in";
    this.#calls.checkBatch(operation, keys, values, count);
    const cursorBytes = Math.max(BUCKET_BYTES, this.#spec.keySize);
    if (cursor !== null && cursor.length !== cursorBytes) {
      throw lengthError(operation, this.#spec, "the cursor", cursor.length, cursorBytes);
    }
    const next = new Uint8Array(cursorBytes);
    this.#done[0] = count;
    const status = this.#addon.mapLookupBatch(this.#fd, cursor, next, keys, values, this.#done);
    if (status !== 0 && status !== -ERRNO.ENOENT) throw mapError(operation, this.#spec, status, 0);
    if (count === 0) return { count, cursor };
    return { count: this.#done[0], cursor: status === 0 ? next : null };
  }

  update(keys: Uint8Array, values: Uint8Array, count: number, flags: number): void {
    const operation = "update a batch in";
    this.#calls.checkBatch(operation, keys, values, count);
    if (!Number.isSafeInteger(flags) || flags < 0) {
      throw mapError(operation, this.#spec, -ERRNO.EINVAL, 0);
    }
    this.#done[0] = count;
    const status = this.#addon.mapUpdateBatch(this.#fd, keys, values, this.#done, flags);
    if (status !== 0) throw this.#error(operation, status, count);
  }

  delete(keys: Uint8Array, count: number): number {
    const operation = "delete a batch from";
    this.#calls.checkBatch(operation, keys, undefined, count);
    this.#done[0] = count;
    const status = this.#addon.mapDeleteBatch(this.#fd, keys, this.#done);
    if (status !== 0) throw this.#error(operation, status, count);
    return this.#done[0];
  }

  #error(operation: string, status: number, count: number): BpfError {
    // The kernel leaves the number alone where it refuses before it looks at an entry.
    const done = this.#done[0]!;
    return mapError(operation, this.#spec, status, done >= count ? 0 : done);
  }
}
