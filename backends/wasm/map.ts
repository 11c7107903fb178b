/** A map of the wasm runtime as the backends' contract wants it. */
import { type BpfMap, MAP_TYPE, type MapSpec, type RingReader } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { RuntimeInstance } from "./instance.ts";
import { MapBatches } from "./map_batch.ts";
import { createMapHandle, type MapDetails } from "./map_create.ts";
import { closedError, lengthError, mapError, mapTypeName } from "./map_errors.ts";

export interface WasmMapOptions extends MapDetails {
  /** Makes the reader of a ring-buffer map. */
  readonly openRing?: (map: WasmMap) => RingReader;
  /** Called once, as the map closes. */
  readonly onClose?: () => void;
}

const TWO_32 = 2 ** 32;

export class WasmMap implements BpfMap {
  readonly spec: MapSpec;
  readonly instance: RuntimeInstance;
  readonly valueBytes: number;
  readonly #handle: number;
  readonly #options: WasmMapOptions;
  // Key, next key and value pass through one block of linear memory, taken once.
  readonly #scratch: number;
  readonly #nextAddress: number;
  readonly #valueAddress: number;
  readonly #key: Uint8Array;
  readonly #next: Uint8Array;
  readonly #value: Uint8Array;
  readonly #batches: MapBatches;
  #ring: RingReader | undefined;
  #open = true;

