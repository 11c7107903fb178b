/** Batched operations of a map, through a block of linear memory that grows to what is asked. */
import type { MapCalls } from "#contract/map_calls.ts";
import { lengthError, mapError } from "#contract/map_errors.ts";
import type { MapSpec } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import type { RuntimeInstance } from "./instance.ts";

/** Updates and deletes pass in pieces of this size; lookups cannot be cut. */
const PIECE_BYTES = 64 * 1024;
const COUNT_BYTES = 8;
/** Stands for any flag beyond the 32 bits that pass: the kernel has none there. */
const UNKNOWN_FLAG = 0x80000000;

const roundUp8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

interface BatchedCalls {
  readonly valueBytes: number;
  readonly calls: MapCalls;
}

export class MapBatches {
  readonly #instance: RuntimeInstance;
  readonly #spec: MapSpec;
  readonly #handle: number;
  readonly #valueBytes: number;
  readonly #calls: MapCalls;
  #block = 0;
  #blockBytes = 0;

  constructor(
    instance: RuntimeInstance,
    spec: MapSpec,
    handle: number,
    { valueBytes, calls }: BatchedCalls,
  ) {
    this.#instance = instance;
    this.#spec = spec;
    this.#handle = handle;
    this.#valueBytes = valueBytes;
    this.#calls = calls;
  }

  lookup(
    cursor: Uint8Array | null,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
  ): { readonly count: number; readonly cursor: Uint8Array | null } {
    const operation = "look up a batch in";
    const { exports, u8, u32 } = this.#instance;
    const { keySize } = this.#spec;
    this.#calls.checkBatch(operation, keys, values, count);
    const cursorBytes = exports.rt_map_cursor_bytes(this.#handle);
    if (cursor !== null && cursor.length !== cursorBytes) {
      throw lengthError(operation, this.#spec, "the cursor", cursor.length, cursorBytes);
    }
    // One more than can exist, so that the end is seen; the caller's room may be far larger.
    const room = Math.min(count, exports.rt_map_max_entries(this.#handle) + 1);
    const cursorRoom = roundUp8(cursorBytes);
    const keysRoom = roundUp8(keySize * room);
    const block = this.#reserve(COUNT_BYTES + 2 * cursorRoom + keysRoom + this.#valueBytes * room);
    const from = block + COUNT_BYTES;
    const to = from + cursorRoom;
    const keysAt = to + cursorRoom;
    const valuesAt = keysAt + keysRoom;

    u32[block / 4] = room;
    u8.fill(0, to, to + cursorBytes);
    if (cursor !== null) u8.set(cursor, from);
    const status = exports.rt_map_lookup_batch(
      this.#handle,
      cursor === null ? 0 : from,
      to,
      keysAt,
      valuesAt,
      block,
      0,
    );
    if (status !== 0 && status !== -ERRNO.ENOENT) throw mapError(operation, this.#spec, status, 0);
    if (count === 0) return { count, cursor };
    const done = u32[block / 4]!;
    keys.set(u8.subarray(keysAt, keysAt + keySize * done));
    values.set(u8.subarray(valuesAt, valuesAt + this.#valueBytes * done));
    return { count: done, cursor: status === 0 ? u8.slice(to, to + cursorBytes) : null };
  }

  update(keys: Uint8Array, values: Uint8Array, count: number, flags: number): void {
    const operation = "update a batch in";
    this.#calls.checkBatch(operation, keys, values, count);
    if (!Number.isSafeInteger(flags) || flags < 0) {
      throw mapError(operation, this.#spec, -ERRNO.EINVAL, 0);
    }
    const low = flags > 0xffffffff ? UNKNOWN_FLAG : flags;
    this.#inPieces(operation, count, keys, values, (block, keysAt, valuesAt) =>
      this.#instance.exports.rt_map_update_batch(this.#handle, keysAt, valuesAt, block, low),
    );
  }

  delete(keys: Uint8Array, count: number): number {
    const operation = "delete a batch from";
    this.#calls.checkBatch(operation, keys, undefined, count);
    return this.#inPieces(operation, count, keys, undefined, (block, keysAt) =>
      this.#instance.exports.rt_map_delete_batch(this.#handle, keysAt, block, 0),
    );
  }

  close(): void {
    if (this.#block !== 0) this.#instance.free(this.#block);
    this.#block = this.#blockBytes = 0;
  }

  /** Passes entries piece by piece until one fails; returns how many were done. */
  #inPieces(
    operation: string,
    count: number,
    keys: Uint8Array,
    values: Uint8Array | undefined,
    call: (block: number, keysAt: number, valuesAt: number) => number,
  ): number {
    const { u8, u32 } = this.#instance;
    const { keySize } = this.#spec;
    const valueBytes = values === undefined ? 0 : this.#valueBytes;
    const piece = Math.max(1, Math.floor(PIECE_BYTES / (keySize + valueBytes || 1)));
    let done = 0;
    do {
      const size = Math.min(piece, count - done);
      const keysRoom = roundUp8(keySize * size);
      const block = this.#reserve(COUNT_BYTES + keysRoom + valueBytes * size);
      const keysAt = block + COUNT_BYTES;
      u32[block / 4] = size;
      u8.set(keys.subarray(keySize * done, keySize * (done + size)), keysAt);
      if (values !== undefined) {
        const from = values.subarray(valueBytes * done, valueBytes * (done + size));
        u8.set(from, keysAt + keysRoom);
      }
      const status = call(block, keysAt, keysAt + keysRoom);
      done += u32[block / 4]!;
      if (status !== 0) throw mapError(operation, this.#spec, status, done);
    } while (done < count);
    return done;
  }

  /** A block of at least `bytes`, kept for the next batch. */
  #reserve(bytes: number): number {
    if (bytes <= this.#blockBytes) return this.#block;
    this.close();
    this.#block = this.#instance.alloc(bytes);
    this.#blockBytes = bytes;
    return this.#block;
  }
}
