/** A map of the wasm runtime as the backends' contract wants it. */
import { MapCalls, notMappableError } from "#contract/map_calls.ts";
import { mapError } from "#contract/map_errors.ts";
import { type BpfMap, MAP_TYPE, type MapSpec, type RingReader } from "#core/backend.ts";
import type { RuntimeInstance } from "./instance.ts";
import { MapBatches } from "./map_batch.ts";
import { createMapHandle, type MapDetails } from "./map_create.ts";
import { openRing } from "./ring.ts";

export interface WasmMapOptions extends MapDetails {
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
  readonly #calls: MapCalls;
  readonly #batches: MapBatches;
  #ring: RingReader | undefined;

  /** Creates the map. Throws `BpfError` with the kernel's errno. */
  constructor(instance: RuntimeInstance, spec: MapSpec, options: WasmMapOptions = {}) {
    this.instance = instance;
    this.spec = spec;
    this.#options = options;
    this.#handle = createMapHandle(instance, spec, options);
    instance.mapNames.set(this.#handle, spec.name);
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
    this.#calls = new MapCalls(spec, this.valueBytes);
    this.#batches = new MapBatches(instance, spec, this.#handle, {
      valueBytes: this.valueBytes,
      calls: this.#calls,
    });
  }

  get name(): string {
    return this.spec.name;
  }

  get handle(): number {
    this.#calls.checkOpen("use");
    return this.#handle;
  }

  /** Where the map lies in linear memory: what a program passes to helpers. */
  get address(): number {
    this.#calls.checkOpen("use");
    return this.instance.exports.rt_map_address(this.#handle);
  }

  lookup(key: Uint8Array, value: Uint8Array, flags = 0): boolean {
    this.#begin("look up", key, value, flags);
    const bloom = this.spec.type === MAP_TYPE.bloom_filter;
    if (bloom) this.#value.set(value);
    const [low, high] = splitFlags(flags);
    const status = this.instance.exports.rt_map_lookup(
      this.#handle,
      this.#scratch,
      this.#valueAddress,
      low,
      high,
    );
    if (status === 0 && !bloom) value.set(this.#value);
    return this.#calls.found("look up", status);
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0): void {
    this.#begin("update", key, value, flags);
    this.#value.set(value);
    const [low, high] = splitFlags(flags);
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
    return this.#calls.found("delete from", status);
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
    return this.#calls.found("look up and delete from", status);
  }

  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    this.#calls.checkIteration("iterate", key, next);
    if (key !== null) this.#key.set(key);
    const status = this.instance.exports.rt_map_next_key(
      this.#handle,
      key === null ? 0 : this.#scratch,
      this.#nextAddress,
    );
    if (status === 0) next.set(this.#next);
    return this.#calls.found("iterate", status);
  }

  lookupBatch(
    cursor: Uint8Array | null,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
  ): { readonly count: number; readonly cursor: Uint8Array | null } {
    return this.#batches.lookup(cursor, keys, values, count);
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number, flags = 0): void {
    this.#batches.update(keys, values, count, flags);
  }

  deleteBatch(keys: Uint8Array, count: number): number {
    return this.#batches.delete(keys, count);
  }

  memory(): Uint8Array {
    this.#calls.checkOpen("share memory of");
    const { exports, u8 } = this.instance;
    const status = exports.rt_map_mmap(this.#handle);
    if (status < 0) throw notMappableError(this.name, -status);
    const start = exports.rt_map_values(this.#handle);
    const stride = Math.ceil(this.spec.valueSize / 8) * 8;
    return u8.subarray(start, start + stride * this.spec.maxEntries);
  }

  ring(): RingReader {
    this.#calls.checkRing();
    this.#ring ??= openRing(this.instance, this.name, this.#handle);
    return this.#ring;
  }

  memoryBytes(): number {
    this.#calls.checkOpen("measure");
    return this.instance.exports.rt_map_memory_bytes(this.#handle);
  }

  /** User space may no longer write; programs still can. Throws EBUSY the second time. */
  freeze(): void {
    this.#calls.checkOpen("freeze");
    const status = this.instance.exports.rt_map_freeze(this.#handle);
    if (status < 0) throw mapError("freeze", this.spec, status);
  }

  close(): void {
    if (!this.#calls.open) return;
    this.#ring?.close();
    this.#calls.close();
    this.#batches.close();
    this.instance.free(this.#scratch);
    this.instance.exports.rt_map_close(this.#handle);
    this.#options.onClose?.();
  }

  /** Checks a call's arguments and passes the key. */
  #begin(operation: string, key: Uint8Array, value?: Uint8Array, flags = 0): void {
    this.#calls.check(operation, key, value, flags);
    this.#key.set(key);
  }
}

/** 64 bits of flags as two words; those of almost every call cost nothing. */
function splitFlags(flags: number): readonly [low: number, high: number] {
  return flags === 0 ? NO_FLAGS : [(flags % TWO_32) | 0, Math.floor(flags / TWO_32)];
}

const NO_FLAGS: readonly [number, number] = [0, 0];