  /** Creates the map. Throws `BpfError` with the kernel's errno. */
  constructor(instance: RuntimeInstance, spec: MapSpec, options: WasmMapOptions = {}) {
    this.instance = instance;
    this.spec = spec;
    this.#options = options;
    this.#handle = createMapHandle(instance, spec, options);
    try {
      this.valueBytes = instance.exports.rt_map_size_of_value(this.#handle);
      const keyRoom = Math.ceil(spec.keySize / 8) * 8;
      this.#scratch = instance.alloc(2 * keyRoom + this.valueBytes);
      this.#nextAddress = this.#scratch + keyRoom;
      this.#valueAddress = this.#nextAddress + keyRoom;
    } catch (error) {
      instance.exports.rt_map_close(this.#handle);
      throw error;
    }
    const bytes = (address: number, length: number): Uint8Array =>
      instance.u8.subarray(address, address + length);
    this.#key = bytes(this.#scratch, spec.keySize);
    this.#next = bytes(this.#nextAddress, spec.keySize);
    this.#value = bytes(this.#valueAddress, this.valueBytes);
    this.#batches = new MapBatches(instance, spec, this.#handle, this.valueBytes);
  }

  get name(): string {
    return this.spec.name;
  }

  get handle(): number {
    this.#checkOpen("use");
    return this.#handle;
  }

  /** Where the map lies in linear memory: what a program passes to helpers. */
  get address(): number {
    this.#checkOpen("use");
    return this.instance.exports.rt_map_address(this.#handle);
  }

  lookup(key: Uint8Array, value: Uint8Array, flags = 0): boolean {
    this.#begin("look up", key, value);
    const bloom = this.spec.type === MAP_TYPE.bloom_filter;
    if (bloom) this.#value.set(value);
    const [low, high] = this.#splitFlags("look up", flags);
    const status = this.instance.exports.rt_map_lookup(
      this.#handle,
      this.#scratch,
      this.#valueAddress,
      low,
      high,
    );
    if (status === 0 && !bloom) value.set(this.#value);
    return this.#found("look up", status);
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0): void {
    this.#begin("update", key, value);
    this.#value.set(value);
    const [low, high] = this.#splitFlags("update", flags);
    const status = this.instance.exports.rt_map_update(
      this.#handle,
      this.#scratch,
      this.#valueAddress,
      low,
      high,
    );
    if (status !== 0) throw mapError("update", this.spec, status);
  }

  delete(key: Uint8Array): boolean {
    this.#begin("delete from", key);
    const status = this.instance.exports.rt_map_delete(this.#handle, this.#scratch);
    return this.#found("delete from", status);
  }

  lookupAndDelete(key: Uint8Array, value: Uint8Array): boolean {
    this.#begin("look up and delete from", key, value);
    const status = this.instance.exports.rt_map_take(
      this.#handle,
      this.#scratch,
      this.#valueAddress,
      0,
      0,
    );
    if (status === 0) value.set(this.#value);
    return this.#found("look up and delete from", status);
  }

  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    this.#checkOpen("iterate");
    if (key !== null) {
      this.#checkLength("iterate", "the key", key, this.spec.keySize);
      this.#key.set(key);
    }
    this.#checkLength("iterate", "the next key", next, this.spec.keySize);
    const status = this.instance.exports.rt_map_next_key(
      this.#handle,
      key === null ? 0 : this.#scratch,
      this.#nextAddress,
    );
    if (status === 0) next.set(this.#next);
    return this.#found("iterate", status);
  }

  lookupBatch(
    cursor: Uint8Array | null,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
  ): { readonly count: number; readonly cursor: Uint8Array | null } {
    this.#checkOpen("look up a batch in");
    return this.#batches.lookup(cursor, keys, values, count);
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number, flags = 0): void {
    this.#checkOpen("update a batch in");
    this.#batches.update(keys, values, count, flags);
  }

  deleteBatch(keys: Uint8Array, count: number): number {
    this.#checkOpen("delete a batch from");
    return this.#batches.delete(keys, count);
  }

  memory(): Uint8Array {
    this.#checkOpen("share memory of");
    const { exports, u8 } = this.instance;
    const status = exports.rt_map_mmap(this.#handle);
    if (status < 0) {
      throw new BpfError(`share memory of map ${this.name}`, "it was not created MMAPABLE", {
        errno: -status,
        hint: "create an array with the flag MMAPABLE",
      });
    }
    const start = exports.rt_map_values(this.#handle);
    const stride = Math.ceil(this.spec.valueSize / 8) * 8;
    return u8.subarray(start, start + stride * this.spec.maxEntries);
  }

  ring(): RingReader {
    this.#checkOpen("read");
    if (this.spec.type !== MAP_TYPE.ringbuf || this.#options.openRing === undefined) {
      throw new BpfError(`read map ${this.name}`, `it is a ${mapTypeName(this.spec.type)} map`, {
        errno: ERRNO.EINVAL,
        hint: "only ring buffers can be read as a ring",
      });
    }
    this.#ring ??= this.#options.openRing(this);
    return this.#ring;
  }

  memoryBytes(): number {
    this.#checkOpen("measure");
    return this.instance.exports.rt_map_memory_bytes(this.#handle);
  }

  /** User space may no longer write; programs still can. Throws EBUSY the second time. */
  freeze(): void {
    this.#checkOpen("freeze");
    const status = this.instance.exports.rt_map_freeze(this.#handle);
    if (status < 0) throw mapError("freeze", this.spec, status);
  }

  close(): void {
    if (!this.#open) return;
    this.#ring?.close();
    this.#open = false;
    this.#batches.close();
    this.instance.free(this.#scratch);
    this.instance.exports.rt_map_close(this.#handle);
    this.#options.onClose?.();
  }

  /** Checks a call's arguments, in the contract's order, and passes the key. */
  #begin(operation: string, key: Uint8Array, value?: Uint8Array): void {
    this.#checkOpen(operation);
    this.#checkLength(operation, "the key", key, this.spec.keySize);
    if (value !== undefined) this.#checkLength(operation, "the value", value, this.valueBytes);
    this.#key.set(key);
  }

  #checkOpen(operation: string): void {
    if (!this.#open) throw closedError(operation, this.spec);
  }

  #checkLength(operation: string, what: string, bytes: Uint8Array, expected: number): void {
    if (bytes.length !== expected) {
      throw lengthError(operation, this.spec, what, bytes.length, expected);
    }
  }

  #found(operation: string, status: number): boolean {
    if (status === 0) return true;
    if (status === -ERRNO.ENOENT) return false;
    throw mapError(operation, this.spec, status);
  }

  #splitFlags(operation: string, flags: number): readonly [low: number, high: number] {
    if (flags === 0) return NO_FLAGS;
    if (!Number.isSafeInteger(flags) || flags < 0) {
      throw mapError(operation, this.spec, -ERRNO.EINVAL);
    }
    return [(flags % TWO_32) | 0, Math.floor(flags / TWO_32)];
  }
}

const NO_FLAGS: readonly [number, number] = [0, 0];
